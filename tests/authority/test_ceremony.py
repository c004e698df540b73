"""The ceremony: once, with sealed and sound keys, and a chain that any verifier accepts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pgtrigger
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from authority import checks, signer
from authority.errors import KeyUnusable
from authority.gateway import EmbeddedGateway
from authority.models import CertificationAuthority, Crl, JournalEntry, OcspSigner, SigningKey
from authority.services import ceremony
from authority.states import Kind
from pki.x509 import serves_mail_only
from runtime.sealing import SealBroken, unseal
from tests.authority import asking
from tests.authority.asking import AT

VALID_FROM = datetime(2016, 1, 1, tzinfo=UTC)


def hold(**changes):
    return ceremony.hold_ceremony(**{"key_type": "p-256", "valid_from": VALID_FROM, "at": AT, **changes})


def test_it_founds_a_root_and_three_issuing_cas_each_with_an_ocsp_signer(db):
    root, *issuing = hold()

    assert [each.role for each in (root, *issuing)] == ["root", "cns", "signature", "smime"]
    assert {each.issuer_id for each in issuing} == {root.pk}
    assert set(OcspSigner.objects.values_list("authority__role", flat=True)) == {"cns", "signature", "smime"}
    assert JournalEntry.objects.filter(kind=Kind.CEREMONY).count() == 4


def test_the_chain_verifies_and_starts_years_back(db):
    root, *issuing = (x509.load_der_x509_certificate(bytes(each.certificate)) for each in hold())

    root.verify_directly_issued_by(root)
    for each in issuing:
        each.verify_directly_issued_by(root)
        assert each.not_valid_before_utc == VALID_FROM
        assert each.not_valid_after_utc < root.not_valid_after_utc


def test_held_twice_it_changes_nothing(db):
    first = [bytes(each.certificate) for each in hold()]

    second = [bytes(each.certificate) for each in hold(key_type="rsa-2048", base_url="http://elsewhere.example.org")]

    assert second == first
    assert SigningKey.objects.count() == 7


@pytest.fixture
def older(db):
    """An installation that was founded before there was a CA for mail."""
    hold()
    newer = CertificationAuthority.objects.get(role="smime")
    with pgtrigger.ignore():
        OcspSigner.objects.filter(authority=newer).delete()
        JournalEntry.objects.filter(authority=newer).delete()
        Crl.objects.filter(issuer=newer).delete()
        newer.delete()
        SigningKey.objects.filter(authority=None, ocsp_signer=None).delete()


def test_an_older_installation_gets_the_ca_that_came_later_and_keeps_the_rest(older):
    before = {each.role: bytes(each.certificate) for each in CertificationAuthority.objects.all()}

    added = {each.role: each for each in hold(base_url="http://elsewhere.example.org", valid_from=AT)}

    assert {role: bytes(added[role].certificate) for role in before} == before
    mail, root, sibling = added["smime"], added["root"], added["cns"]
    assert (mail.base_url, mail.issuer_id, mail.not_before) == (root.base_url, root.pk, AT)
    assert mail.not_after == sibling.not_after
    x509.load_der_x509_certificate(bytes(mail.certificate)).verify_directly_issued_by(
        x509.load_der_x509_certificate(bytes(root.certificate))
    )
    assert set(mail.crls.values_list("year", flat=True)) == {None, AT.year}
    assert mail.ocsp_signers.count() == 1


def test_it_is_added_once_and_issues_at_once(older):
    for _ in range(2):
        hold()

    assert CertificationAuthority.objects.count() == 4
    assert JournalEntry.objects.filter(kind=Kind.CEREMONY).count() == 4
    assert EmbeddedGateway().issue(asking.request(asking.MAIL), at=AT).chain[0] == bytes(
        CertificationAuthority.objects.get(role="smime").certificate
    )


def test_a_ca_for_mail_may_issue_nothing_else(db):
    purposes = {}
    for each in hold():
        extensions = x509.load_der_x509_certificate(bytes(each.certificate)).extensions
        found = [item.value for item in extensions if item.oid == x509.ExtendedKeyUsage.oid]
        purposes[each.role] = [list(usage) for usage in found]
        assert serves_mail_only(bytes(each.certificate)) == (each.role == "smime")

    assert purposes == {"root": [], "cns": [], "signature": [], "smime": [[ExtendedKeyUsageOID.EMAIL_PROTECTION]]}


def test_another_key_type_is_refused(db):
    with pytest.raises(ValueError, match="key type"):
        hold(key_type="rsa-1024")

    assert not SigningKey.objects.exists()


def test_a_ceremony_on_29_february_ends_on_28(db):
    root, *_ = hold(valid_from=datetime(2016, 2, 29, tzinfo=UTC))

    assert root.not_after == datetime(2056, 2, 28, tzinfo=UTC) - timedelta(seconds=1)


def test_keys_lie_sealed_each_bound_to_its_row(db):
    hold()
    first, second, *_ = SigningKey.objects.order_by("pk")

    with pytest.raises(ValueError):
        load_der_private_key(bytes(first.sealed), None)
    with pytest.raises(SealBroken):
        unseal(first.sealed, context=second.sealing_context)


def test_a_key_copied_onto_another_row_does_not_sign(db):
    hold()
    first, second, *_ = SigningKey.objects.order_by("pk")
    first.sealed = second.sealed
    signer.forget()

    with pytest.raises(KeyUnusable):
        signer.signer_for(first)


def test_no_key_shows_in_text(db):
    hold()
    row = SigningKey.objects.first()

    assert repr(signer.signer_for(row)) == "SoftwareSigner(ecdsa-p256-sha256)"
    assert str(row) == f"ecdsa-p256-sha256 {bytes(row.key_identifier).hex()}"


def test_the_check_finds_sound_keys_sound(db):
    hold()

    assert checks.require_sound_keys(None, databases=["default"]) == []


def test_the_check_names_a_key_that_does_not_open_and_only_that(db):
    hold()
    SigningKey.objects.filter(authority__role="cns").update(sealed=b"\x01 damaged")

    messages = checks.require_sound_keys(None, databases=["default"])

    assert [(message.id, "cns" in message.msg) for message in messages] == [("authority.E001", True)]


def test_the_check_runs_with_manage_py_check(db):
    hold()
    SigningKey.objects.filter(authority__role="root").update(sealed=b"\x01 damaged")

    with pytest.raises(SystemCheckError, match=r"authority\.E001"):
        call_command("check", tags=["database"], databases=["default"])


def test_the_check_without_a_database_or_a_ceremony_is_silent(db):
    assert checks.require_sound_keys(None, databases=None) == []
    assert checks.require_sound_keys(None, databases=["default"]) == []


def test_the_command_founds_publishes_and_may_be_repeated(db, clock):
    for expected in (7, 0):
        out = StringIO()
        call_command("ceremony", "--key-type", "p-256", "--valid-from", "2016-01-01", stdout=out)
        assert f"CRLs published: {expected}" in out.getvalue()
        assert "http://pki.example.org/pki/ca/cns.crt" in out.getvalue()

    assert Crl.objects.filter(number=0).count() == 0
    assert CertificationAuthority.objects.get(role="root").not_before == VALID_FROM


def test_the_command_refuses_a_beginning_in_the_future(db, clock):
    with pytest.raises(CommandError, match="future"):
        call_command("ceremony", "--valid-from", "2031-01-01")
