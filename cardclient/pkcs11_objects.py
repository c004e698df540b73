"""Reading what a PKCS#11 token tells of itself and of its objects, tolerant of the little that some tokens tell."""

from __future__ import annotations

from typing import Any

from asn1crypto import core
from asn1crypto import keys as asn1
from pkcs11 import Attribute, KeyType, TokenFlag
from pkcs11 import exceptions as kinds
from pkcs11.types import Object, Token

from cardclient.ports import CodeState

BARE_POINTS = (65, 97)  # 04 x y of P-256 and P-384; two bytes longer when wrapped in an OCTET STRING


def serial_of(token: Token) -> str:
    """Serial number of a token as text, without padding."""
    return bytes(token.serial).decode("ascii", "replace").strip().strip("\0")


def code_state(flags: TokenFlag, names: tuple[TokenFlag, TokenFlag, TokenFlag]) -> CodeState:
    """What the flags locked, final try and count low say together."""
    locked, final, low = names
    if flags & locked:
        return CodeState.LOCKED
    if flags & final:
        return CodeState.LAST_TRY
    return CodeState.TRIED if flags & low else CodeState.OK


def _read_attribute(each: Object, attribute: Attribute) -> Any:
    """Read an attribute; None where the token does not know or does not tell it."""
    try:
        return each[attribute]
    except (kinds.AttributeTypeInvalid, kinds.AttributeSensitive, kinds.FunctionFailed):
        return None


def octets(each: Object, attribute: Attribute) -> bytes:
    """An attribute as bytes; empty where the token does not tell it."""
    return bytes(_read_attribute(each, attribute) or b"")


def text(each: Object, attribute: Attribute) -> str:
    """An attribute as text; empty where the token does not tell it."""
    return str(_read_attribute(each, attribute) or "")


def is_set(each: Object, attribute: Attribute) -> bool:
    """A boolean attribute; False where the token does not tell it."""
    return bool(_read_attribute(each, attribute))


def spki(each: Object) -> bytes | None:
    """SubjectPublicKeyInfo of a key object, from the modulus (RSA, either half) or the point (EC, public half)."""
    key_type = _read_attribute(each, Attribute.KEY_TYPE)
    if key_type is KeyType.RSA:
        modulus, exponent = octets(each, Attribute.MODULUS), octets(each, Attribute.PUBLIC_EXPONENT)
        if not modulus or not exponent:
            return None
        numbers = {"modulus": int.from_bytes(modulus), "public_exponent": int.from_bytes(exponent)}
        return bytes(asn1.PublicKeyInfo.wrap(asn1.RSAPublicKey(numbers), "rsa").dump())
    if key_type is KeyType.EC:
        return _ec_spki(octets(each, Attribute.EC_PARAMS), octets(each, Attribute.EC_POINT))
    return None


def _ec_spki(parameters: bytes, point: bytes) -> bytes | None:
    """Join curve and point; the point is an OCTET STRING by the standard, bare on some cards."""
    if not parameters or not point:
        return None
    bare = point if len(point) in BARE_POINTS else core.OctetString.load(point).native
    algorithm = {"algorithm": "ec", "parameters": asn1.ECDomainParameters.load(parameters)}
    return bytes(asn1.PublicKeyInfo({"algorithm": algorithm, "public_key": asn1.ECPointBitString(bare)}).dump())
