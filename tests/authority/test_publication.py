"""CRLs: complete and per issuing year, at once after a change and before they age, numbers that only grow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from authority.models import CertificationAuthority, Crl, JournalEntry, UnpublishedChange
from authority.services import publication
from authority.states import Kind, Role
from pki import lint
from pki.errors import LintFailed
from pki.gateway import Profile, RevocationReason
from tests.authority import asking
from tests.authority.asking import AT, later
from tests.authority.lists import crl as published
from tests.authority.lists import der

EXPIRED_CERTS_ON_CRL = ObjectIdentifier("2.5.29.60")
REASON = RevocationReason.CESSATION_OF_OPERATION


def number(role="cns", year=None):
    return published(role, year).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def entry(crl, ref):
    return crl.get_revoked_certificate_by_serial_number(ref.serial)


def test_after_the_ceremony_every_list_is_published_clean_and_signed(gateway):
    rows = Crl.objects.select_related("issuer")

    assert {(row.issuer.role, row.year) for row in rows} == {
        ("root", None),
        ("cns", None),
        ("cns", 2026),
        ("signature", None),
        ("signature", 2026),
        ("smime", None),
        ("smime", 2026),
    }
    for row in rows:
        lint.require_clean_crl(der(row.issuer.role, row.year))
        issuer = x509.load_der_x509_certificate(bytes(row.issuer.certificate))
        assert published(row.issuer.role, row.year).is_signature_valid(issuer.public_key())


@pytest.mark.parametrize("year", [None, 2026])
def test_a_hold_is_on_the_next_lists_and_off_them_after_the_release(gateway, issued, year):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(later(seconds=1))
    held = entry(published(year=year), issued.ref)
    gateway.release(issued.ref, request_id=uuid4(), at=later(seconds=2))
    publication.publish_due(later(seconds=3))

    assert held.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.certificate_hold
    assert held.revocation_date_utc == AT
    assert entry(published(year=year), issued.ref) is None
    lint.require_clean_crl(der(year=year))


def test_a_revoked_certificate_stays_listed_after_its_own_expiry_and_the_list_says_so(gateway, issued):
    gateway.revoke(issued.ref, reason=REASON, request_id=uuid4(), at=AT)
    publication.publish_due(asking.THREE_YEARS.not_after + timedelta(days=30))

    crl = published()

    assert entry(crl, issued.ref) is not None
    assert crl.extensions.get_extension_for_oid(EXPIRED_CERTS_ON_CRL).value.value == b"\x18\x0f20160101000000Z"


def test_a_shard_says_which_address_it_serves_and_the_certificate_names_the_same(gateway, issued):
    point = published(year=2026).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    certificate = x509.load_der_x509_certificate(issued.certificate)
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value

    assert point.critical
    assert point.value.full_name == points[0].full_name
    assert point.value.full_name[0].value == "http://pki.example.org/pki/crl/cns/2026.crl"
    with pytest.raises(x509.ExtensionNotFound):
        published().extensions.get_extension_for_class(x509.IssuingDistributionPoint)


def test_a_shard_lists_its_issuing_year_only(gateway, issued):
    next_year = gateway.issue(asking.request(), at=later(days=365))
    for answer in (issued, next_year):
        gateway.hold(answer.ref, request_id=uuid4(), at=later(days=366))
    publication.publish_due(later(days=366))

    assert entry(published(year=2026), issued.ref)
    assert not entry(published(year=2026), next_year.ref)
    assert entry(published(year=2027), next_year.ref)
    assert entry(published(), issued.ref)
    assert entry(published(), next_year.ref)


def test_one_cas_certificates_are_on_no_other_cas_list(gateway, issued, signed):
    gateway.hold(signed.ref, request_id=uuid4(), at=AT)
    publication.publish_due(AT)

    assert entry(published("signature"), signed.ref)
    assert len(published("cns")) == 0


def test_nothing_is_published_when_nothing_changed_and_all_is_fresh(gateway):
    assert publication.publish_due(later(hours=11, minutes=59)) == 0


def test_every_list_is_published_again_when_half_its_life_is_over(gateway):
    before = number()

    assert publication.publish_due(later(hours=12)) == 7
    assert number() > before
    assert published().next_update_utc == later(hours=36)


def test_over_a_week_no_list_is_ever_older_than_a_day(gateway):
    for hour in range(7 * 24):
        at = later(hours=hour)
        publication.publish_due(at)
        ages = [at - row.this_update for row in Crl.objects.all()]
        assert max(ages) < timedelta(hours=24)
        assert all(row.next_update > at for row in Crl.objects.all())


def test_the_next_years_shard_is_there_before_the_year_is(gateway):
    publication.publish_due(AT.replace(month=12, day=30, hour=12))

    assert number(year=2027) > 0


def test_many_changes_make_one_list(gateway):
    refs = [gateway.issue(asking.request(), at=AT).ref for _ in range(5)]
    for ref in refs:
        gateway.hold(ref, request_id=uuid4(), at=AT)

    assert publication.publish_due(AT) == 2
    assert len(published()) == 5
    assert not UnpublishedChange.objects.exists()


def test_a_burst_waits_for_the_gap_and_loses_nothing(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    gap = timedelta(seconds=2)

    assert publication.publish_due(later(seconds=1), gap=gap) == 0
    assert publication.publish_due(later(seconds=2), gap=gap) == 2
    assert entry(published(), issued.ref)


def test_numbers_only_grow_also_when_the_clock_stands_or_steps_back(gateway, issued):
    seen, dates = [number()], [published().last_update_utc]

    for step, at in enumerate([AT, AT, later(hours=-3), later(seconds=1), later(days=-1)]):
        order = gateway.release if step % 2 else gateway.hold
        order(issued.ref, request_id=uuid4(), at=at)
        publication.publish_due(at)
        seen.append(number())
        dates.append(published().last_update_utc)

    assert seen == sorted(set(seen))
    assert dates == sorted(dates)


def test_a_number_is_never_below_the_clock_so_a_restored_backup_repeats_none(gateway):
    assert number() >= AT.timestamp()


def test_each_publication_is_in_the_journal_with_its_digest(gateway, issued):
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(AT)

    facts = (
        JournalEntry.objects.filter(kind=Kind.PUBLISH, authority__role=Role.CNS, facts__year=2026).latest("pk").facts
    )

    assert (facts["year"], facts["number"], facts["entries"]) == (2026, number(year=2026), 1)
    assert facts["sha256"] == bytes(Crl.objects.get(issuer__role="cns", year=2026).sha256).hex()


def test_two_publishers_at_once_publish_each_list_once(committed_gateway):
    gateway = committed_gateway
    ref = gateway.issue(asking.request(), at=AT).ref
    for _ in range(10):
        gateway.hold(ref, request_id=uuid4(), at=AT)
        before, start = number(), threading.Barrier(2)

        def publish(_, start=start):
            start.wait()
            try:
                return publication.publish_due(AT)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            counts = list(pool.map(publish, range(2)))

        assert sum(counts) == 2
        assert number() == before + 1
        gateway.release(ref, request_id=uuid4(), at=AT)
        publication.publish_due(AT)


def test_a_publisher_leaves_a_list_alone_that_another_one_is_at(committed_gateway, superuser):
    gateway = committed_gateway
    gateway.hold(gateway.issue(asking.request(), at=AT).ref, request_id=uuid4(), at=AT)
    busy = Crl.objects.get(issuer__role="cns", year=None)

    with superuser.connect() as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [publication._LOCK_SPACE, busy.pk])
        first = publication.publish_due(AT)
    second = publication.publish_due(AT)

    assert (first, second) == (1, 1)


def test_a_change_that_commits_while_a_list_is_signed_is_on_the_next_one(committed_gateway, monkeypatch):
    gateway = committed_gateway
    early, late = (gateway.issue(asking.request(), at=AT).ref for _ in range(2))
    gateway.hold(early, request_id=uuid4(), at=AT)
    pending = [late]
    require = lint.require_clean_crl

    def hold_meanwhile(unsigned):
        while pending:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_hold_elsewhere, gateway, pending.pop()).result()
        require(unsigned)

    monkeypatch.setattr(lint, "require_clean_crl", hold_meanwhile)
    publication.publish_due(AT)

    for year in (None, 2026):
        assert entry(published(year=year), early)
        assert entry(published(year=year), late)
    assert not UnpublishedChange.objects.exists()


def _hold_elsewhere(gateway, ref):
    try:
        gateway.hold(ref, request_id=uuid4(), at=AT)
    finally:
        connections.close_all()


def test_a_list_that_the_linter_refuses_is_not_published_and_its_marks_stay(committed_gateway, monkeypatch):
    gateway = committed_gateway
    gateway.hold(gateway.issue(asking.request(), at=AT).ref, request_id=uuid4(), at=AT)
    before = number()

    def refuse(_der):
        raise LintFailed("planted")

    with monkeypatch.context() as patch:
        patch.setattr(lint, "require_clean_crl", refuse)
        with pytest.raises(LintFailed):
            publication.publish_due(AT)

    assert number() == before
    assert publication.publish_due(AT) == 2


def test_a_shard_of_an_earlier_year_comes_with_its_first_certificate(gateway):
    answer = gateway.issue(asking.request(Profile.CNS_AUTHENTICATION), at=AT.replace(year=2023))
    publication.publish_due(AT)

    certificate = x509.load_der_x509_certificate(answer.certificate)
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name[0].value.endswith("/crl/cns/2023.crl")
    assert number(year=2023) > 0


def test_a_thousand_entries_cost_the_statements_of_none(gateway, issued):
    with CaptureQueriesContext(connection) as none:
        publication.publish_due(later(hours=12))
    _copy_listed(issued, 1000)

    with CaptureQueriesContext(connection) as many:
        publication.publish_due(later(hours=24))

    assert len(many) == len(none)
    assert len(published()) == 1000
    assert len(published(year=2026)) == 1000


def _copy_listed(issued, count):
    """Rows like the issued one, held, as if each had been held one by one."""
    from authority.models import LedgerEntry
    from pki.assembly import HOLD, crl_entry

    model = LedgerEntry.objects.get(request_id=issued.request_id)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            request_id=uuid4(),
            request_sha256=model.request_sha256,
            issuer_id=model.issuer_id,
            shard_id=model.shard_id,
            serial=serial,
            profile=model.profile,
            spki_sha256=model.spki_sha256,
            not_before=model.not_before,
            not_after=model.not_after,
            issued_at=model.issued_at,
            state="held",
            reason=HOLD,
            since=AT,
            invalid_since=AT,
            crl_entry=crl_entry(serial, AT, HOLD),
        )
        for serial in range(1, count + 1)
    )


def test_the_roots_list_is_where_the_issuing_cas_point(gateway):
    for row in CertificationAuthority.objects.exclude(role=Role.ROOT):
        certificate = x509.load_der_x509_certificate(bytes(row.certificate))
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert points[0].full_name[0].value == "http://pki.example.org/pki/crl/root.crl"
    assert len(published("root")) == 0


def test_the_query_for_listed_entries_uses_its_index(gateway, issued):
    _copy_listed(issued, 2000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT string_agg(crl_entry, ''::bytea ORDER BY id) FROM authority_ledgerentry"
            " WHERE state <> 'good' AND shard_id = %s",
            [Crl.objects.get(issuer__role="cns", year=2026).pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "ledger_listed_by_shard" in plan
