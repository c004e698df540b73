"""Texts the holder accepts: what can be read before any code is asked is read then, and nothing is asked twice.

The texts before the PIN are the office's public ones; what counts in the end are those of the case. A text accepted
early is taken as accepted there only if kind, version and hash are still the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cardclient.contract import Acceptance, Offer, Text, TextKind
from cardclient.errors import Declined, Distrusted
from cardclient.ports import Office, Phase, Screen

ENROLL, EXTEND = "enroll", "extend"
ALWAYS = frozenset({TextKind.CONTRACT, TextKind.PRIVACY})
RENEWAL = ALWAYS | {TextKind.CLAUSES}
Accepted = frozenset[Acceptance]


def accept_before_login(screen: Screen, office: Office, offer: Offer, *, replaces: bool) -> Accepted:
    """Warn of the loss of the old keys, or have an extension's terms accepted; raises Declined.

    Returns what was accepted: nothing where an older office publishes no texts, which are then asked for in the case.
    """
    screen.phase(Phase.TEXTS)
    if offer.flow == ENROLL and not replaces:
        return frozenset()
    shown = _require_whole(office.public_texts(offer.flow))
    if offer.flow == ENROLL:
        shown = tuple(each for each in shown if each.kind is TextKind.ENCRYPTION_WARNING)
    _ask(screen, shown, replaces=replaces)
    return frozenset(_acceptance(each) for each in shown)


def accept_in_case(
    screen: Screen, office: Office, flow: str, accepted: Accepted, *, replaces: bool
) -> Sequence[Acceptance]:
    """Ask for the case's texts that were not accepted before the login, and return all; raises Declined, Distrusted."""
    shown = _require_whole(office.texts())
    _require_kinds({each.kind for each in shown}, flow, replaces=replaces)
    _ask(screen, [each for each in shown if _acceptance(each) not in accepted], replaces=replaces)
    return [_acceptance(each) for each in shown]


def _ask(screen: Screen, texts: Sequence[Text], *, replaces: bool) -> None:
    """Ask for the warning on its own, as what it warns of cannot be undone, and for the others together."""
    warnings = [each for each in texts if replaces and each.kind is TextKind.ENCRYPTION_WARNING]
    others = [each for each in texts if each not in warnings]
    if not all(screen.warn_encryption(each) for each in warnings):
        raise Declined("warning-declined")
    if others and not screen.accept_texts(others):
        raise Declined("acceptance-needed")


def _acceptance(text: Text) -> Acceptance:
    return Acceptance(text.kind, text.version, text.sha256)


def _require_whole(texts: Sequence[Text]) -> tuple[Text, ...]:
    """Each kind once, each text the one its hash names: what is shown is what is recorded."""
    if len({each.kind for each in texts}) != len(texts):
        raise Distrusted("answer-malformed", operation="texts")
    if any(hashlib.sha256(each.text.encode("utf-8")).hexdigest() != each.sha256 for each in texts):
        raise Distrusted("answer-malformed", operation="text-hash")
    return tuple(texts)


def _require_kinds(kinds: set[TextKind], flow: str, *, replaces: bool) -> None:
    """No office may leave out what the holder has to know before he signs."""
    wanted = RENEWAL if flow == ENROLL else ALWAYS
    if flow == ENROLL and replaces:
        wanted |= {TextKind.ENCRYPTION_WARNING}
    if not wanted <= kinds:
        raise Distrusted("answer-malformed", operation="texts")
