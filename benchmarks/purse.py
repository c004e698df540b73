"""The cards of a benchmark as they travel from the process that registers them to the one that uses them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

SLOTS = ("authentication", "signature")


@dataclass(frozen=True)
class Card:
    """A registered card: what identifies it, its old keys, and the new ones with their requests, by slot."""

    serial: str
    fingerprint: str
    old_keys: dict[str, rsa.RSAPrivateKey]
    new_keys: dict[str, rsa.RSAPrivateKey]
    requests: dict[str, bytes]


def sign(key: rsa.RSAPrivateKey, text: bytes) -> bytes:
    """Sign as a card does: PKCS #1 v1.5 with SHA-256."""
    return key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def spki(key: rsa.RSAPrivateKey) -> bytes:
    """Encode the public half (DER)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def request_for(key: rsa.RSAPrivateKey) -> bytes:
    """Make a certificate request (DER); its subject is not looked at."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "holder.example.org")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def write(cards: Iterable[Card], path: Path) -> None:
    """Write cards with their private keys; the folder is the run's own and private."""
    rows = [
        {
            "serial": card.serial,
            "fingerprint": card.fingerprint,
            "old_keys": {slot: _text(_private(key)) for slot, key in card.old_keys.items()},
            "new_keys": {slot: _text(_private(key)) for slot, key in card.new_keys.items()},
            "requests": {slot: _text(der) for slot, der in card.requests.items()},
        }
        for card in cards
    ]
    path.touch(mode=0o600)
    path.write_text(json.dumps(rows))


def read(path: Path) -> list[Card]:
    """Read what `write` wrote."""
    return [
        Card(
            serial=row["serial"],
            fingerprint=row["fingerprint"],
            old_keys={slot: _loaded(text) for slot, text in row["old_keys"].items()},
            new_keys={slot: _loaded(text) for slot, text in row["new_keys"].items()},
            requests={slot: base64.b64decode(text) for slot, text in row["requests"].items()},
        )
        for row in json.loads(path.read_text())
    ]


def _private(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _loaded(text: str) -> rsa.RSAPrivateKey:
    key = load_der_private_key(base64.b64decode(text), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(text[:0] or "an RSA key was written")
    return key


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
