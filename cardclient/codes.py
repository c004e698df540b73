"""PIN and PUK as the holder gives them: asked, warned about, tried once each, explained when wrong or locked.

No code is ever tried that the holder has not just given, and none twice without asking him.
"""

from __future__ import annotations

from cardclient.errors import CardError, Declined, InputNeeded, PinLength, PinLocked, WrongPin, WrongPuk
from cardclient.new_pin import KnownNumbers, require_new_pin
from cardclient.ports import Card, CardView, CodeLengths, CodeState, Notice, Screen, SecretKind
from cardclient.secret import Secret
from cardclient.tools import require_plausible


def enter_pin(card: Card, screen: Screen, view: CardView) -> Secret:
    """Log in with the PIN the holder gives; say "last try" before it is used, explain a lock.

    Raises WrongPin, PinLocked, PinLength when the holder gives up, Declined when he spares the last try.
    """
    state, problem = view.pin, None
    while True:
        _warn(screen, SecretKind.PIN, state)
        pin = screen.ask_secret(SecretKind.PIN, problem.code if problem else None)
        if pin is None:
            raise problem or InputNeeded("pin-needed")
        try:
            require_plausible(pin, SecretKind.PIN, view.lengths)
            card.login(pin)
        except (WrongPin, PinLength) as wrong:
            problem, state = wrong, card.view().pin
        except PinLocked:
            screen.say(Notice("pin-locked"))
            if not screen.wants_unblock():
                raise
            # The PIN the holder has just chosen; logging in with it is no guess.
            pin = _unblock(card, screen, view.lengths)
            card.login(pin)
            return pin
        else:
            return pin


def enter_puk(card: Card, screen: Screen, lengths: CodeLengths) -> None:
    """Check the PUK for families that need it; raises WrongPuk, PukLocked, Declined. Ends the card's login."""
    problem: CardError | None = None
    while True:
        puk = _ask_puk(card, screen, problem)
        if puk is None:
            raise problem or InputNeeded("puk-needed")
        try:
            require_plausible(puk, SecretKind.PUK, lengths)
            card.verify_puk(puk)
        except (WrongPuk, PinLength) as wrong:
            problem = wrong
        else:
            return


def _unblock(card: Card, screen: Screen, lengths: CodeLengths) -> Secret:
    """Open a locked PIN with the PUK and a PIN the holder chooses; returns the new PIN. Raises WrongPuk, PukLocked."""
    problem: CardError | None = None
    while True:
        puk = _ask_puk(card, screen, problem)
        new_pin = _ask_new_pin(card, screen, puk) if puk else None
        if puk is None or new_pin is None:
            raise problem or PinLocked
        try:
            require_plausible(puk, SecretKind.PUK, lengths)
            card.unblock(puk, new_pin)
        except (WrongPuk, PinLength) as wrong:
            problem = wrong
        else:
            screen.say(Notice("pin-unblocked"))
            return new_pin


def _ask_puk(card: Card, screen: Screen, problem: CardError | None) -> Secret | None:
    _warn(screen, SecretKind.PUK, card.view().puk)
    return screen.ask_secret(SecretKind.PUK, problem.code if problem else None)


def _ask_new_pin(card: Card, screen: Screen, puk: Secret) -> Secret | None:
    """Ask until the new PIN is one that a finder of the card would not try first; the PUK is not used before."""
    view, problem = card.view(), None
    known = KnownNumbers.of_card([each.der for each in view.certificates], view.serial)
    while True:
        new_pin = screen.ask_secret(SecretKind.NEW_PIN, problem.code if problem else None)
        if new_pin is None:
            if problem:
                raise problem
            return None
        try:
            require_new_pin(new_pin, known, view.lengths.new_pin, others=[puk])
        except PinLength as weak:
            problem = weak
        else:
            return new_pin


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
