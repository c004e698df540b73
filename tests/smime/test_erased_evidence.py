"""Faces and documents that have identified nobody are gone when their round ends; what a certificate rests on stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import Event
from smime import tasks
from smime.models import CaOrder, EvidenceContent, EvidenceFile, IdentificationAttempt, SmimeCertificate
from smime.policy_desk import Document
from smime.services import checks, desk, evidence, identity_evidence, idp, orders
from tests.smime import identified
from tests.smime.desk.office import CARD, officer
from tests.smime.mailed import NOW, check_of, order_of
from tests.smime.provider import FakeProvider
from tests.smime.test_attestation import Says

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    """An SV order (others of its checks stay open) whose first session waits for an officer's comparison."""
    order = order_of("sv")
    order.slot.take()
    order.slot.save()
    for kind in ("mailbox", "consent"):
        checks.pass_check(check_of(order, kind), at=NOW, method="prova")
    checks.begin(check_of(order, "identity"), at=NOW)
    identified.work(NOW)
    finish(order, provider, NOW + HOUR)
    return order


def finish(order, provider, at) -> None:
    identified.ends(order, provider, "approved", at)
    for file in EvidenceFile.objects.filter(order=order, scan="pending", erased_at__isnull=True):
        evidence.scan(file.pk, at=at, scanner=Says())


def decide(order, outcome, at=NOW + 5 * HOUR) -> None:
    desk.decide_identification(
        identified.attempt_of(order).pk,
        outcome=outcome,
        document=CARD if outcome == "accepted" else Document(),
        ticked=("face", "data"),
        operator=officer(order),
        now=at,
    )
    identified.work(at)


def left(order) -> tuple[int, int, int]:
    """Sealed photos, rows that still name one, and attempts with data of the document."""
    photos = EvidenceFile.objects.filter(order=order)
    documents = order.attempts_made.filter(sealed_evidence__isnull=False)
    contents = EvidenceContent.objects.filter(file__order=order)
    return contents.count(), photos.filter(erased_at__isnull=True).count(), documents.count()


def told(order) -> list[tuple[str, dict[str, str]]]:
    rows = Event.objects.filter(verb="smime.identity-erased", case_code=order.code).order_by("pk")
    return [(row.reason, row.facts) for row in rows]


ALL = {"photos": "3", "documents": "1", "kinds": "document-back,document-front,face"}


def test_while_an_officer_compares_everything_is_there(order):
    assert left(order) == (3, 3, 1)
    assert told(order) == []


def test_a_refused_attempt_goes_with_its_round_when_the_alternative_opens(order, provider):
    decide(order, "refused")
    assert left(order) == (3, 3, 1)
    finish(order, provider, NOW + 6 * HOUR)
    decide(order, "refused", NOW + 7 * HOUR)

    assert check_of(order, "identity").path == "signature"
    assert left(order) == (0, 0, 0)
    assert told(order) == [("attempts-used-up", ALL | {"round": "1", "photos": "6", "documents": "2"})]


def test_a_refused_attempt_goes_when_the_next_one_identifies_and_that_one_stays(order, provider):
    decide(order, "refused")
    finish(order, provider, NOW + 6 * HOUR)
    decide(order, "accepted", NOW + 7 * HOUR)

    assert left(order) == (3, 3, 1)
    assert len(identity_evidence.photos_of(identified.attempt_of(order))) == 3
    assert identity_evidence.evidence_of(identified.attempt_of(order))["document"]["docNumber"] == "CA1"
    assert told(order) == [("recipient-identified", ALL | {"round": "1"})]


@pytest.mark.parametrize("outcome", ["", "accepted"])
def test_changed_data_void_the_round_and_what_it_has_left(order, outcome):
    if outcome:
        decide(order, outcome)
    checks.restart(check_of(order, "identity"), at=NOW + 8 * HOUR)

    assert left(order) == (0, 0, 0)
    assert told(order) == [("check-restarted", ALL | {"round": "1"})]


def test_the_row_stays_as_the_record_that_there_was_a_photo(order):
    before = set(EvidenceFile.objects.values_list("kind", "sha256"))
    checks.restart(check_of(order, "identity"), at=NOW + 8 * HOUR)

    assert set(EvidenceFile.objects.values_list("kind", "sha256")) == before
    assert set(EvidenceFile.objects.values_list("erased_at", flat=True)) == {NOW + 8 * HOUR}


