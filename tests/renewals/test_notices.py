"""Reminders and warnings: at 30, 15, 7 and 1 days before an end, each once, and none without a reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cms.actors import SYSTEM
from cms.models import Certificate, Hold, Holder
from cms.policy import days_before
from cms.services import certificates, requests
from cms.states import ApprovalMode, HoldCause
from notifications.models import OutboxMessage
from notifications.rendering import render
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import cases, decisions, reminders
from renewals.services.notices import REASONS
from runtime import sealing
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment
from tests.renewals.quick import completed, opened, signed
from tests.renewals.test_clock import DAY_121, DUE
from tests.renewals.world import OLD_NOT_AFTER

MINUTE = timedelta(minutes=1)
WARNINGS = ("renewal-reminder", "suspension-warning", "revocation-warning")


def told(*kinds):
    """Kind and threshold of the notices posted so far, in their order."""
    rows = OutboxMessage.objects.filter(kind__in=kinds or WARNINGS).order_by("created_at", "key")
    return [(row.kind, row.context["days"]) for row in rows]


def thresholds(end, *days):
    """Instants at which so many days are left."""
    return [days_before(end, left) for left in days]


def suspended(world, number=1):
    """A case that nobody approved in time."""
    case = completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)
    requests.carry_out_due(at=DUE)
    return RenewalCase.objects.get(pk=case.pk)


class TestThresholds:
    """NOW is 29 days before the old expiry: 15, 7 and 1 are left."""

    def test_an_open_case_is_reminded_at_each_threshold(self, world):
        opened(world, 1)
        for instant in thresholds(OLD_NOT_AFTER, 15, 7, 1):
            reminders.tell_due(now=instant - MINUTE)
            before = len(told())
            reminders.tell_due(now=instant)
            reminders.tell_due(now=instant + MINUTE)
            assert len(told()) == before + 1
        assert told() == [("renewal-reminder", 15), ("renewal-reminder", 7), ("renewal-reminder", 1)]
        assert RenewalCase.objects.get().notice_kind == ""

    def test_the_threshold_before_the_opening_mail_is_not_told(self, world):
        """The opening mail has just told of the end; a client that came 29 days before it is not told of the 30."""
        case = opened(world, 1)
        assert (case.notice_kind, case.notice_at) == ("renewal", days_before(OLD_NOT_AFTER, 15))
        reminders.tell_due(now=NOW)
        assert told() == []

    def test_a_completed_case_is_warned_of_its_suspension(self, world):
        completed(world, 1)
        for instant in thresholds(OLD_NOT_AFTER, 15, 7, 1):
            reminders.tell_due(now=instant)
        assert told() == [("suspension-warning", 15), ("suspension-warning", 7), ("suspension-warning", 1)]

    def test_a_suspended_case_is_warned_of_its_revocation(self, world):
        suspended(world)
        for instant in thresholds(DAY_121, 31, 30, 15, 7, 1, 0):
            reminders.tell_due(now=instant)
        assert told() == [("revocation-warning", days) for days in (30, 15, 7, 1)]
        assert_invariants(thresholds(DAY_121, 1)[0])

    def test_the_warning_says_until_when_and_why(self, world):
        suspended(world)
        reminders.tell_due(now=days_before(DAY_121, 7))
        context = OutboxMessage.objects.get(kind="revocation-warning").context
        assert (context["revoke_on"], context["reason"]) == (DAY_121.isoformat(), REASONS["missing-approval"])

    def test_being_down_over_two_thresholds_sends_the_nearest_alone(self, world):
        """Down from before the 15th until after the 7th day: one mail, and the next one is that of the last day."""
        case = completed(world, 1)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 6))
        assert told() == [("suspension-warning", 7)]
        case.refresh_from_db()
        assert case.notice_at == days_before(OLD_NOT_AFTER, 1)

    def test_down_over_the_end_nothing_is_told(self, world):
        """The case is no longer looked at either, although no sweep has moved it yet."""
        completed(world, 1)
        opened(world, 2)
        reminders.tell_due(now=DUE)
        assert told() == []
        assert not RenewalCase.objects.filter(notice_at__isnull=False).exists()

    def test_the_last_second_is_still_told(self, world):
        completed(world, 1)
        reminders.tell_due(now=OLD_NOT_AFTER)
        assert told() == [("suspension-warning", 1)]

    def test_a_row_that_is_not_really_due_is_planned_again(self, world):
        """As the migration leaves the rows of an older installation."""
        case = opened(world, 1)
        RenewalCase.objects.update(notice_at=NOW, notice_kind="revocation-warning")
        reminders.tell_due(now=NOW)
        case.refresh_from_db()
        assert (case.notice_kind, case.notice_at, case.noticed_at) == ("renewal", days_before(OLD_NOT_AFTER, 15), None)
        assert told() == []

    def test_each_mail_is_in_the_holders_language(self, world):
        opened(world, 1)
        Holder.objects.update(language="en")
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))
        assert OutboxMessage.objects.get(kind="renewal-reminder").language == "en"

    def test_a_holder_without_a_mailbox_is_passed_over(self, world):
        case = opened(world, 1)
        Holder.objects.update(email=None, email_key=None)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))
        case.refresh_from_db()
        assert (told(), case.notice_at) == ([], days_before(OLD_NOT_AFTER, 1))

    def test_an_address_that_cannot_travel_keeps_nobody_elses_mail(self, world):
        """From an import that took anything: it is logged, and the others are told."""
        opened(world, 1)
        opened(world, 2)
        Holder.objects.filter(email__startswith="titolare1").update(email="nessuno@@example.org")
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))
        assert told() == [("renewal-reminder", 7)]


class TestNothingLeftToDo:
    """Every way out ends the mails: those to come, and those that wait in the queue."""

    @pytest.fixture
    def warned(self, world):
        """A completed case whose 15 days' warning was posted and not sent."""
        case = completed(world, 1)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 15))
        assert told() == [("suspension-warning", 15)]
        return case

    @staticmethod
    def assert_silent(since, *, until=DAY_121):
        """No warning waits, and none is told until day 121."""
        assert told() == []
        for instant in thresholds(OLD_NOT_AFTER, 7, 1) + thresholds(until, 30, 15, 7, 1):
            reminders.tell_due(now=max(since, instant))
        assert told() == []

    def test_approved(self, world, warned):
        decisions.approve_renewal(warned.pk, operator=world.operator, now=days_before(OLD_NOT_AFTER, 14))
        self.assert_silent(days_before(OLD_NOT_AFTER, 14))

    def test_approved_after_the_suspension(self, world):
        case = suspended(world)
        reminders.tell_due(now=days_before(DAY_121, 30))
        decisions.approve_renewal(case.pk, operator=world.operator, now=days_before(DAY_121, 29))
        self.assert_silent(days_before(DAY_121, 29))

    def test_cancelled(self, world):
        case = opened(world, 1)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 15))
        cases.cancel_case(case.pk, reason="holder-declines", actor=SYSTEM, at=days_before(OLD_NOT_AFTER, 14))
        self.assert_silent(days_before(OLD_NOT_AFTER, 14))

    def test_refused_before_the_installation(self, world):
        case = signed(world, 1)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 15))
        at = days_before(OLD_NOT_AFTER, 14)
        decisions.refuse_renewal(case.pk, operator=world.operator, reason="Cessato", now=at)
        self.assert_silent(at)

    def test_completed_under_an_automatic_agreement(self, world, clock):
        world.agreement.approval = ApprovalMode.AUTOMATIC
        world.agreement.save()
        enrolment = Enrolment(world.card(1)).until("requests")
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 15))
        assert told() == [("renewal-reminder", 15)]
        enrolment.until("done")
        assert RenewalCase.objects.get().state == "completed"
        self.assert_silent(days_before(OLD_NOT_AFTER, 14))

    def test_expired(self, world):
        opened(world, 1)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 1))
        sweeps.expire_cases(now=DUE)
        assert OutboxMessage.objects.filter(kind="case-expired").count() == 1
        self.assert_silent(DUE)

    def test_suspended(self, world, warned):
        """What warned of the suspension is not sent after it."""
        sweeps.suspend_unauthorised(now=DUE)
        reminders.tell_due(now=DUE)
        assert told() == []

    def test_revoked_on_day_121(self, world):
        suspended(world)
        reminders.tell_due(now=days_before(DAY_121, 1))
        sweeps.revoke_unrecovered(now=DAY_121)
        requests.carry_out_due(at=DAY_121)
        reminders.tell_due(now=DAY_121)
        self.assert_silent(DAY_121)

    def test_refused_where_a_refusal_suspends_at_once(self, world, warned):
        RenewalCase.objects.update(refusal_suspends_at_once=True)
        at = days_before(OLD_NOT_AFTER, 14)
        decisions.refuse_renewal(warned.pk, operator=world.operator, reason="Cessato", now=at)
        assert told() == []

    def test_refused_otherwise_the_warnings_go_on_and_say_why(self, world, warned):
        at = days_before(OLD_NOT_AFTER, 14)
        decisions.refuse_renewal(warned.pk, operator=world.operator, reason="Cessato", now=at)
        reminders.tell_due(now=days_before(OLD_NOT_AFTER, 7))
        assert told() == [("suspension-warning", 15), ("suspension-warning", 7)]
        assert OutboxMessage.objects.get(key__endswith=":7").context["reason"] == "Cessato"

    @pytest.mark.parametrize(
        ("at_once", "late", "until"),
        [
            (False, False, OLD_NOT_AFTER),
            (True, False, datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)),
            (False, True, DAY_121 - timedelta(seconds=1)),
        ],
    )
    def test_the_refusal_says_until_when_an_approval_still_helps(self, world, at_once, late, until):
        """NOW is 2 March: suspended at once, day 120 is 30 June."""
        case = suspended(world) if late else completed(world, 1)
        RenewalCase.objects.update(refusal_suspends_at_once=at_once)
        decisions.refuse_renewal(case.pk, operator=world.operator, reason="Cessato", now=DUE if late else NOW)
        mail = OutboxMessage.objects.get(kind="refused")
        assert mail.context["authorise_by"] == until.isoformat()
        assert ("sospesi dal" in " ".join(render(mail).text.split())) == (at_once or late)
        assert "La pratica è chiusa" not in render(mail).text

    def test_approved_while_another_cause_holds_the_certificates(self, world):
        """Nothing is reactivated, and the holder is told of the decision all the same."""
        case = suspended(world)
        for half in case.new_pair.certificates.all():
            certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=DUE)
        decisions.approve_renewal(case.pk, operator=world.operator, now=DUE)
        requests.carry_out_due(at=DUE)
        kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
        assert "authorised" in kinds
        assert "reactivated" not in kinds

    def test_a_mail_whose_delivery_died_stays_in_the_log(self, world, warned):
        """The server may have taken it before the worker could write that down; only a second try can tell."""
        at = days_before(OLD_NOT_AFTER, 14)
        OutboxMessage.objects.filter(kind="suspension-warning").update(claimed_until=at - MINUTE, fence=1, attempts=1)
        decisions.approve_renewal(warned.pk, operator=world.operator, now=at)
        reminders.tell_due(now=at)
        assert told() == [("suspension-warning", 15)]

    def test_a_mail_that_the_server_put_off_is_taken_back(self, world, warned):
        """It said that it has not taken it: the claim was given back, and the attempt counted."""
        at = days_before(OLD_NOT_AFTER, 14)
        OutboxMessage.objects.filter(kind="suspension-warning").update(fence=1, attempts=1)
        decisions.approve_renewal(warned.pk, operator=world.operator, now=at)
        assert told() == []

    def test_a_mail_that_a_delivery_holds_is_left_to_it(self, world, warned):
        """It may be with the mail server already; taking it back would hide what the holder reads."""
        at = days_before(OLD_NOT_AFTER, 14)
        OutboxMessage.objects.filter(kind="suspension-warning").update(claimed_until=at + MINUTE, fence=1, attempts=1)
        decisions.approve_renewal(warned.pk, operator=world.operator, now=at)
        assert told() == [("suspension-warning", 15)]


