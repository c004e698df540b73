"""A job under way can be stopped by who started it or by a manager: what is done stays, the rest stays undone."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from cms.errors import JobEnded, RoleTooWeak
from cms.models import Event, Job, JobRow
from cms.services import jobs
from cms.states import JobState, Role
from renewals.models import RenewalCase
from renewals.services import bulk
from tests.panel.town import NOW

LATER = NOW + timedelta(seconds=5)


@pytest.fixture
def job(town) -> Job:
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(3)]
    (started,) = bulk.approve_renewals([case.pk for case in cases], operator=town.operator, token=uuid.uuid4(), now=NOW)
    return started


def address(job: Job, action: str = "") -> str:
    return f"/pannello/operazioni/{job.uid}/{action}"


def test_a_stopped_job_decides_nothing_more(town, desk, job):
    assert address(job, "interrompi/") in desk.get(address(job)).content.decode()
    question = desk.get(address(job, "interrompi/")).content.decode()

    page = desk.post(address(job, "interrompi/"), follow=True).content.decode()
    bulk.carry_out(job.pk, at=LATER)
    bulk.carry_out_due(at=LATER)

    job.refresh_from_db()
    assert "le decisioni prese non vengono annullate" in question
    assert "Interrotta<" in page
    assert page.count("Rimasta da fare<") == 3
    assert "interrompi/" not in page
    assert (job.state, job.finished_at, job.next_attempt_at) == (JobState.STOPPED, NOW, None)
    assert set(job.rows.values_list("state", flat=True)) == {"planned"}
    assert not RenewalCase.objects.filter(authorisation="approved").exists()
    assert Event.objects.get(verb="job.stopped").actor_id == town.operator.pk


def test_rows_that_were_done_before_the_stop_keep_their_outcome(town, desk, job, monkeypatch):
    monkeypatch.setattr(jobs, "TURN", timedelta(seconds=-1))
    bulk.carry_out(job.pk, at=LATER)

    jobs.stop_job(job.uid, operator=town.operator, now=LATER)
    jobs.stop_job(job.uid, operator=town.operator, now=LATER)
    bulk.carry_out(job.pk, at=LATER)

    assert list(JobRow.objects.order_by("position").values_list("state", flat=True)) == ["done", "planned", "planned"]
    assert Event.objects.filter(verb="job.stopped").count() == 1


def test_a_manager_stops_the_job_of_a_colleague_and_nobody_else_does(town, job, seat):
    colleague = town.employ("collega@cdrl.example.org")
    auditor = town.employ("revisore@cdrl.example.org", role=Role.AUDITOR)
    for other in (colleague, auditor):
        client = seat(other, town.service)
        assert "interrompi/" not in client.get(address(job)).content.decode()
        assert "da chi l&#x27;ha avviata" in client.get(address(job, "interrompi/"), follow=True).content.decode()
        with pytest.raises(RoleTooWeak):
            jobs.stop_job(job.uid, operator=other, now=NOW)
    manager = seat(town.employ("responsabile@cdrl.example.org", role=Role.MANAGER), town.service)

    manager.post(address(job, "interrompi/"))

    job.refresh_from_db()
    assert job.state == JobState.STOPPED


def test_a_job_that_has_ended_is_not_stopped_and_says_so(town, desk, job):
    bulk.carry_out(job.pk, at=LATER)

    page = desk.post(address(job, "interrompi/"), follow=True).content.decode()

    assert "job-ended" in page
    with pytest.raises(JobEnded):
        jobs.stop_job(job.uid, operator=town.operator, now=LATER)
    job.refresh_from_db()
    assert job.state == JobState.DONE
