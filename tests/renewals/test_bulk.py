"""Decisions on many cases: a job whose rows are decided one by one, whoever is killed on the way."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection

from cms.errors import DomainError
from cms.models import Event, Job, JobRow, Membership
from cms.services import jobs
from cms.states import Role
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services import bulk, decisions
from tests.panel.town import NOW, Town


class Killed(BaseException):
    """The process dies here; nothing catches it."""


@pytest.fixture
def town(committed, clock):
    """Rows with real commits: a claim is worth nothing inside a transaction."""
    clock.instant = NOW
    return Town()


def waiting(town, many: int) -> list[RenewalCase]:
    """Completed cases that wait for the centre."""
    return [town.completed(town.case(days_left=5 + number)) for number in range(many)]


def approve(town, cases, token=None, operator=None) -> list[Job]:
    ids = [case.pk for case in cases]
    return bulk.approve_renewals(ids, operator=operator or town.operator, token=token or uuid.uuid4(), now=NOW)


def later(minutes: float):
    return NOW + timedelta(minutes=minutes)


def outcomes(job) -> list[tuple[int | None, str, str]]:
    return list(JobRow.objects.filter(job=job).order_by("position").values_list("subject_id", "state", "code"))


def refusal_of(act) -> str:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.reason_code


def test_forty_cases_are_approved_each_by_the_one_who_asked(town):
    cases = waiting(town, 40)

    (job,) = approve(town, cases[::-1])
    bulk.carry_out(job.pk, at=later(1))

    job.refresh_from_db()
    assert (job.state, job.total, job.done, job.refused, job.next_attempt_at) == ("done", 40, 40, 0, None)
    assert outcomes(job) == [(case.pk, "done", "") for case in cases]  # the most urgent first
    assert RenewalCase.objects.filter(authorisation="approved", decided_by=town.operator.pk).count() == 40
    assert Event.objects.filter(verb="case.approved", actor_id=town.operator.pk, channel="panel").count() == 40
    assert OutboxMessage.objects.filter(kind="authorised").count() == 40
    assert Event.objects.get(verb="job.started").facts["rows"] == 40


def test_a_refusal_tells_every_holder_the_one_reason(town):
    cases = waiting(town, 3)

    (job,) = bulk.refuse_renewals(
        [case.pk for case in cases], operator=town.operator, reason=" Non più \n iscritti ", token=uuid.uuid4(), now=NOW
    )
    bulk.carry_out(job.pk, at=later(1))

    assert set(RenewalCase.objects.values_list("authorisation", "decision_reason")) == {("refused", "Non più iscritti")}


def test_a_row_that_is_refused_says_why_and_stops_no_other(town):
    first, own, decided, automatic, last = waiting(town, 5)
    type(town.operator).objects.filter(pk=town.operator.pk).update(tax_code=own.holder.tax_code)
    decisions.approve_renewal(decided.pk, operator=town.employ("altro@cdrl.example.org"), now=NOW)
    RenewalCase.objects.filter(pk=automatic.pk).update(approval_mode="automatic")

    (job,) = approve(town, [first, own, decided, automatic, last])
    bulk.carry_out(job.pk, at=later(1))

    assert [(state, code) for _pk, state, code in outcomes(job)] == [
        ("done", ""),
        ("refused", "approver-is-holder"),
        ("done", ""),
        ("refused", "decision-not-open"),
        ("done", ""),
    ]
    texts = dict(JobRow.objects.filter(job=job).values_list("subject_id", "text"))
    assert texts[decided.pk] == "Il rinnovo era già stato approvato."
    assert "non può decidere sul proprio rinnovo" in texts[own.pk]
    job.refresh_from_db()
    assert (job.done, job.refused) == (3, 2)


def test_a_role_that_was_taken_away_meanwhile_decides_nothing(town):
    (job,) = approve(town, waiting(town, 2))
    Membership.objects.filter(user=town.operator).update(role=Role.AUDITOR)

    bulk.carry_out(job.pk, at=later(1))

    assert {code for _pk, _state, code in outcomes(job)} == {"role-insufficient"}
    assert not RenewalCase.objects.filter(authorisation="approved").exists()


@pytest.mark.parametrize("dies_at", ["before the row", "after the decision", "after the commit"])
def test_a_worker_killed_anywhere_loses_nothing_and_repeats_nothing(town, monkeypatch, dies_at):
    cases = waiting(town, 6)
    (job,) = approve(town, cases)
    real, calls = (jobs._carry_out_batch if dies_at == "after the commit" else decisions.approve_renewal), []

    def deadly(*arguments, **named):
        calls.append(1)
        if len(calls) == 3 and dies_at == "before the row":
            raise Killed
        done = real(*arguments, **named)
        if len(calls) == 3:
            raise Killed
        return done

    with monkeypatch.context() as patch:
        patch.setattr(
            *((jobs, "_carry_out_batch") if dies_at == "after the commit" else (decisions, "approve_renewal")), deadly
        )
        with pytest.raises(Killed):
            bulk.carry_out(job.pk, at=later(1))

    assert bulk.carry_out_due(at=later(1.5)) == 0  # the dead worker's lease still stands
    assert bulk.carry_out_due(at=later(5)) == 1

    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == ("done", 6, 0)
    assert Event.objects.filter(verb="case.approved").count() == 6
    assert OutboxMessage.objects.filter(kind="authorised").count() == 6


def test_two_workers_share_nothing(town):
    cases = waiting(town, 8)
    (job,) = approve(town, cases)

    def work():
        try:
            bulk.carry_out(job.pk, at=later(1))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 8)
    assert Event.objects.filter(verb="case.approved").count() == 8


def test_a_fault_of_ours_ends_its_row_and_tells_no_details(town, monkeypatch):
    first, second = waiting(town, 2)
    (job,) = approve(town, [first, second])
    real = decisions.approve_renewal

    def faulty(case_id, **named):
        if case_id == first.pk:
            raise ZeroDivisionError(first.holder.tax_code)
        return real(case_id, **named)

    monkeypatch.setattr(decisions, "approve_renewal", faulty)
    bulk.carry_out(job.pk, at=later(1))

    assert [(state, code) for _pk, state, code in outcomes(job)] == [("refused", "internal-error"), ("done", "")]
    assert JobRow.objects.get(subject_id=first.pk).text == "Operazione non riuscita."


def test_a_double_click_starts_one_job(town):
    cases, token = waiting(town, 2), uuid.uuid4()

    assert approve(town, cases, token) == approve(town, cases, token)
    assert Job.objects.count() == 1


def test_cases_of_two_centres_make_two_jobs(town):
    elsewhere = town.found("cdrl-due", "Secondo ordine di esempio")
    town.offer("cns-firma-3-anni", "CNS - Firma 3 anni", centre=elsewhere)
    town.offer("cns-eidas-firma", "CNS – eIDAS Firma Digitale", centre=elsewhere)
    town.buy(elsewhere, town.eidas, 3)
    here, there = town.completed(town.case()), town.completed(town.case(centre=elsewhere))
    Membership.objects.create(user=town.operator, centre=elsewhere, role=Role.MANAGER)

    started = approve(town, [here, there])

    assert {job.centre_id for job in started} == {town.centre.pk, elsewhere.pk}


def test_what_cannot_be_started_is_refused(town, settings):
    cases = waiting(town, 3)
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"bulk_most": 2})
    stranger = town.employ("straniero@cdrl.example.org", centre=town.found("altrove", "Altrove"))
    auditor = town.employ("revisore@cdrl.example.org", role=Role.AUDITOR)

    assert refusal_of(lambda: approve(town, [])) == "selection-empty"
    assert refusal_of(lambda: approve(town, cases)) == "selection-too-large"
    assert refusal_of(lambda: approve(town, cases[:1], operator=stranger)) == "scope-foreign"
    assert refusal_of(lambda: approve(town, cases[:1], operator=auditor)) == "role-insufficient"
    assert (
        refusal_of(
            lambda: bulk.refuse_renewals(
                [cases[0].pk], operator=town.operator, reason=" \x00 ", token=uuid.uuid4(), now=NOW
            )
        )
        == "reason-missing"
    )
    assert not Job.objects.exists()