class TestHoldsOfOtherCauses:
    """The same 120 days, told once for each pair."""

    @pytest.fixture
    def halves(self, world):
        """The certificates of a card in use."""
        return list(Certificate.objects.filter(pair=world.card(1).pair).order_by("type"))

    @staticmethod
    def hold(half, cause=HoldCause.HOLDER, at=NOW):
        """Suspend a half; returns when it is revoked."""
        return certificates.place_hold(half, cause, days=20, actor=SYSTEM, at=at).lapses_at

    def test_both_halves_make_one_mail_at_each_threshold(self, halves):
        for half in halves:
            lapses_at = self.hold(half)
        for instant in thresholds(lapses_at, 15, 7, 1):
            reminders.tell_due(now=instant)
            reminders.tell_due(now=instant)
        assert told("revocation-warning") == [("revocation-warning", days) for days in (15, 7, 1)]
        context = OutboxMessage.objects.filter(kind="revocation-warning").first().context
        assert context["certificate_types"] == "Autenticazione CNS, Firma qualificata"
        assert context["reason"] == "La sospensione è stata chiesta dal titolare."

    def test_halves_held_on_different_days_are_told_of_apart(self, halves):
        self.hold(halves[0])
        lapses_at = self.hold(halves[1], at=NOW + timedelta(days=2))
        reminders.tell_due(now=days_before(lapses_at, 7))
        assert len(told("revocation-warning")) == 2

    def test_lifted_before_it_is_sent_it_is_taken_back(self, halves):
        lapses_at = self.hold(halves[0])
        reminders.tell_due(now=days_before(lapses_at, 15))
        at = days_before(lapses_at, 14)
        certificates.lift_hold(halves[0], HoldCause.HOLDER, origin="holder", actor=SYSTEM, at=at)
        for instant in [at, *thresholds(lapses_at, 7, 1)]:
            reminders.tell_due(now=instant)
            assert told("revocation-warning") == []

    def test_one_lifted_the_other_is_still_warned_of(self, halves):
        for half in halves:
            lapses_at = self.hold(half)
        certificates.lift_hold(halves[0], HoldCause.HOLDER, origin="holder", actor=SYSTEM, at=NOW)
        reminders.tell_due(now=days_before(lapses_at, 7))
        context = OutboxMessage.objects.get(kind="revocation-warning").context
        assert context["certificate_types"] == "Firma qualificata"

    def test_what_expires_before_the_day_is_not_told_of_a_revocation(self, halves):
        """Fifteen days before the end of the hold the certificates still live, and on the day they do not."""
        for half in halves:
            lapses_at = certificates.place_hold(half, HoldCause.HOLDER, days=31, actor=SYSTEM, at=NOW).lapses_at
        assert days_before(lapses_at, 15) < OLD_NOT_AFTER < lapses_at
        for instant in thresholds(lapses_at, 30, 15, 7, 1):
            reminders.tell_due(now=instant)
            assert told("revocation-warning") == []
        assert set(Hold.objects.values_list("notice_at", flat=True)) == {None}

    def test_the_revocation_itself_is_told_once(self, halves):
        for half in halves:
            lapses_at = self.hold(half)
        requests.carry_out_due(at=NOW)
        sweeps.revoke_lapsed_holds(now=lapses_at)
        requests.carry_out_due(at=lapses_at)
        message = OutboxMessage.objects.get(kind="revoked")
        assert message.context["reason"] == "La sospensione è durata oltre 120 giorni."
        assert message.context["certificate_types"] == "Autenticazione CNS, Firma qualificata"

    def test_a_case_that_warns_of_the_same_day_is_enough(self, world):
        """Suspended for missing approval and by the operator on one day: one mail a threshold."""
        case = suspended(world)
        for half in case.new_pair.certificates.all():
            certificates.place_hold(half, HoldCause.OPERATOR, days=120, actor=SYSTEM, at=DUE)
        reminders.tell_due(now=days_before(DAY_121, 30))
        assert told() == [("revocation-warning", 30)]
        assert OutboxMessage.objects.get(kind="revocation-warning").case_code == case.code

    def test_a_missing_approval_leaves_its_warnings_to_the_case(self, world):
        suspended(world)
        assert set(Hold.objects.values_list("notice_at", flat=True)) == {None}


