"""From a card in the reader to an open session: scan, verdict, choice, and the challenge the old key signs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cardclient import __version__, certificates, pairs, texts
from cardclient.acceptance import ENROLL, EXTEND
from cardclient.contract import SERIAL, Capabilities, Case, Offer, ScanAnswer, Slot, Verdict
from cardclient.errors import ClientOutdated, Distrusted, InputNeeded
from cardclient.naming import ObjectName, read_label
from cardclient.ports import Card, CardCertificate, CardView, Choice, Office, Screen, SecretKind
from cardclient.scanned import Scanned, not_renewable
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.admission")
# What stands in place of the office's answer for a card that it was not asked about.
UNASKED = ScanAnswer(
    verdict=Verdict.NOT_RENEWABLE, code=None, message=None, advice=None, family=None, reinsert_after=False,
    secrets=(), certificates=(), offers=(), purchase_url=None,
)  # fmt: skip
OVER = frozenset({"window-not-open", "certificate-renewed"})  # what the office says of a new certificate
RECENT = timedelta(days=7)  # within which a renewal that was cut off at its very end is taken up again
ASKED = frozenset({SecretKind.PIN, SecretKind.PUK})
FLOWS = frozenset({ENROLL, EXTEND})


@dataclass(frozen=True, slots=True)
class Desk:
    """The three ports a run speaks to, the instant it began (aware UTC), and where locks on cards lie.

    `locks` None means the system's folder for temporary files.
    """

    card: Card
    screen: Screen
    office: Office
    now: datetime
    locks: Path | None = None


@dataclass(frozen=True, slots=True)
class Leftover:
    """An old certificate still on the card although its successor is installed and the renewal is complete."""

    view: CardView
    old: CardCertificate
    successor: ObjectName


def scan_cards(card: Card, office: Office) -> tuple[Scanned, ...]:
    """Read every card and ask the office about each; raises NoCard, and ClientOutdated before anything is asked."""
    views = card.scan()
    _require_current(office.capabilities())
    return tuple(_judged(view, office) for view in views)


def _judged(view: CardView, office: Office) -> Scanned:
    """Ask the office; a serial that it has no place for is told here, because signed texts must name it as it is."""
    if not SERIAL.fullmatch(view.serial):
        LOG.warning("the card's serial has an unknown form")
        return Scanned(replace(view, final="serial-unusable"), UNASKED)
    return Scanned(view, office.scan(_without_broken(view)))


def _without_broken(view: CardView) -> CardView:
    """Leave out what is no certificate: the office would refuse the whole card for it; the log names it."""
    whole = certificates.readable(view.certificates)
    for each in set(view.certificates) - set(whole):
        LOG.warning("certificate object %s is unreadable and was skipped", each.id.hex() or "without id")
    return replace(view, certificates=whole)


def _require_current(capabilities: Capabilities | None) -> None:
    """Refuse to begin what the office will refuse to go on with; an older office that names no minimum serves all."""
    if capabilities and _version(__version__) < _version(capabilities.minimum):
        raise ClientOutdated(download=capabilities.download, minimum=capabilities.minimum)


def newer_version(office: Office) -> Capabilities | None:
    """Return what the office says of a version above ours, where it also says where to get it; None otherwise."""
    known = office.capabilities()
    if known is None or known.download is None or _version(known.current) <= _version(__version__):
        return None
    return known


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise Distrusted("answer-malformed", operation="version")
    return tuple(int(part) for part in parts)


def choose_renewal(screen: Screen, scanned: Sequence[Scanned]) -> tuple[Scanned, Offer]:
    """Return the one renewal meant, asking only where there are several.

    Raises NotRenewable, InputNeeded, and ClientOutdated for a flow that this version does not know.
    """
    choices = [(each, offer) for each in scanned for offer in each.offers]
    if not choices:
        raise not_renewable(scanned)
    index = 0 if len(choices) == 1 else screen.choose([Choice(each.view, offer) for each, offer in choices])
    if index is None:
        raise InputNeeded("choice-needed")
    chosen, offer = choices[index]
    if offer.flow not in FLOWS or not set(chosen.answer.secrets) <= ASKED:
        raise ClientOutdated
    return chosen, offer


def leftovers(scanned: Sequence[Scanned]) -> tuple[Leftover, ...]:
    """Find what a run cut off after completion left to delete: the office calls it renewed, our label says replaced."""
    return tuple(
        Leftover(each.view, old, name)
        for each in scanned
        if each.view.replaces is not False and not each.final and not each.answer.offers
        for verdict in each.answer.certificates
        if verdict.verdict is Verdict.ALREADY_RENEWED and verdict.slot
        for old in each.view.certificates
        if old.fingerprint == verdict.fingerprint
        for name in [_successor_of(each.view, old, verdict.slot)]
        if name
    )


def finished(scanned: Sequence[Scanned], now: datetime) -> CardView | None:
    """Return a card whose renewal was completed these days and on which nothing of the old pair is left.

    So ends a run after the card's last deletion took effect and was answered by an error, or by nothing. Call it where
    there are no offers and no `leftovers`.
    """
    done = (each.view for each in scanned if each.view.replaces is not False and not each.final)
    return next((view for view in done if any(_is_recent(each, now) for each in _known(view, scanned))), None)


def _known(view: CardView, scanned: Sequence[Scanned]) -> list[CardCertificate]:
    """What the office knows as the outcome of a renewal that is over."""
    answers = (verdict for each in scanned if each.view is view for verdict in each.answer.certificates)
    over = {each.fingerprint for each in answers if each.code in OVER}
    return [each for each in certificates.readable(view.certificates) if each.fingerprint in over]


def _is_recent(held: CardCertificate, now: datetime) -> bool:
    """Tell whether our renewal wrote it in place of another, not long ago."""
    name, began = read_label(held.label), certificates.load(held.der).not_valid_before_utc
    return name is not None and name.replaces and name.id == held.id and now - began < RECENT


def _successor_of(view: CardView, old: CardCertificate, slot: Slot) -> ObjectName | None:
    before = certificates.load(old.der)
    for each in certificates.readable(view.certificates):
        name = read_label(each.label)
        if name is None or name.slot is not slot or not name.replaces or name.id != each.id or each.id == old.id:
            continue
        after = certificates.load(each.der)
        same = certificates.tax_code(after) == certificates.tax_code(before)
        if same and after.not_valid_after_utc > before.not_valid_after_utc:
            return name
    return None


def open_session(desk: Desk, view: CardView, offer: Offer, pin: Secret) -> Case:
    """Sign the office's login text with the old login key and return the case; raises Distrusted for anything odd."""
    login = old_certificate(view, offer.login_with)
    _require_login_key(view, login)
    key = pairs.key_of(desk.card.keys(), login)
    challenge = desk.office.challenge(view.serial, login.fingerprint)
    data = texts.require_login_text(challenge, host=desk.office.host, card=view.serial, now=desk.now)
    signature = desk.card.sign(key.ref, data, pin)
    certificates.require_signature(certificates.spki(certificates.load(login.der)), data, signature)
    case = desk.office.open_session(challenge.id, signature)
    texts.require_case_names(host=case.host, nonce=case.nonce, card=case.card_serial, case=case.code)
    if case.host != desk.office.host or case.card_serial != view.serial:
        raise Distrusted("text-refused", operation="case")
    # A case belongs to one card and to the very certificates it renews; none of them may be another card's.
    for slot in case.slots:
        old_certificate(view, slot.old_certificate)
    return case


def old_certificate(view: CardView, fingerprint: str) -> CardCertificate:
    """Return the certificate of this card that the office names; raises Distrusted when the card has no such one."""
    for each in view.certificates:
        if each.fingerprint == fingerprint:
            return each
    raise Distrusted("certificate-unknown-here")


def _require_login_key(view: CardView, login: CardCertificate) -> None:
    """The signature key signs a challenge only where the card has no other."""
    slots = {certificates.slot_of(certificates.load(each.der)) for each in certificates.readable(view.certificates)}
    if certificates.slot_of(certificates.load(login.der)) is Slot.SIGNATURE and Slot.AUTHENTICATION in slots:
        raise Distrusted("text-refused", operation="login-key")
