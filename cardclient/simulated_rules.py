"""What a simulated card shows and how it counts codes: the rules of the card's own system, over its stored state."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import xor
from pathlib import Path

from cardclient import simulated_keys
from cardclient.errors import PinLength, PinLocked, PukLocked, WrongPin, WrongPuk
from cardclient.ports import CardCertificate, CardKey, CardView, ObjectKind, ObjectRef
from cardclient.readers.families import known
from cardclient.readers.verdicts import NOT_PERSONALISED, verdict
from cardclient.secret import Secret
from cardclient.simulated_state import State, StoredObject

OTHER_ATR = "3BFF1800008131FE55006B02090703010101434E5310318066"  # a public card of none of the guide's families
INTERFACE_BYTES = "3BFF1800008131FE45"
SHORTEST_CODE, LONGEST_CODE = 5, 8


def atr_of(family: str) -> str:
    """Return an ATR of a family, hexadecimal: a public card's where one is known, else one that fits its pattern."""
    guess = known().named(family)
    if guess is None:
        return OTHER_ATR
    first = guess.families[0]
    return first.atrs[0] if first.atrs else _made_up(first.historical[0].replace(".", "0"))


def _made_up(historical: str) -> str:
    """Put interface bytes before, and after the check byte that makes all but the first XOR to 0 (ISO/IEC 7816-3)."""
    body = bytes.fromhex(INTERFACE_BYTES + historical)
    return (body + bytes([reduce(xor, body[1:])])).hex().upper()


def reader_name(path: Path) -> str:
    """Name the reader in which the card of a file lies."""
    return f"simulator {path.name}"


def view_of(state: State, reader: str) -> CardView:
    """Read what a card shows without PIN, with the verdicts a driver that tells everything would allow."""
    shown = state.of(ObjectKind.CERTIFICATE) if state.personalised else []
    view = CardView(
        serial=state.serial,
        atr=bytes.fromhex(state.atr),
        label=state.label,
        reader=reader,
        pin=state.pin.state,
        puk=state.puk.state,
        certificates=tuple(_certificate(each, is_readable=state.readable) for each in shown),
        replaces=state.replaces,
        driver="simulator",
    )
    guess = known().by_atr(view.atr)
    final = verdict(view, guess, tells_puk_lock=True) if state.personalised else NOT_PERSONALISED
    lengths = guess.lengths if guess else view.lengths
    return replace(view, family=guess.name if guess else None, final=final, lengths=lengths)


def _certificate(stored: StoredObject, *, is_readable: bool) -> CardCertificate:
    der = stored.der if is_readable else b"\xff" * 8 + stored.der[8:]
    return CardCertificate(bytes.fromhex(stored.id), stored.label, der)


def require_length(code: Secret) -> None:
    """Refuse a code of impossible length before it counts as a try; raises PinLength."""
    if not SHORTEST_CODE <= len(code.reveal()) <= LONGEST_CODE:
        raise PinLength


def spend_pin(state: State, pin: Secret) -> None:
    """Compare and count a PIN; raises WrongPin, PinLocked, PinLength."""
    require_length(pin)
    if state.pin.is_locked:
        raise PinLocked
    if not state.pin.accepts(pin):
        raise PinLocked if state.pin.is_locked else WrongPin


def spend_puk(state: State, puk: Secret) -> None:
    """Compare and count a PUK; raises WrongPuk, PukLocked, PinLength."""
    if state.puk.is_locked:
        raise PukLocked
    require_length(puk)
    if not state.puk.accepts(puk):
        raise PukLocked if state.puk.is_locked else WrongPuk


def matching(state: State, ref: ObjectRef) -> list[StoredObject]:
    """Return the objects a reference names."""
    found = [each for each in state.of(ref.kind) if each.id == ref.id.hex()]
    return [each for each in found if ref.digest is None or each.digest == ref.digest.hex()]


def public_key_of(stored: StoredObject) -> CardKey:
    """Show a key object as the card does."""
    is_public = stored.kind == ObjectKind.PUBLIC_KEY
    spki = stored.der if is_public else simulated_keys.spki_of(simulated_keys.read(stored.der))
    return CardKey(ObjectKind(stored.kind), bytes.fromhex(stored.id), stored.label, spki)
