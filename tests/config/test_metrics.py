"""What Prometheus reads: the figures of reliability, to whom shows the token, about nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from cms.models import SealCheck, StatusCheck, StatusDifference
from config import conditions, watch
from config.models import Alarm
from renewals.models import RenewalCase
from tests.authority import founding
from tests.panel.town import NOW, Town

TOKEN = "una-chiave-di-prova-lunga-abbastanza-000"


@pytest.fixture
def scraped(db, clock, settings):
    clock.instant, settings.METRICS_TOKEN = NOW, TOKEN

    def scrape():
        answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        families = text_string_to_metric_families(answer.content.decode())
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    return scrape


def test_a_quiet_installation_reads_zero(scraped):
    figures = scraped()

    assert {value for (name, *_), value in figures.items()} == {0.0}
    assert {labels[0] for name, *labels in figures if name == "sigillo_alarm_open"} == set(conditions.CONDITIONS)
    for name in ("overdue_suspensions", "overdue_revocations", "effect_unknown", "status_mismatch", "stock_low"):
        assert (f"sigillo_{name}",) in figures


def test_each_figure_tells_what_it_is_named_after(scraped):
    founding.found("p-256", at=NOW - timedelta(hours=6))
    for name, seconds in (("beat", 10), ("schedule", 20), ("watch", 30)):
        watch.note_life(name, now=NOW - timedelta(seconds=seconds))
    SealCheck.objects.create(at=NOW - timedelta(hours=1), seq=1, digest="0" * 64, findings=1)
    check = StatusCheck.objects.create(started_at=NOW, finished_at=NOW - timedelta(minutes=1))
    StatusDifference.objects.create(check_run=check, kind="crl", issuer_key_id="0a", serial="0b", found_at=NOW)
    Alarm.objects.create(kind="crl-old", opened_at=NOW, seen_at=NOW)
    town = Town()
    case = town.completed(town.case(days_left=-1))
    RenewalCase.objects.filter(pk=case.pk).update(due_kind="suspend", due_at=NOW - timedelta(minutes=6))

    figures = scraped()

    for name, value in {
        "beat_age_seconds": 10, "canary_task_age_seconds": 20, "watch_age_seconds": 30, "overdue_suspensions": 1,
        "audit_chain_ok": 0, "audit_chain_age_seconds": 3600, "status_mismatch": 1, "status_check_age_seconds": 60,
    }.items():  # fmt: skip
        assert figures[f"sigillo_{name}",] == value, name
    assert figures["sigillo_alarm_open", "crl-old"] == 1
    assert figures["sigillo_crl_age_ratio", "cns"] == pytest.approx(0.25, abs=0.01)
    assert figures["sigillo_outbox_oldest_seconds",] > 0


def test_a_scrape_is_a_bounded_number_of_statements_and_names_nobody(scraped):
    town = Town()
    town.completed(town.case())
    with CaptureQueriesContext(connection) as asked:
        figures = scraped()

    assert len(asked) <= 36
    written = " ".join(str(part) for key in figures for part in key)
    assert town.centre.name not in written
    assert "@" not in written


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer falsch", TOKEN[:-1], "Bearer " + TOKEN + "x", "Bearer ü"])
def test_without_the_token_nobody_reads_them(db, settings, given):
    settings.METRICS_TOKEN = TOKEN

    answer = Client().get("/metrics", headers={"authorization": given})
    assert (answer.status_code, answer.content) == (401, b"")


def test_without_a_configured_token_there_is_no_such_page(db, settings):
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_an_absent_database_is_told_as_such(db, settings, clock):
    settings.METRICS_TOKEN = TOKEN

    def away(*_):
        raise DatabaseError

    with connection.execute_wrapper(away):
        assert Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 503
