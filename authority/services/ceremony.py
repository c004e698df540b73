"""Founding the CA: a root, an issuing CA for each profile, and an OCSP signer for each of those."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from django.db import connection, transaction

from authority import policy
from authority.models import CertificationAuthority, Crl, JournalEntry, OcspSigner, SigningKey
from authority.services.publication import ensure_crls
from authority.signer import KEY_TYPES, PrivateKey, algorithm_of, full_check, generate, plain_of, signer_for, spki_of
from authority.states import Kind, Role
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
}
ROOT_YEARS, ISSUING_YEARS = 40, 35


def hold_ceremony(
    *, key_type: str = DEFAULT_KEY_TYPE, valid_from: datetime, base_url: str = DEFAULT_BASE_URL, at: datetime
) -> list[CertificationAuthority]:
    """Found the CA, or return what was founded before: it happens once per database, whoever asks and how often.

    `valid_from` becomes every CA's notBefore; the demo sets it years back, so that the certificates of old cards chain.
    `base_url` is where `authority.urls` is reachable for relying parties; all certificates carry it from then on.
    `ValueError` for another key type than `authority.signer.KEY_TYPES`.
    """
    if key_type not in KEY_TYPES:
        msg = f"key type must be one of {', '.join(KEY_TYPES)}"
        raise ValueError(msg)
    with transaction.atomic(durable=True):
        _queue_behind_other_ceremonies()
        if not CertificationAuthority.objects.exists():
            _found(key_type, valid_from.astimezone(UTC).replace(microsecond=0), base_url.rstrip("/"), at)
        return list(CertificationAuthority.objects.select_related("key").order_by("id"))


def _queue_behind_other_ceremonies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('authority.ceremony', 0))")


def _found(key_type: str, valid_from: datetime, base_url: str, at: datetime) -> None:
    root = _make_authority(Role.ROOT, None, key_type, _life(valid_from, ROOT_YEARS), base_url, at)
    life = _life(valid_from, ISSUING_YEARS)
    for role in (Role.CNS, Role.SIGNATURE):
        _make_ocsp_signer(_make_authority(role, root, key_type, life, base_url, at), key_type, life, at)
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
    return profiles.build_issuing_ca(name, bytes(key.spki), life, serial, facts, row.issuer.crl_url(None))


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
