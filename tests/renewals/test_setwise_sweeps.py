"""Sweeps that move many cases in one statement: what they write, whom they wait for, what they cost, when they stop."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Event, Hold, Holder
from cms.services import certificates, requests
from cms.states import HoldCause
from renewals import invariants, sweeps
from renewals.models import RenewalCase, RevocationStop
from renewals.services import cases, decisions, notices, setwise
from runtime import nudge
from runtime.stint import Stint
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.crowd import BIG, STRIDE, _copy
from tests.renewals.test_races import DUE, together
from tests.renewals.test_statements import scanned

DAY_121 = datetime(2026, 7, 29, 22, 0, tzinfo=UTC)
COLUMNS = [field.attname for field in Event._meta.fields if field.attname not in {"id", "recorded_at"}]


def suspended(world, number):
    """A case that the sweep has suspended, here and at the CA."""
    case = quick.completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)
    requests.carry_out_due(at=DUE)
    return RenewalCase.objects.get(pk=case.pk)


def announcement_of(case, kind):
    return CaRequest.objects.filter(case_code=case.code, kind=kind).values_list("announcement", flat=True)


def test_every_fact_of_a_letter_has_its_expression(world):
    assert set(setwise.FACTS) == set(notices._facts(quick.opened(world, 1)))


@pytest.mark.parametrize(
    "person",
    [
        {},
        {"language": "en", "given_name": 'Anna "Nina" \\ \U0001f600', "surname": "D'Àgostino\u202e"},
        {"email": None, "email_key": None},
    ],
    ids=["plain", "strange", "without-mailbox"],
)
@pytest.mark.parametrize("micros", [0, 123456, 100])
def test_letters_and_events_are_those_that_one_case_alone_would_get(world, person, micros):
    case = quick.completed(world, 1)
    Holder.objects.filter(pk=case.holder_id).update(**person)
    last = case.old_not_after + timedelta(microseconds=micros)
    RenewalCase.objects.filter(pk=case.pk).update(old_not_after=last)
    at = DUE + timedelta(seconds=5, microseconds=micros)

    sweeps.suspend_unauthorised(now=at)
    requests.carry_out_due(at=at)
    case = RenewalCase.objects.select_related("holder", "card", "centre", "service", "issuing_service").get(pk=case.pk)
    sweeps.revoke_unrecovered(now=case.due_at)

    for kind, letter, instant in (("hold", notices.suspension, at), ("revoke", notices.revocation, case.due_at)):
        meant = letter(case, at=instant)
        as_stored = json.loads(json.dumps(asdict(meant))) if meant else None
        assert list(announcement_of(case, kind)) == [as_stored, as_stored]
    for verb, instant in (("case.suspension-due", at), ("case.revocation-due", case.due_at)):
        told = Event.objects.get(verb=verb)
        meant = Event(**cases.event_of(verb, case, actor=SYSTEM, at=instant))
        assert [getattr(told, name) for name in COLUMNS] == [getattr(meant, name) for name in COLUMNS]


def test_an_unsigned_case_ends_as_a_signed_one_does_alone(world):
    together_ended, alone = quick.opened(world, 1), quick.opened(world, 2)
    cases.expire_case(alone.pk, now=DUE)

    assert sweeps.expire_cases(now=DUE) == 1
    assert sweeps.expire_cases(now=DUE) == 0

    left = [
        (
            RenewalCase.objects.values_list(*cases.STATE_FIELDS).get(pk=case.pk),
            list(Event.objects.filter(case_code=case.code).order_by("pk").values_list("verb", "reason", "outcome")),
        )
        for case in (together_ended, alone)
    ]
    assert left[0] == left[1]
    assert_invariants(DUE)


def test_a_case_whose_certificate_somebody_works_on_waits_and_the_others_do_not(world):
    busy, free = quick.completed(world, 1), quick.completed(world, 2)
    half = Certificate.objects.filter(pair=busy.new_pair).first()
    done = []

    with transaction.atomic():
        Certificate.objects.select_for_update(no_key=True).get(pk=half.pk)
        together(lambda: done.append(sweeps.suspend_unauthorised(now=DUE)))

    assert done == [1]
    assert RenewalCase.objects.get(pk=free.pk).suspended_at == DUE
    assert RenewalCase.objects.get(pk=busy.pk).suspended_at is None
    assert sweeps.suspend_unauthorised(now=DUE) == 1


def test_a_hold_lifted_just_before_is_seen(world):
    """What counts is what stands once the certificates are locked, not when the sweep began to look."""
    case = quick.completed(world, 1)
    halves = list(Certificate.objects.filter(pair=case.new_pair).select_related("pair"))
    with transaction.atomic():
        for half in halves:
            certificates.place_hold(half, HoldCause.OPERATOR, days=120, actor=SYSTEM, at=NOW)
    requests.carry_out_due(at=NOW)

    def lift():
        with transaction.atomic():
            for half in Certificate.objects.filter(pair=case.new_pair).select_for_update(no_key=True).order_by("pk"):
                certificates.lift_hold(half, HoldCause.OPERATOR, origin="operator", actor=SYSTEM, at=DUE)

    together(lift, lambda: sweeps.suspend_unauthorised(now=DUE))
    sweeps.suspend_unauthorised(now=DUE)
    for seconds in range(0, 30, 5):
        requests.carry_out_due(at=DUE + timedelta(seconds=seconds))

    assert set(Certificate.objects.filter(pair=case.new_pair).values_list("status", flat=True)) == {"held"}
    assert_invariants(DUE)


class TestAStop:
    """While one is in force, nothing is revoked by the clock; suspensions go on."""

    @pytest.fixture
    def stop(self, world):
        return RevocationStop.objects.create(
            reason="Guasto della CA",
            asked_by=1,
            asked_at=DAY_121 - timedelta(days=2),
            confirmed_by=2,
            confirmed_at=DAY_121 - timedelta(days=1),
            ends_at=DAY_121 + timedelta(days=5),
        )

    def test_a_missing_approval_waits_for_its_end(self, world, stop):
        suspended(world, 1)
        assert sweeps.revoke_unrecovered(now=DAY_121) == 0
        assert sweeps.revoke_unrecovered(now=stop.ends_at) == 1

    def test_another_cause_waits_for_its_end(self, world, stop):
        case = quick.completed(world, 1)
        decisions.approve_renewal(case.pk, operator=world.operator, now=NOW)
        half = Certificate.objects.filter(pair=case.new_pair).first()
        with transaction.atomic():
            certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=NOW)
        assert sweeps.revoke_lapsed_holds(now=DAY_121) == 0
        assert sweeps.revoke_lapsed_holds(now=stop.ends_at) == 1

    def test_its_lifting_lets_them_go_on(self, world, stop):
        suspended(world, 1)
        stop.closed_at, stop.closed_by = DAY_121 + timedelta(hours=1), 2
        stop.save()
        assert sweeps.revoke_unrecovered(now=DAY_121) == 0
        assert sweeps.revoke_unrecovered(now=stop.closed_at) == 1

    def test_suspensions_go_on(self, world, stop):
        quick.completed(world, 1)
        assert sweeps.suspend_unauthorised(now=DAY_121) == 1

    def test_what_was_not_confirmed_stops_nothing(self, world, stop):
        suspended(world, 1)
        RevocationStop.objects.update(confirmed_at=None, confirmed_by=None)
        assert sweeps.revoke_unrecovered(now=DAY_121) == 1

    def test_what_waits_behind_it_is_no_breach(self, world, stop):
        suspended(world, 1)
        for instant in (stop.ends_at - timedelta(seconds=1), stop.ends_at + timedelta(minutes=1)):
            assert "I4" not in {breach.invariant for breach in invariants.breaches(now=instant)}
        late = invariants.breaches(now=stop.ends_at + timedelta(hours=1))
        assert "I4" in {breach.invariant for breach in late}


def test_a_task_whose_stint_is_over_leaves_the_rest_to_the_next_and_pokes_it(world, settings, monkeypatch):
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"sweep_batch": 1})
    poked = []
    monkeypatch.setattr(nudge, "send", lambda task, *_: poked.append(task))
    monkeypatch.setattr(sweeps, "STINT_SECONDS", 0.0)
    for number in range(2):
        quick.completed(world, number)

    assert sweeps.suspend_unauthorised(now=DUE) == 1
    assert "renewals.tasks.sweep_unauthorised" in poked
    assert sweeps.suspend_unauthorised(now=DUE) == 1


def test_a_stint_ends():
    assert Stint(0.0).is_over
    assert not Stint().is_over


class Counted:
    """Statements of a call, and the big tables that one of them would read from end to end."""

    def __init__(self):
        self.statements = 0
        self.scans = []

    def __call__(self, execute, statement, params, many, context):
        self.statements += 1
        if statement.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "WITH")):
            with context["cursor"].connection.cursor() as own:
                own.execute(f"EXPLAIN (FORMAT JSON) {statement}", params)
                plan = own.fetchone()[0]
            tables = scanned((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
            self.scans += [(table, statement) for table in tables if table in {*BIG, "cms_hold"}]
        return execute(statement, params, many, context)


def days_work(day_121=DAY_121):
    counted = Counted()
    with connection.execute_wrapper(counted):
        assert sweeps.suspend_unauthorised(now=DUE)
        assert requests.carry_out_due(at=DUE)
        assert sweeps.revoke_unrecovered(now=day_121)
        assert requests.carry_out_due(at=day_121)
    return counted


def test_a_night_costs_as_many_statements_for_nine_as_for_one_and_reads_no_table_through(world, superuser):
    quick.completed(world, 1)
    few = days_work()
    templates = [quick.completed(world, number) for number in range(2, 11)]
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for table in (*BIG, "cms_hold"):
            _copy(boss, table, times=500)
        boss.execute("UPDATE renewals_renewalcase SET due_at = due_at + interval '1 year' WHERE id > %s", [STRIDE])
        boss.execute("ANALYZE")

    many = days_work()

    assert many.scans == []
    assert many.statements == few.statements
    assert RenewalCase.objects.filter(pk__in=[case.pk for case in templates], state="expired").count() == 9
    mine = [case.new_pair_id for case in templates]
    assert Hold.objects.filter(ended_at=DAY_121, certificate__pair__in=mine).count() == 18
