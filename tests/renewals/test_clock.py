"""The clock: windows, expiries, suspension at the old expiry, revocation from day 121, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Event, Hold, Pair, Stock
from cms.services import certificates, requests
from cms.states import ApprovalMode, HoldCause, RevocationCause
from notifications.models import OutboxMessage
from pki.gateway import CertificateRef, StatusKind
from renewals import sweeps
from renewals.errors import CertificatesGone
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import OLD_NOT_AFTER

ONE_SECOND = timedelta(seconds=1)
DUE = OLD_NOT_AFTER + ONE_SECOND
DAY_121 = datetime(2026, 7, 29, 22, 0, tzinfo=UTC)  # 30 July 00:00 in Rome


def tick(now):
    """One round of beat and worker."""
    sweeps.open_windows(now=now)
    sweeps.expire_cases(now=now)
    sweeps.suspend_unauthorised(now=now)
    sweeps.revoke_unrecovered(now=now)
    sweeps.revoke_lapsed_holds(now=now)
    requests.carry_out_due(at=now)


def new_statuses():
    """Status of the new pair here."""
    return set(Certificate.objects.filter(pair__predecessor__isnull=False).values_list("status", flat=True))


def at_the_ca(ca):
    """Status of the new pair at the CA."""
    rows = Certificate.objects.filter(pair__predecessor__isnull=False)
    return {ca.status(CertificateRef(bytes.fromhex(row.issuer_key_id), int(row.serial, 16))).kind for row in rows}


class TestWindows:
    """Cases are opened by the clock or by an early client, once."""

    def test_the_window_opens_two_calendar_months_before(self, card):
        """31 March minus two months is 31 January, same clock time in Rome."""
        opens = Pair.objects.get(pk=card.pair.pk).window_opens_at
        assert opens == datetime(2026, 1, 31, 9, 30, 15, tzinfo=UTC)

    def test_a_case_is_opened_once_with_one_notice(self, card):
        """However often the sweep runs."""
        for _ in range(3):
            tick(NOW)
        assert RenewalCase.objects.get().state == "notified"
        assert OutboxMessage.objects.filter(kind="renewal-notice").count() == 1

    def test_a_client_finds_the_case_that_the_sweep_opened(self, card):
        """One open case per pair."""
        tick(NOW)
        Enrolment(card).login()
        tick(NOW)
        assert RenewalCase.objects.count() == 1

    def test_an_expired_pair_is_not_invited(self, card):
        """After a long outage nobody is told to renew what cannot be."""
        tick(DUE + timedelta(days=1))
        assert RenewalCase.objects.count() == 0

    def test_a_refused_pair_is_not_opened_again(self, world, card):
        """Neither by sweep."""
        Enrolment(card).until("requests")
        decisions.refuse_renewal(RenewalCase.objects.get().pk, operator=world.operator, reason="Cessato", now=NOW)
        tick(NOW + timedelta(days=1))
        assert RenewalCase.objects.get().state == "cancelled"


class TestExpiry:
    """Not installed by the old expiry: Scaduto."""

    def test_the_last_second_is_not_yet_over(self, card):
        """Inclusive, as OpenSSL counts."""
        tick(NOW)
        tick(OLD_NOT_AFTER)
        assert RenewalCase.objects.get().state == "notified"
        tick(DUE)
        assert RenewalCase.objects.get().state == "expired"
        assert_invariants(DUE)

    def test_a_reservation_comes_back(self, card):
        """Signed, nothing asked of the CA: released."""
        Enrolment(card).until("requests")
        tick(DUE)
        assert RenewalCase.objects.get().state == "expired"
        assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(10, 0)}
        assert_invariants(DUE)

    def test_issued_and_not_installed_is_revoked_and_debited(self, card, ca):
        """The CA did issue them; no key of a dead case stays alive."""
        Enrolment(card).until("installation")
        tick(DUE)
        tick(DUE)
        assert new_statuses() == {"revoked"}
        assert at_the_ca(ca) == {StatusKind.REVOKED}
        assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(9, 0)}
        assert_invariants(DUE)

    def test_issued_only_after_the_case_died_is_revoked_too(self, card, ca):
        """The answer was lost, the case expired, then the certificates turn up."""
        enrolment = Enrolment(card).until("requests")
        ca.drops_answers = True
        enrolment.request()
        assert enrolment.answer.status_code == 202
        tick(DUE)
        ca.drops_answers = False
        for minutes in range(1, 30):
            tick(DUE + timedelta(minutes=minutes))
        assert new_statuses() == {"revoked"}
        assert_invariants(DUE + timedelta(minutes=30))


class TestSuspension:
    """Not approved by the old expiry: the new certificates are suspended."""

    @pytest.fixture(autouse=True)
    def _completed(self, card):
        Enrolment(card).until("done")

    def test_they_work_until_the_last_second(self):
        """Active at once, and never suspended early."""
        tick(OLD_NOT_AFTER)
        assert new_statuses() == {"active"}

    def test_they_are_suspended_when_it_has_passed(self, ca):
        """Both halves, here and at the CA, with one mail and one event."""
        tick(DUE)
        tick(DUE)
        assert new_statuses() == {"held"}
        assert at_the_ca(ca) == {StatusKind.HELD}
        assert OutboxMessage.objects.filter(kind="suspended").count() == 1
        assert Event.objects.filter(verb="case.suspension-due").count() == 1
        assert_invariants(DUE)

    def test_it_is_never_back_dated(self):
        """Three days of outage: suspended when it happens, 120 days from then."""
        late = DUE + timedelta(days=3)
        tick(late)
        assert set(Hold.objects.values_list("placed_at", flat=True)) == {late}
        assert Hold.objects.first().lapses_at == DAY_121 + timedelta(days=3)

    def test_the_old_certificates_are_left_alone(self, card):
        """They are expired; nothing is revoked by a renewal."""
        tick(DUE)
        assert set(Certificate.objects.filter(pair=card.pair).values_list("status", flat=True)) == {"active"}

    def test_approval_reactivates(self, world, ca):
        """Until day 120, with a mail once both halves are back."""
        tick(DUE)
        day_120 = DAY_121 - ONE_SECOND
        decisions.approve_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=day_120)
        tick(day_120)
        assert new_statuses() == {"active"}
        assert at_the_ca(ca) == {StatusKind.GOOD}
        assert OutboxMessage.objects.filter(kind="reactivated").count() == 1
        assert OutboxMessage.objects.filter(kind="authorised").count() == 0
        tick(DAY_121)
        assert new_statuses() == {"active"}
        assert_invariants(DAY_121)

    def test_another_cause_keeps_it_suspended(self, world):
        """Approval removes its own cause only."""
        tick(DUE)
        half = Certificate.objects.filter(pair__predecessor__isnull=False).first()
        certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=DUE)
        decisions.approve_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=DUE)
        tick(DUE)
        half.refresh_from_db()
        assert half.status == "held"
        assert new_statuses() == {"held", "active"}

    def test_day_120_is_included_in_full(self):
        """Calendar days in Rome; the day of suspension is not counted."""
        tick(DUE)
        tick(DAY_121 - ONE_SECOND)
        assert new_statuses() == {"held"}
        tick(DAY_121)
        tick(DAY_121)
        assert new_statuses() == {"revoked"}
        case = RenewalCase.objects.get()
        assert (case.state, case.close_reason) == ("expired", "approval-lapsed")
        assert OutboxMessage.objects.filter(kind="revoked").count() == 1
        assert_invariants(DAY_121)

    def test_a_refusal_suspends_at_the_same_instant(self, world):
        """Refused after installation: recorded, nothing else, until the old expiry."""
        decisions.refuse_renewal(RenewalCase.objects.get().pk, operator=world.operator, reason="Cessato", now=NOW)
        tick(OLD_NOT_AFTER)
        assert new_statuses() == {"active"}
        tick(DUE)
        assert new_statuses() == {"held"}

    def test_three_workers_suspend_once(self, ca):
        """Any number of sweeps and carriers, the same minute."""
        for _ in range(3):
            sweeps.suspend_unauthorised(now=DUE)
        for _ in range(3):
            requests.carry_out_due(at=DUE)
        assert Hold.objects.count() == 2
        assert Event.objects.filter(verb="certificate.held").count() == 2


def test_an_automatic_agreement_knows_no_suspension(world):
    """Concluded is concluded."""
    world.agreement.approval = ApprovalMode.AUTOMATIC
    world.agreement.save()
    Enrolment(world.card()).until("done")
    tick(DUE + timedelta(days=200))
    assert new_statuses() == {"active"}
    assert RenewalCase.objects.get().authorisation == "not-required"


def test_a_holders_own_hold_lapses_after_120_days_too(world, card):
    """The rule holds for a suspension of any cause, while the certificate itself has not expired."""
    half = Certificate.objects.get(pair=card.pair, type="signature")
    Certificate.objects.filter(pk=half.pk).update(not_after=NOW + timedelta(days=365))
    certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=NOW)
    tick(NOW)
    tick(NOW + timedelta(days=121))
    tick(NOW + timedelta(days=121))
    half.refresh_from_db()
    assert (half.status, half.revocation_cause) == ("revoked", "hold-lapsed")


def test_a_revocation_overtakes_a_hold_whose_outcome_is_unknown(world, ca):
    """Stored after it, carried out before it; the hold is then dropped, not refused."""
    card = world.card()
    half = Certificate.objects.get(pair=card.pair, type="signature")
    certificates.place_hold(half, HoldCause.OPERATOR, days=120, actor=SYSTEM, at=NOW)
    ca.loses_requests = True
    requests.carry_out_due(at=NOW)
    ca.loses_requests = False
    certificates.request_revocation(half, RevocationCause.KEY_COMPROMISED, at=NOW)
    requests.carry_out_due(at=NOW)
    half.refresh_from_db()
    assert half.status == "revoked"
    requests.carry_out_due(at=NOW + timedelta(minutes=5))
    assert set(CaRequest.objects.exclude(kind="issue").values_list("kind", "state")) == {
        ("hold", "cancelled"),
        ("revoke", "done"),
    }
    assert_invariants(NOW + timedelta(minutes=5))


def test_a_pair_revoked_for_another_cause_has_no_deadline_left(world):
    """Both halves held by the holder for 120 days while nobody approved: nothing to approve, nothing to suspend."""
    Enrolment(world.card()).until("done")
    for half in Certificate.objects.filter(pair__predecessor__isnull=False):
        certificates.place_hold(half, HoldCause.HOLDER, days=20, actor=SYSTEM, at=NOW)
    tick(NOW)
    lapsed = NOW + timedelta(days=21)
    tick(lapsed)
    tick(lapsed)
    assert new_statuses() == {"revoked"}
    assert RenewalCase.objects.get().due_kind == ""
    with pytest.raises(CertificatesGone):
        decisions.approve_renewal(RenewalCase.objects.get().pk, operator=world.operator, now=lapsed)
    tick(DUE)
    assert_invariants(DUE)
