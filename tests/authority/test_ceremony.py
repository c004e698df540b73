"""The ceremony: once, with sealed and sound keys, and a chain that any verifier accepts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from authority import checks, signer
from authority.errors import KeyUnusable
from authority.models import CertificationAuthority, Crl, JournalEntry, OcspSigner, SigningKey
from authority.services import ceremony
from authority.states import Kind
from runtime.sealing import SealBroken, unseal
from tests.authority.asking import AT

VALID_FROM = datetime(2016, 1, 1, tzinfo=UTC)


def hold(**changes):
    return ceremony.hold_ceremony(**{"key_type": "p-256", "valid_from": VALID_FROM, "at": AT, **changes})


def test_it_founds_a_root_and_two_issuing_cas_each_with_an_ocsp_signer(db):
    root, *issuing = hold()

    assert [each.role for each in (root, *issuing)] == ["root", "cns", "signature"]
    assert {each.issuer_id for each in issuing} == {root.pk}
    assert set(OcspSigner.objects.values_list("authority__role", flat=True)) == {"cns", "signature"}
    assert JournalEntry.objects.filter(kind=Kind.CEREMONY).count() == 3


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
    assert SigningKey.objects.count() == 5


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
    for expected in (5, 0):
        out = StringIO()
        call_command("ceremony", "--key-type", "p-256", "--valid-from", "2016-01-01", stdout=out)
        assert f"CRLs published: {expected}" in out.getvalue()
        assert "http://pki.example.org/pki/ca/cns.crt" in out.getvalue()

    assert Crl.objects.filter(number=0).count() == 0
    assert CertificationAuthority.objects.get(role="root").not_before == VALID_FROM


def test_the_command_refuses_a_beginning_in_the_future(db, clock):
    with pytest.raises(CommandError, match="future"):
        call_command("ceremony", "--valid-from", "2031-01-01")
