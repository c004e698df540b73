"""From a card in the reader to an open session: scan, choice, codes, and the challenge the old key signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cardclient import certificates, pairs, texts
from cardclient.contract import Case, Offer, ScanAnswer, Slot, Verdict
from cardclient.errors import (
    CardError,
    Declined,
    Distrusted,
    InputNeeded,
    NotRenewable,
    PinLength,
    PinLocked,
    WrongPin,
    WrongPuk,
)
from cardclient.naming import ObjectName, read_label
from cardclient.ports import Card, CardCertificate, CardView, Choice, CodeState, Notice, Office, Screen, SecretKind
from cardclient.secret import Secret

LONGEST_CODE = 16
SHORTEST_NEW_PIN, LONGEST_NEW_PIN = 5, 8


@dataclass(frozen=True, slots=True)
class Desk:
    """The three ports a run speaks to, and the instant it began (aware UTC)."""

    card: Card
    screen: Screen
    office: Office
    now: datetime


@dataclass(frozen=True, slots=True)
class Scanned:
    """A card and what the office says of it."""

    view: CardView
    answer: ScanAnswer


@dataclass(frozen=True, slots=True)
class Leftover:
    """An old certificate still on the card although its successor is installed and the renewal is complete."""

    view: CardView
    old: CardCertificate
    successor: ObjectName


def scan_cards(card: Card, office: Office) -> tuple[Scanned, ...]:
    """Read every card and ask the office about each; raises NoCard."""
    return tuple(Scanned(view, office.scan(view)) for view in card.scan())


def choose_renewal(screen: Screen, scanned: Sequence[Scanned]) -> tuple[Scanned, Offer]:
    """Return the one renewal meant, asking only where there are several; raises NotRenewable or InputNeeded."""
    choices = [(each, offer) for each in scanned for offer in each.answer.offers]
    if not choices:
        raise _not_renewable(scanned)
    if len(choices) == 1:
        return choices[0]
    index = screen.choose([Choice(each.view, offer) for each, offer in choices])
    if index is None:
        raise InputNeeded("choice-needed")
    return choices[index]


def _not_renewable(scanned: Sequence[Scanned]) -> NotRenewable:
    """Speak of the card that comes nearest: already renewed, then expired, then the rest."""
    order = [Verdict.RENEWABLE, Verdict.ALREADY_RENEWED, Verdict.EXPIRED, Verdict.NOT_RENEWABLE]
    answer = min((each.answer for each in scanned), key=lambda each: order.index(each.verdict))
    verdict = Verdict.NOT_RENEWABLE if answer.verdict is Verdict.RENEWABLE else answer.verdict
    return NotRenewable(answer.code or verdict.value, message=answer.message, advice=answer.advice)


def leftovers(scanned: Sequence[Scanned]) -> tuple[Leftover, ...]:
    """Find what a run cut off after completion left to delete: the office calls it renewed, our label says replaced."""
    return tuple(
        Leftover(each.view, old, name)
        for each in scanned
        if each.view.replaces is not False and not each.answer.offers
        for verdict in each.answer.certificates
        if verdict.verdict is Verdict.ALREADY_RENEWED and verdict.slot
        for old in each.view.certificates
        if old.fingerprint == verdict.fingerprint
        for name in [_successor_of(each.view, old, verdict.slot)]
        if name
    )


def _successor_of(view: CardView, old: CardCertificate, slot: Slot) -> ObjectName | None:
    before = certificates.load(old.der)
    for each in view.certificates:
        name = read_label(each.label)
        if name is None or name.slot is not slot or not name.replaces or name.id != each.id or each.id == old.id:
            continue
        after = certificates.load(each.der)
        same = certificates.tax_code(after) == certificates.tax_code(before)
        if same and after.not_valid_after_utc > before.not_valid_after_utc:
            return name
    return None


def enter_pin(desk: Desk, view: CardView) -> Secret:
    """Log in with the PIN the holder gives; say "last try" before it is used, explain a lock, never try one unasked.

    Raises WrongPin, PinLocked, PinLength when the holder gives up, Declined when he spares the last try.
    """
    state, problem = view.pin, None
    while True:
        _warn(desk.screen, SecretKind.PIN, state)
        pin = desk.screen.ask_secret(SecretKind.PIN, problem.code if problem else None)
        if pin is None:
            raise problem or InputNeeded("pin-needed")
        try:
            _require_plausible(pin)
            desk.card.login(pin)
        except (WrongPin, PinLength) as wrong:
            problem, state = wrong, desk.card.view().pin
        except PinLocked:
            desk.screen.say(Notice("pin-locked"))
            if not desk.screen.wants_unblock():
                raise
            # The PIN the holder has just chosen; logging in with it is no guess.
            pin = unblock(desk)
            desk.card.login(pin)
            return pin
        else:
            return pin


def enter_puk(desk: Desk) -> None:
    """Check the PUK for families that need it; raises WrongPuk, PukLocked, Declined. Ends the card's login."""
    problem: CardError | None = None
    while True:
        _warn(desk.screen, SecretKind.PUK, desk.card.view().puk)
        puk = desk.screen.ask_secret(SecretKind.PUK, problem.code if problem else None)
        if puk is None:
            raise problem or InputNeeded("puk-needed")
        try:
            _require_plausible(puk)
            desk.card.verify_puk(puk)
        except (WrongPuk, PinLength) as wrong:
            problem = wrong
        else:
            return


