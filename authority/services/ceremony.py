"""Founding the CA: a root, the issuing CAs under it, and an OCSP signer for each of those."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from django.db import connection, transaction

from authority import policy
from authority.models import CertificationAuthority, Crl, JournalEntry, OcspSigner, SigningKey
from authority.services.publication import ensure_crls
from authority.signer import KEY_TYPES, PrivateKey, algorithm_of, full_check, generate, plain_of, signer_for, spki_of
from authority.states import ISSUING, PURPOSES_OF, Kind, Role
from pki import lint, profiles
from pki.assembly import SignatureAlgorithm, assemble, to_be_signed
from pki.gateway import Validity
from runtime.sealing import seal

DEFAULT_KEY_TYPE = KEY_TYPES[0]
DEFAULT_BASE_URL = "http://pki.example.org/pki"
ORGANIZATION = "Sigillo Demo S.p.A."
ORGANIZATION_IDENTIFIER = "VATIT-00000000000"
NAMES = {
    Role.ROOT: "Sigillo Demo Root",
    Role.CNS: "Sigillo Demo Autenticazione CNS",
    Role.SIGNATURE: "Sigillo Demo Firma Qualificata",
    Role.SMIME: "Sigillo Demo Posta S/MIME",
}
ROOT_YEARS, ISSUING_YEARS = 40, 35


def hold_ceremony(
    *, key_type: str = DEFAULT_KEY_TYPE, valid_from: datetime, base_url: str = DEFAULT_BASE_URL, at: datetime
) -> list[CertificationAuthority]:
    """Found the CA, or return what was founded before: it happens once per database, whoever asks and how often.

    An installation that was founded before one of the issuing CAs existed gets that one, under the root and the
    addresses that it has; nothing else changes.
    `valid_from` becomes every CA's notBefore; the demo sets it years back, so that the certificates of old cards chain.
    `base_url` is where `authority.urls` is reachable for relying parties; all certificates carry it from then on.
    `ValueError` for another key type than `authority.signer.KEY_TYPES`.
    """
    if key_type not in KEY_TYPES:
        msg = f"key type must be one of {', '.join(KEY_TYPES)}"
        raise ValueError(msg)
    with transaction.atomic(durable=True):
        _queue_behind_other_ceremonies()
        begins = valid_from.astimezone(UTC).replace(microsecond=0)
        if not CertificationAuthority.objects.exists():
            _make_authority(Role.ROOT, None, key_type, _life(begins, ROOT_YEARS), base_url.rstrip("/"), at)
        _add_missing(key_type, begins, at)
        return list(CertificationAuthority.objects.select_related("key").order_by("id"))


def _queue_behind_other_ceremonies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('authority.ceremony', 0))")


def _add_missing(key_type: str, begins: datetime, at: datetime) -> None:
    """Make the issuing CAs that are not there; they end with those that are, so none outlives the root."""
    founded = {row.role: row for row in CertificationAuthority.objects.select_related("key")}
    root = founded[Role.ROOT]
    ends = min((row.not_after for row in founded.values() if row.issuer_id), default=None)
    life = _life(begins, ISSUING_YEARS) if ends is None else Validity(max(begins, root.not_before), ends)
    missing = [role for role in ISSUING if role not in founded]
    for role in missing:
        authority = _make_authority(role, root, key_type, life, root.base_url, at)
        _make_ocsp_signer(authority, key_type, life, at)
    if missing:
        ensure_crls(at)


def _life(valid_from: datetime, years: int) -> Validity:
    """Whole years; 29 February ends on 28 February."""
    day = valid_from.day if (valid_from.month, valid_from.day) != (2, 29) else 28
    return Validity(valid_from, valid_from.replace(year=valid_from.year + years, day=day) - timedelta(seconds=1))


def _make_authority(
    role: Role, issuer: CertificationAuthority | None, key_type: str, life: Validity, base_url: str, at: datetime
) -> CertificationAuthority:
    key = _make_key(key_type, at)
    row = CertificationAuthority(
        role=role,
        issuer=issuer,
        key=key,
        key_identifier=key.key_identifier,
        base_url=base_url,
        not_before=life.not_before,
        not_after=life.not_after,
        created_at=at,
    )
    row.certificate = _certified(_builder(row, key, life), issuer or row)
    row.save()
    Crl.objects.create(issuer=row, year=None)
    JournalEntry.objects.create(at=at, kind=Kind.CEREMONY, authority=row, facts={"key": str(key)})
    return row


def _builder(row: CertificationAuthority, key: SigningKey, life: Validity) -> x509.CertificateBuilder:
    name, serial = _name(NAMES[Role(row.role)]), policy.new_serial()
    if row.issuer is None:
        return profiles.build_root(name, bytes(key.spki), life, serial)
    facts = profiles.issuer_facts(bytes(row.issuer.certificate), ocsp_url="", ca_url=row.issuer.ca_url)
    url, purposes = row.issuer.crl_url(None), PURPOSES_OF.get(Role(row.role), ())
    return profiles.build_issuing_ca(name, bytes(key.spki), life, serial, facts, url, purposes=purposes)


def _make_ocsp_signer(authority: CertificationAuthority, key_type: str, life: Validity, at: datetime) -> None:
    key = _make_key(key_type, at)
    facts = profiles.issuer_facts(bytes(authority.certificate), ocsp_url="", ca_url=authority.ca_url)
    name = _name(f"{NAMES[Role(authority.role)]} OCSP")
    builder = profiles.build_ocsp_signer(name, bytes(key.spki), life, policy.new_serial(), facts)
    OcspSigner.objects.create(
        authority=authority,
        key=key,
        certificate=_certified(builder, authority),
        not_before=life.not_before,
        not_after=life.not_after,
    )


def _certified(builder: x509.CertificateBuilder, issuer: CertificationAuthority) -> bytes:
    unsigned = to_be_signed(builder, SignatureAlgorithm(issuer.key.algorithm))
    lint.require_clean_authority(unsigned.linted_der)
    return assemble(unsigned, signer_for(issuer.key).sign(unsigned.tbs))


def _make_key(key_type: str, at: datetime) -> SigningKey:
    """Make, seal, store and fully check a key; its clear form lives in this function only."""
    private: PrivateKey = generate(key_type)
    identifier = x509.SubjectKeyIdentifier.from_public_key(private.public_key()).digest
    row = SigningKey(
        key_identifier=identifier, algorithm=algorithm_of(private).value, spki=spki_of(private), created_at=at
    )
    row.sealed = seal(plain_of(private), context=row.sealing_context)
    full_check(row)
    row.save()
    return row


def _name(common_name: str) -> x509.Name:
    return profiles.authority_name(
        common_name, organization=ORGANIZATION, organization_identifier=ORGANIZATION_IDENTIFIER
    )
