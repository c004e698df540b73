"""What a card's own manager does, for one card: change the PIN, open a locked one with the PUK, show the content.

Each call speaks to the card whose serial it is given, ends its login, and leaves nothing half done: whatever is refused
before the card has seen a code costs no try.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cardclient.content import ContentEntry, content_of
from cardclient.errors import NoCard, PinLength
from cardclient.new_pin import KnownNumbers, require_new_pin
from cardclient.ports import Card, CardView, CodeLengths, SecretKind
from cardclient.secret import Secret


def cards_present(card: Card) -> tuple[CardView, ...]:
    """Read every card without PIN; an empty tuple where there is none."""
    try:
        return card.scan()
    except NoCard:
        return ()


def change_pin(card: Card, serial: str, pin: Secret, new_pin: Secret) -> CardView:
    """Replace the PIN by one that is not easily guessed; raises WrongPin, PinLocked, PinLength, AnotherCard."""
    with _chosen(card, serial) as view:
        require_plausible(pin, SecretKind.PIN, view.lengths)
        require_new_pin(new_pin, _known(view), view.lengths.new_pin, others=[pin])
        card.change_pin(pin, new_pin)
        return card.view()


def unblock_pin(card: Card, serial: str, puk: Secret, new_pin: Secret) -> CardView:
    """Open a locked (or forgotten) PIN with the PUK; raises WrongPuk, PukLocked, PinLength, AnotherCard."""
    with _chosen(card, serial) as view:
        require_plausible(puk, SecretKind.PUK, view.lengths)
        require_new_pin(new_pin, _known(view), view.lengths.new_pin, others=[puk])
        card.unblock(puk, new_pin)
        return card.view()


def read_content(card: Card, serial: str, pin: Secret, *, now: datetime) -> tuple[ContentEntry, ...]:
    """Show certificates and keys after the PIN; raises WrongPin, PinLocked, PinLength, AnotherCard."""
    with _chosen(card, serial) as view:
        require_plausible(pin, SecretKind.PIN, view.lengths)
        card.login(pin)
        return content_of(view, card.keys(), now=now)


def require_plausible(code: Secret, kind: SecretKind, lengths: CodeLengths) -> None:
    """Refuse what the card cannot take, before it may count as a try; raises PinLength with the kind as operation."""
    text = code.reveal()
    if not lengths.of(kind).allow(code) or not text.isascii() or not text.isprintable():
        raise PinLength(operation=kind.value)


@contextmanager
def _chosen(card: Card, serial: str) -> Iterator[CardView]:
    """Speak to this very card, and log out at the end whatever happened."""
    card.choose(serial)
    try:
        yield card.view()
    finally:
        card.close()


def _known(view: CardView) -> KnownNumbers:
    return KnownNumbers.of_card([each.der for each in view.certificates], view.serial)
