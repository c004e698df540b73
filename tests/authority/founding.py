"""A CA for tests: one real ceremony per session and key type, its rows put back quickly for each test after that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from authority.models import CertificationAuthority, Crl, OcspSigner, SigningKey
from authority.services import ceremony, publication

VALID_FROM = datetime(2016, 1, 1, tzinfo=UTC)
FOUNDED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class _Rows:
    keys: list[SigningKey]
    authorities: list[CertificationAuthority]
    signers: list[OcspSigner]
    crls: dict[datetime, list[Crl]]


_held: dict[str, _Rows] = {}


def found(key_type: str = "rsa-2048", *, at: datetime = FOUNDED) -> None:
    """Put a CA with published CRLs into the (empty) database."""
    if key_type in _held:
        authorities = _put_back(_held[key_type])
    else:
        ceremony.hold_ceremony(key_type=key_type, valid_from=VALID_FROM, at=at)
        rows = (list(model.objects.order_by("pk")) for model in (SigningKey, CertificationAuthority, OcspSigner))
        _held[key_type] = _Rows(*rows, {})
        authorities = {row.pk: row for row in _held[key_type].authorities}
    _publish(_held[key_type].crls, authorities, at)


def _publish(
    crls: dict[datetime, list[Crl]], authorities: dict[int | None, CertificationAuthority], at: datetime
) -> None:
    """Sign the first lists once for each instant; they are the same for every test."""
    if at in crls:
        for row in crls[at]:
            _copy(row, issuer=authorities[row.issuer_id])
        return
    originals = {row.pk: original for original, row in authorities.items()}
    for row in authorities.values():
        Crl.objects.get_or_create(issuer=row, year=None)
    publication.publish_due(at)
    crls[at] = list(Crl.objects.order_by("pk"))
    for row in crls[at]:
        row.issuer_id = originals[row.issuer_id]


def _put_back(rows: _Rows) -> dict[int | None, CertificationAuthority]:
    """Insert the rows again; returns the CAs by the number that they had first."""
    keys = {row.pk: _copy(row) for row in rows.keys}
    authorities: dict[int | None, CertificationAuthority] = {}
    for row in rows.authorities:
        authorities[row.pk] = _copy(row, key=keys[row.key_id], issuer=authorities.get(row.issuer_id))
    for row in rows.signers:
        _copy(row, key=keys[row.key_id], authority=authorities[row.authority_id])
    return authorities


def _copy(row, **links):
    fields = {field.name: getattr(row, field.attname) for field in row._meta.fields if not field.is_relation}
    return type(row).objects.create(**{**fields, "id": None, **links})