def unblock(desk: Desk) -> Secret:
    """Open a locked PIN with the PUK and a PIN the holder chooses; returns the new PIN. Raises WrongPuk, PukLocked."""
    problem: CardError | None = None
    while True:
        _warn(desk.screen, SecretKind.PUK, desk.card.view().puk)
        puk = desk.screen.ask_secret(SecretKind.PUK, problem.code if problem else None)
        new_pin = desk.screen.ask_secret(SecretKind.NEW_PIN, None) if puk else None
        if puk is None or new_pin is None:
            raise problem or PinLocked
        try:
            _require_plausible(puk)
            _require_new_pin(new_pin)
            desk.card.unblock(puk, new_pin)
        except (WrongPuk, PinLength) as wrong:
            problem = wrong
        else:
            desk.screen.say(Notice("pin-unblocked"))
            return new_pin


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
    return case


def old_certificate(view: CardView, fingerprint: str) -> CardCertificate:
    """Return the certificate of this card that the office names; raises Distrusted when the card has no such one."""
    for each in view.certificates:
        if each.fingerprint == fingerprint:
            return each
    raise Distrusted("certificate-unknown-here")


def _require_login_key(view: CardView, login: CardCertificate) -> None:
    """The signature key signs a challenge only where the card has no other."""
    slots = {certificates.slot_of(certificates.load(each.der)) for each in view.certificates}
    if certificates.slot_of(certificates.load(login.der)) is Slot.SIGNATURE and Slot.AUTHENTICATION in slots:
        raise Distrusted("text-refused", operation="login-key")


def _warn(screen: Screen, kind: SecretKind, state: CodeState) -> None:
    if state is CodeState.LAST_TRY:
        screen.say(Notice(f"{kind}-last-try"))
        if not screen.confirm_last_try(kind):
            raise Declined(f"{kind}-last-try")
    elif state is CodeState.LOCKED:
        # Some drivers report a lock before any try: warn on the flag, believe only the card's own refusal.
        screen.say(Notice(f"{kind}-maybe-locked"))
    elif state is CodeState.TRIED:
        screen.say(Notice(f"{kind}-tried"))


def _require_plausible(code: Secret) -> None:
    """Refuse what no card takes, before a driver may count it as a try."""
    text = code.reveal()
    if not 4 <= len(text) <= LONGEST_CODE or not text.isascii() or not text.isprintable():
        raise PinLength


def _require_new_pin(code: Secret) -> None:
    """A new PIN has 5 to 8 digits and is neither one digit repeated nor a run of neighbours."""
    text = code.reveal()
    if not (text.isascii() and text.isdecimal() and SHORTEST_NEW_PIN <= len(text) <= LONGEST_NEW_PIN):
        raise PinLength
    steps = {int(after) - int(before) for before, after in pairwise(text)}
    if steps in ({0}, {1}, {-1}):
        raise PinLength("pin-weak")
