"""The health addresses: what decides over service, and what is only told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from config import health, tasks
from config.models import Canary
from runtime.clock import FakeClock, installed

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with installed(FakeClock(NOON)) as clock:
        yield clock


@pytest.fixture(autouse=True)
def forgotten() -> None:
    health._migrated.clear()


def test_the_process_is_alive_without_its_database(client: Client) -> None:
    """No database access is allowed in this test."""
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.django_db
def test_all_is_well_when_the_canary_sang(client: Client, clock) -> None:
    tasks.sing()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"]["canary"] == {"ok": True, "seconds": 0}


@pytest.mark.django_db
def test_a_silent_canary_is_told_and_takes_nothing_out_of_service(client: Client, clock) -> None:
    assert client.get("/readyz").json()["status"] == "degraded"
    tasks.sing()
    clock.instant = NOON + health.LONGEST_CANARY_SILENCE + timedelta(seconds=1)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["canary"]["ok"] is False


@pytest.mark.django_db
def test_the_canary_sings_on_one_row(clock) -> None:
    tasks.sing()
    clock.instant = NOON + timedelta(seconds=30)
    tasks.sing()
    assert list(Canary.objects.values_list("sang_at", flat=True)) == [NOON + timedelta(seconds=30)]


@pytest.mark.django_db
def test_a_missing_migration_takes_the_process_out_of_service(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one"])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, "migrations")


@pytest.mark.django_db
def test_an_absent_database_takes_the_process_out_of_service(client: Client) -> None:
    def away(*_: object) -> None:
        raise DatabaseError

    with connection.execute_wrapper(away):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, "database")


@pytest.mark.django_db
def test_health_answers_hold_no_more_than_ages(client: Client, clock) -> None:
    tasks.sing()
    assert set(client.get("/readyz").json()["checks"]) == {"canary", "outbox", "revocations"}


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health_is_asked_not_posted(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
