"""The cards a PKCS#11 module shows, read without PIN; runs inside the card process only."""

from __future__ import annotations

from typing import Any

from pkcs11 import Attribute, ObjectClass, TokenFlag
from pkcs11 import exceptions as kinds
from pkcs11.types import Object, Session, Slot, Token

from cardclient.pkcs11_objects import code_state, octets, serial_of, text
from cardclient.ports import CardCertificate, CardView, ReaderState

USER = (TokenFlag.USER_PIN_LOCKED, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_COUNT_LOW)
OFFICER = (TokenFlag.SO_PIN_LOCKED, TokenFlag.SO_PIN_FINAL_TRY, TokenFlag.SO_PIN_COUNT_LOW)
NOT_PERSONALISED = "card-not-personalised"


def reader_states(library: Any) -> tuple[ReaderState, ...]:
    """Tell a module's readers and whether they hold a card, without speaking to one; a module does not tell the ATR."""
    present = {slot.slot_id for slot in library.get_slots(token_present=True)}
    every: list[Slot] = library.get_slots()
    return tuple(ReaderState(slot.slot_description.strip(), b"" if slot.slot_id in present else None) for slot in every)


def tokens_present(library: Any, only: int | None) -> list[Token]:
    """Return the cards in the readers, or the one at a position among them.

    An uninitialised token without a serial number is a software token's empty place and no card.
    """
    slots: list[Slot] = library.get_slots(token_present=True)
    if only is not None:
        slots = slots[only : only + 1]
    tokens = []
    for slot in slots:
        try:
            token = slot.get_token()
        except (kinds.TokenNotPresent, kinds.TokenNotRecognised):
            continue
        if token.flags & TokenFlag.TOKEN_INITIALIZED or serial_of(token):
            tokens.append(token)
    return tokens


def read_card(token: Token, session: Session | None) -> CardView:
    """Read flags and certificates, in the session of a login where there is one.

    A card that holds neither certificate nor PIN, or is not initialised, is what the card managers call
    "Non Personalizzata" (SogeiExtend §3): it opens no session worth having.
    """
    if not token.flags & TokenFlag.TOKEN_INITIALIZED:
        return _view(token, (), NOT_PERSONALISED)
    if session is not None:
        certificates = _certificates(session)
    else:
        with token.open() as reading:
            certificates = _certificates(reading)
    is_bare = not certificates and not token.flags & TokenFlag.USER_PIN_INITIALIZED
    return _view(token, certificates, NOT_PERSONALISED if is_bare else None)


def objects(session: Session, wanted: dict[Attribute, Any]) -> list[Object]:
    """Run a search to its end, so that no open search is left behind."""
    return list(session.get_objects(wanted))


def _view(token: Token, certificates: tuple[CardCertificate, ...], final: str | None) -> CardView:
    return CardView(
        serial=serial_of(token),
        atr=None,
        label=token.label.strip(),
        reader=token.slot.slot_description.strip(),
        pin=code_state(token.flags, USER),
        puk=code_state(token.flags, OFFICER),
        certificates=certificates,
        final=final,
    )


def _certificates(session: Session) -> tuple[CardCertificate, ...]:
    return tuple(
        CardCertificate(octets(each, Attribute.ID), text(each, Attribute.LABEL), octets(each, Attribute.VALUE))
        for each in objects(session, {Attribute.CLASS: ObjectClass.CERTIFICATE})
    )