class TestChangedData:
    """What a holder changes during a renewal is named to him, never written."""

    def test_the_mailbox_gets_the_names_of_the_fields(self, world):
        address = {"street": "Via Roma 1", "postcode": "52100", "town": "Arezzo", "province": "AR"}
        Enrolment(world.card(1)).until("contacts").contacts(address=address)
        mail = OutboxMessage.objects.get(kind="data-changed")
        assert mail.context["changed"].splitlines() == ["Indirizzo", "CAP", "Comune", "Provincia"]
        assert "Via Roma" not in render(mail).text

    def test_contacts_that_stay_bring_no_mail(self, world):
        Enrolment(world.card(1)).until("acceptance")
        assert not OutboxMessage.objects.filter(kind="data-changed").exists()

    def test_the_mailbox_that_is_left_hears_of_the_telephone_too(self, world):
        enrolment = Enrolment(world.card(1)).until("contacts")
        enrolment.contacts(email="nuova@posta.example.org", mobile="+393471299999")
        assert not OutboxMessage.objects.filter(kind="data-changed").exists()  # nothing is stored before the code
        mail = OutboxMessage.objects.get(kind="contact-confirmation")
        code = json.loads(sealing.unseal(bytes(mail.sealed_context), context=mail.seal_context))["confirmation_code"]
        enrolment.call("post", "/case/contact-confirmation", {"code": code})
        mails = OutboxMessage.objects.filter(kind="data-changed")
        assert set(mails.values_list("recipient", flat=True)) == {
            "nuova@posta.example.org",
            "titolare1@posta.example.org",
        }
