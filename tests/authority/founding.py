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


_held: dict[str, _Rows] = {}


def found(key_type: str = "rsa-2048", *, at: datetime = FOUNDED) -> None:
    """Put a CA with published CRLs into the (empty) database."""
    if key_type in _held:
        _put_back(_held[key_type])
        publication.ensure_crls(at)
    else:
        ceremony.hold_ceremony(key_type=key_type, valid_from=VALID_FROM, at=at)
        _held[key_type] = _Rows(
            list(SigningKey.objects.order_by("pk")),
            list(CertificationAuthority.objects.order_by("pk")),
            list(OcspSigner.objects.order_by("pk")),
        )
    publication.publish_due(at)


def _put_back(rows: _Rows) -> None:
    keys = {row.pk: _copy(row) for row in rows.keys}
    authorities: dict[int | None, CertificationAuthority] = {}
    for row in rows.authorities:
        authorities[row.pk] = _copy(row, key=keys[row.key_id], issuer=authorities.get(row.issuer_id))
        Crl.objects.create(issuer=authorities[row.pk], year=None)
    for row in rows.signers:
        _copy(row, key=keys[row.key_id], authority=authorities[row.authority_id])


def _copy(row, **links):
    fields = {field.name: getattr(row, field.attname) for field in row._meta.fields if not field.is_relation}
    return type(row).objects.create(**{**fields, "id": None, **links})
