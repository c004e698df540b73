"""Between the question and its answer a case may be decided by somebody else: nothing is dropped without a word."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cms.models import Job
from renewals.services import bulk, decisions
from tests.panel.test_decisions_several import asked, said, token_of
from tests.panel.town import NOW


@pytest.fixture
def sure(desk, freshly):
    return freshly(desk)


def answer_to(page) -> dict[str, object]:
    """What the button of this page sends."""
    return {"token": token_of(page), "pratica": re.findall(r'name="pratica" value="(\d+)"', said(page))}


def test_a_case_decided_in_between_is_a_row_of_the_job_with_the_reason(town, sure):
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(3)]
    address = asked("non-approva", cases)
    form = answer_to(sure.get(address))
    colleague = town.employ("collega@cdrl.example.org")
    decisions.approve_renewal(cases[1].pk, operator=colleague, now=NOW)

    sure.post(address, {**form, "reason": "Non più iscritto"})

    job = Job.objects.get()
    bulk.carry_out(job.pk, at=NOW + timedelta(seconds=5))
    assert list(job.rows.order_by("position").values_list("subject_id", "state")) == [
        (cases[0].pk, "done"),
        (cases[1].pk, "refused"),
        (cases[2].pk, "done"),
    ]
    row = job.rows.get(state="refused")
    assert row.code
    assert row.text


def test_a_second_click_after_the_job_has_ended_finds_that_job(town, sure):
    cases = [town.completed(town.case()) for _ in range(2)]
    address = asked("approva", cases)
    form = answer_to(sure.get(address))
    first = sure.post(address, form)
    bulk.carry_out(Job.objects.get().pk, at=NOW + timedelta(seconds=5))

    second = sure.post(address, form)

    assert second["Location"] == first["Location"]
    assert Job.objects.count() == 1


def test_what_the_question_left_out_stays_out(town, sure):
    waiting, told = town.completed(town.case()), town.case()
    address = asked("approva", [waiting, told])

    sure.post(address, answer_to(sure.get(address)))

    assert list(Job.objects.get().rows.values_list("subject_id", flat=True)) == [waiting.pk]


def test_foreign_cases_in_the_answer_are_as_if_they_were_not_there(town, sure):
    town.buy(town.centre, town.other_service, 2)
    foreign = town.completed(town.case(service=town.other_service))
    own = town.completed(town.case())
    address = asked("approva", [own])
    form = answer_to(sure.get(address))

    sure.post(address, {**form, "pratica": [str(own.pk), str(foreign.pk)]})

    assert list(Job.objects.get().rows.values_list("subject_id", flat=True)) == [own.pk]
