"""*Prova la carta*: every key of the card signs a text of its own; chain and status of its certificate are looked up.

The text begins with its own label, so that no signature made here can be taken for a login, a request or an
installation (`texts.py`), and it is made here: nobody chooses what is signed. Nothing on the card is changed.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from cardclient import certificates, pairs
from cardclient.content import LAST_SECOND
from cardclient.contract import Slot
from cardclient.errors import CardError
from cardclient.ports import Card, CardCertificate, CardKey, CardView
from cardclient.secret import Secret
from cardclient.support.status import Chain, Standing, Status, Web, standing

LOG = logging.getLogger("cardclient.support")
LABEL = "Sigillo card check v1"
OK = "ok"


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What came of one certificate: `signature` is `ok` or the code of what failed; `standing` None when unreadable.

    `milliseconds` is how long the card took to sign. Names no person: `serial` is the certificate's, hexadecimal.
    """

    serial: str
    slot: Slot | None
    signature: str
    milliseconds: int | None
    valid: bool
    standing: Standing | None

    @property
    def passed(self) -> bool:
        """Whether the key signs, the certificate is in its time, and nobody says that it is revoked or held."""
        return self.signature == OK and self.valid and (self.standing is None or self.standing.stands)

    @property
    def verified(self) -> bool:
        """Whether its issuers were found and its authority says that it is good; what was not reached is not that."""
        found = self.standing
        return found is not None and found.chain is Chain.COMPLETE and found.status is Status.GOOD


def check_text(*, nonce: str, card: str, certificate: str, at: datetime) -> bytes:
    """Compose what a key signs; ASCII, its own label first, one fact a line."""
    instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = re.sub(r"[^A-Za-z0-9._-]", "?", card)
    lines = (LABEL, f"nonce: {nonce}", f"card: {shown}", f"certificate: {certificate}", f"at: {instant}")
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def check_card(
    card: Card,
    serial: str,
    pin: Secret,
    web: Web,
    *,
    now: datetime,
    told: Callable[[KeyCheck], None] = lambda _check: None,
) -> tuple[KeyCheck, ...]:
    """Try every key; raises WrongPin, PinLocked, PinLength, AnotherCard, CardRemoved. `told` hears of each at once."""
    card.choose(serial)
    try:
        view = card.view()
        card.login(pin)
        done = []
        for each in _checks(card, view, pin, web, now):
            LOG.info("card check: %s %s", each.slot, each.signature)
            told(each)
            done.append(each)
        return tuple(done)
    finally:
        card.close()


def _checks(card: Card, view: CardView, pin: Secret, web: Web, now: datetime) -> Iterator[KeyCheck]:
    keys = card.keys()
    read = [(each, _read(each)) for each in view.certificates]
    known = [certificate for _, certificate in read if certificate]
    for held, certificate in read:
        if certificate is None:
            yield KeyCheck("", None, "certificate-unreadable", None, valid=False, standing=None)
        elif not _is_authority(certificate):
            signature, milliseconds = _try(card, view, keys, held, certificate, pin, now)
            valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc + LAST_SECOND
            found = standing(certificate, known, web, now=now)
            serial, slot = f"{certificate.serial_number:x}", certificates.slot_of(certificate)
            yield KeyCheck(serial, slot, signature, milliseconds, valid, found)


def _try(
    card: Card,
    view: CardView,
    keys: Sequence[CardKey],
    held: CardCertificate,
    certificate: x509.Certificate,
    pin: Secret,
    now: datetime,
) -> tuple[str, int | None]:
    """Sign once and check the signature; a key that fails costs only its own line."""
    nonce = secrets.token_hex(32)
    data = check_text(nonce=nonce, card=view.serial, certificate=held.fingerprint, at=now)
    try:
        key = pairs.key_of(keys, held)
        began = time.monotonic()
        signature = card.sign(key.ref, data, pin)
        milliseconds = round((time.monotonic() - began) * 1000)
        certificates.require_signature(certificates.spki(certificate), data, signature)
    except CardError as problem:
        if problem.code in {"card-removed", "card-changed", "card-absent"}:
            raise
        return problem.code, None
    return OK, milliseconds


def _read(held: CardCertificate) -> x509.Certificate | None:
    try:
        return certificates.load(held.der)
    except CardError:
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    """Cards may carry their issuer's certificate, which has no key here."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