def test_what_a_certificate_rests_on_stays_when_the_check_is_made_anew(order):
    decide(order, "accepted")
    certified(order)
    checks.restart(check_of(order, "identity"), at=NOW + 8 * HOUR)

    assert (left(order), told(order)) == ((3, 3, 1), [])


def test_an_outcome_of_data_that_have_changed_is_not_even_fetched(provider):
    order = order_of("sv")
    for kind in ("mailbox", "consent"):
        checks.pass_check(check_of(order, kind), at=NOW, method="prova")
    checks.begin(check_of(order, "identity"), at=NOW)
    identified.work(NOW)
    scan_ref = identified.attempt_of(order).scan_ref
    checks.restart(check_of(order, "identity"), at=NOW + HOUR)
    provider.pictures = provider.document = None  # asked for neither
    provider.becomes(scan_ref, "approved")
    identified.told(scan_ref, NOW + 2 * HOUR)
    identified.work(NOW + 2 * HOUR)

    assert (left(order), provider.erased) == ((0, 0, 0), [scan_ref])


class TestEndOfAnOrder:
    """Whichever way it ended: the clock erases what nobody will compare any more."""

    def cancelled(self, order):
        orders.cancel_order(order.uid, buyer=order.buyer, now=NOW + 8 * HOUR)

    def rejected(self, order):
        desk.reject_order(order.uid, reason="No.", operator=officer(order), now=NOW + 8 * HOUR)

    def lapsed(self, _order):
        assert orders.lapse_abandoned(now=NOW + timedelta(days=181)) == 1

    @pytest.mark.parametrize("end", [cancelled, rejected, lapsed])
    @pytest.mark.parametrize("outcome", ["", "accepted"])
    def test_without_a_certificate_nothing_is_left(self, order, end, outcome, clock):
        if outcome:
            decide(order, outcome)
        end(self, order)
        clock.instant = NOW + timedelta(days=181)

        assert tasks.erase_identity_evidence() == 1
        assert left(order) == (0, 0, 0)
        assert told(order) == [("order-ended", ALL | {"round": "1"})]
        assert tasks.erase_identity_evidence() == 0

    def test_while_the_ca_may_still_answer_with_a_certificate_everything_is_there(self, order):
        decide(order, "accepted")
        asked = CaOrder.objects.create(
            order=order, kind="issue", state="sent", edition=1, natural_key=f"issue:{order.code}:1", asked_at=NOW
        )
        self.rejected(order)

        assert identity_evidence.erase_ended(at=NOW + 9 * HOUR) == 0
        assert left(order) == (3, 3, 1)
        CaOrder.objects.filter(pk=asked.pk).update(state="cancelled")
        assert identity_evidence.erase_ended(at=NOW + 9 * HOUR) == 1

    def test_of_an_open_order_and_of_an_issued_one_nothing_is_taken(self, order):
        assert identity_evidence.erase_ended(at=NOW + 8 * HOUR) == 0
        decide(order, "accepted")
        certified(order)
        order.keep_issued()
        order.save()
        assert identity_evidence.erase_ended(at=NOW + 8 * HOUR) == 0
        assert left(order) == (3, 3, 1)

    def test_a_reissue_that_was_given_up_leaves_what_the_certificate_rests_on(self, order, provider):
        decide(order, "accepted")
        certified(order)
        checks.restart(check_of(order, "identity"), at=NOW + 8 * HOUR)
        identified.work(NOW + 8 * HOUR)
        finish(order, provider, NOW + 9 * HOUR)
        order.refresh_from_db()
        order.keep_issued()
        order.save()

        assert identity_evidence.erase_ended(at=NOW + 10 * HOUR) == 1
        kept = IdentificationAttempt.objects.get(order=order, sealed_evidence__isnull=False)
        assert (left(order), kept.round) == ((3, 3, 1), 1)
        assert told(order) == [("order-ended", ALL | {"round": "2"})]


def certified(order) -> None:
    """A certificate was issued."""
    numbers = {"serial": "0a", "issuer_key_id": "0b", "fingerprint": "0c", "spki_sha256": "0d"}
    life = {"not_before": NOW, "not_after": NOW + timedelta(days=365), "issued_at": NOW}
    SmimeCertificate.objects.create(order=order, edition=1, der=b"", **numbers, **life)
    order.refresh_from_db()
