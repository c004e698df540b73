"""Work on the card that may be cut off anywhere and is simply done again: each function looks, then does what lacks.

Rules (tried against faults before and after every effect): half a pair is destroyed and made again; a pair that is
there is used, never doubled (tokens would allow a second); another certificate under the new id is replaced; deletion
comes last, and the old certificate goes after its keys because it is the name by which a rerun finds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from cardclient import certificates
from cardclient.errors import CardError, CardUpdateError
from cardclient.naming import ObjectName
from cardclient.ports import Card, CardCertificate, CardKey, KeyKind, ObjectKind, ObjectRef


def key_of(keys: Sequence[CardKey], certificate: CardCertificate, kind: ObjectKind = ObjectKind.PRIVATE_KEY) -> CardKey:
    """Return the key that belongs to a certificate: by public key where the card tells it, else by CKA_ID.

    Raises CardError key-missing or objects-ambiguous.
    """
    public = certificates.spki(certificates.load(certificate.der))
    candidates = [key for key in keys if key.kind is kind]
    found = [key for key in candidates if key.spki == public]
    if len(found) > 1:
        found = [key for key in found if key.id == certificate.id]
    if not found:
        found = [key for key in candidates if key.spki is None and key.id == certificate.id]
    if not found:
        raise CardError("key-missing")
    if len(found) > 1:
        raise CardError("objects-ambiguous")
    return found[0]


def complete_pair(keys: Sequence[CardKey], name: ObjectName) -> bytes | None:
    """Return the public key (SPKI) of the one complete pair under this name, or None when there is none or a half.

    Raises CardError("objects-ambiguous") for more than one.
    """
    mine = [key for key in keys if key.id == name.id]
    private = [key for key in mine if key.kind is ObjectKind.PRIVATE_KEY]
    public = [key for key in mine if key.kind is ObjectKind.PUBLIC_KEY]
    if len(private) > 1 or len(public) > 1:
        raise CardError("objects-ambiguous")
    if not private or not public or public[0].spki is None:
        return None
    if private[0].spki is not None and private[0].spki != public[0].spki:
        return None
    return public[0].spki


def ensure_pair(
    card: Card, name: ObjectName, kind: KeyKind, *, requested: bool, still_unknown: Callable[[], bool]
) -> bytes:
    """Return the public key of the pair under this name, generating it only if there is none (or half of one).

    A pair the office already knows (`requested`) is never destroyed: if it is not whole, raises key-lost. Before
    anything is destroyed the office is asked once more (`still_unknown`): another program may have gone on meanwhile.
    """
    keys = card.keys()
    if requested or not _is_doubled(keys, name):
        found = complete_pair(keys, name)
        if found is not None and certificates.key_kind(found) == kind:
            return found
    left = [key for key in keys if key.id == name.id]
    if requested or (left and not still_unknown()):
        raise CardUpdateError("key-lost")
    for key in left:
        card.remove(key.ref)
    made = card.generate(name.id, name.label, kind)
    if complete_pair(card.keys(), name) != made:
        raise CardUpdateError("card-update", operation="generate")
    return made


def _is_doubled(keys: Sequence[CardKey], name: ObjectName) -> bool:
    """Whether two programs at once made a pair each; as long as the office knows neither, both may go."""
    mine = [key.kind for key in keys if key.id == name.id]
    return len(mine) > len(set(mine))


def write_certificate(card: Card, name: ObjectName, der: bytes) -> None:
    """Have exactly this certificate under the name, and read it back; raises CardUpdateError when the card differs."""
    present = [each for each in card.view().certificates if each.id == name.id]
    for each in present:
        if each.der != der:
            card.remove(each.ref)
    if not any(each.der == der for each in present):
        card.install(name.id, name.label, der)
    if [each.der for each in card.view().certificates if each.id == name.id] != [der]:
        raise CardUpdateError("card-update", operation="read-back")


def remove_replaced(card: Card, old: CardCertificate, successor: ObjectName) -> None:
    """Delete private key, public key and certificate of the old pair, provided its successor is complete.

    May run again after any interruption. Raises CardUpdateError; objects named like the successor are never touched.
    """
    keys = card.keys()
    written = [each for each in card.view().certificates if each.id == successor.id]
    pair = complete_pair(keys, successor)
    if pair is None or not written or old.id == successor.id:
        raise CardUpdateError("old-objects-left", operation="successor-missing")
    if pair not in {certificates.spki(certificates.load(each.der)) for each in certificates.readable(written)}:
        raise CardUpdateError("old-objects-left", operation="successor-differs")
    for kind in (ObjectKind.PRIVATE_KEY, ObjectKind.PUBLIC_KEY):
        _remove_key(card, keys, old, kind)
    card.remove(old.ref)


def _remove_key(card: Card, keys: Sequence[CardKey], old: CardCertificate, kind: ObjectKind) -> None:
    try:
        key = key_of(keys, old, kind)
    except CardError as problem:
        if problem.code != "key-missing":
            raise
        return
    card.remove(key.ref)


def private_ref(name: ObjectName, public_key: bytes) -> ObjectRef:
    """Name the private key of a new pair."""
    return ObjectRef(ObjectKind.PRIVATE_KEY, name.id, hashlib.sha256(public_key).digest())
