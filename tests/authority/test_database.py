"""What the database keeps true by itself, whoever writes to it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from psycopg import errors

from authority.models import (
    CertificationAuthority,
    Crl,
    IssuedDer,
    JournalEntry,
    LedgerEntry,
    OcspSigner,
    SigningKey,
)
from pki.assembly import crl_entry
from pki.gateway import RevocationReason
from tests.authority import asking
from tests.authority.asking import AT, later

REASON = RevocationReason.CESSATION_OF_OPERATION


def refused(action) -> type:
    """Which kind of failure the database answers with; nothing of it stays."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        action()
    return type(refusal.value)


def facts(reason, at=AT):
    return {"reason": reason, "since": at, "invalid_since": at, "crl_entry": crl_entry(1, at, reason)}


@pytest.mark.parametrize(
    "model", [LedgerEntry, IssuedDer, JournalEntry, CertificationAuthority, OcspSigner, SigningKey, Crl]
)
def test_nothing_is_deleted(gateway, issued, model):
    with connection.cursor() as cursor:
        for statement in (f"DELETE FROM {model._meta.db_table}", f"TRUNCATE {model._meta.db_table} CASCADE"):  # noqa: S608
            assert refused(lambda statement=statement: cursor.execute(statement))
    assert model.objects.exists()


def test_a_strict_mail_certificate_is_not_held_even_by_hand(gateway):
    gateway.issue(asking.request(asking.STRICT_MAIL), at=AT)

    assert refused(lambda: LedgerEntry.objects.update(state="held", **facts("certificateHold"))) is IntegrityError


@pytest.mark.parametrize("model", [IssuedDer, JournalEntry, CertificationAuthority, OcspSigner])
def test_what_happened_is_not_rewritten(gateway, issued, model):
    column = model._meta.pk.column
    with connection.cursor() as cursor:
        assert refused(lambda: cursor.execute(f"UPDATE {model._meta.db_table} SET {column} = {column}"))  # noqa: S608


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 4711},
        {"request_id": uuid4()},
        {"spki_sha256": b"\x00" * 32},
        {"not_after": later(days=9000)},
        {"issued_at": later(days=-1)},
        {"profile": "qualified-signature"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_certificate_is_never_changes(gateway, issued, change):
    assert refused(lambda: LedgerEntry.objects.update(**change)) is not IntegrityError


def test_revoked_is_final(gateway, issued):
    gateway.revoke(issued.ref, reason=REASON, request_id=uuid4(), at=AT)
    good = {"state": "good", "reason": "", "since": None, "invalid_since": None, "crl_entry": None}

    for change in (good, {"state": "held", **facts("certificateHold")}, {"since": later(days=1)}, facts("superseded")):
        assert refused(lambda change=change: LedgerEntry.objects.update(**change))

    assert LedgerEntry.objects.get().state == "revoked"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "held"},
        {"state": "revoked", **facts("certificateHold")},
        {"state": "held", **facts("superseded")},
        {"state": "gone"},
        {"reason": "superseded"},
        {"state": "held", **facts("certificateHold"), "crl_entry": None},
        {"state": "held", **facts("certificateHold"), "invalid_since": later(days=1)},
    ],
    ids=str,
)
def test_a_state_comes_with_exactly_its_facts(gateway, issued, change):
    assert refused(lambda: LedgerEntry.objects.update(**change))


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_serial_numbers_are_positive_and_below_2_159(gateway, issued, serial):
    assert refused(lambda: another(serial=serial)) is IntegrityError


def test_a_serial_number_is_used_once_per_issuer(gateway, issued):
    assert refused(lambda: another(serial=issued.ref.serial)) is IntegrityError


def test_a_request_id_is_used_once(gateway, issued):
    assert refused(lambda: another(request_id=issued.request_id)) is IntegrityError


def another(**changes):
    row = LedgerEntry.objects.get()
    row.pk, row.serial, row.request_id = None, 4711, uuid4()
    for name, value in changes.items():
        setattr(row, name, value)
    row._state.adding = True
    row.save(force_insert=True)


def test_a_certificate_may_be_entered_that_breaks_no_rule(gateway, issued):
    another()

    assert LedgerEntry.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [{"number": 1}, {"this_update": later(days=-1)}, {"sha256": b"other"}, {"number": 0, "this_update": None}],
    ids=str,
)
def test_a_crl_never_goes_backwards_and_new_content_has_a_new_number(gateway, change):
    assert refused(lambda: Crl.objects.filter(year=2026).update(**change))


def test_a_list_has_one_row_also_the_complete_one(gateway):
    complete = Crl.objects.get(issuer__role="cns", year=None)

    assert refused(lambda: Crl.objects.create(issuer_id=complete.issuer_id, year=None)) is IntegrityError


def test_an_order_in_the_journal_has_its_id_and_certificate(gateway, issued):
    authority = CertificationAuthority.objects.get(role="cns")

    for fields in ({"kind": "hold"}, {"kind": "publish", "request_id": uuid4()}, {"kind": "gossip"}):
        assert refused(lambda fields=fields: JournalEntry.objects.create(at=AT, authority=authority, **fields))


def test_only_the_sealing_of_a_key_may_be_renewed(gateway):
    assert refused(lambda: SigningKey.objects.update(spki=b"other"))
    SigningKey.objects.update(sealed=b"sealed anew")


def test_the_application_may_not_truncate(gateway, issued):
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as refusal, transaction.atomic():
        cursor.execute("TRUNCATE authority_journalentry")
    assert isinstance(refusal.value.__cause__, errors.InsufficientPrivilege)
