"""The panel's pages over a filled register: a fixed number of statements each, every one on an index, none that counts on."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection

from benchmarks import panel_pages, panel_population
from cms.models import Centre, Membership, User
from renewals.codes import parse_code
from renewals.models import RenewalCase

CASES = 3000
BIG = {model._meta.db_table for model in panel_population.BIG}
SMALL_CENTRE = 7


@pytest.fixture
def register(committed, superuser, settings):
    """Three thousand cases of fifty centres, and the operator of the biggest."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    panel_population.fill(superuser, superuser.name, CASES)
    panel_pages.employ()


def plan_of(statement, parameters):
    """How PostgreSQL would carry it out if reading from end to end were the last resort."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        plan = cursor.fetchone()[0]
        cursor.execute("RESET enable_seqscan")
    return (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]


def scanned(plan):
    """Tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scanned(part)


def faults_of(page, client):
    """Statements of a page that would grow with the register."""
    for statement, parameters in panel_pages.statements_of(page, client).asked:
        if not statement.lstrip().startswith(("SELECT", "WITH", "(SELECT")) or "set_config" in statement:
            continue
        tables = set(scanned(plan_of(statement, parameters))) & BIG
        if tables:
            yield page.name, "reads from end to end", tables, statement
        if re.search(r"\bOFFSET\b", statement):
            yield page.name, "skips rows", statement
        for counted in re.findall(r"count\(\*\)(.{0,40})", statement, flags=re.IGNORECASE):
            if not counted.lstrip().startswith("FROM ("):
                yield page.name, "counts without a bound", counted


def test_every_page_stands_on_indexes_and_bounds(register):
    client = panel_pages.seat()

    faults = [fault for page in panel_pages.pages() for fault in faults_of(page, client)]

    assert faults == []
    # The watch is awake: what has no index is seen.
    assert set(scanned(plan_of("SELECT FROM cms_holder WHERE town = %s", ["Arezzo"]))) == {"cms_holder"}


def test_pages_ask_as_much_of_a_big_centre_as_of_a_small_one(register):
    pages = [page for page in panel_pages.pages() if not page.is_search and page.name != "case"]
    asked = {}
    for centre in (panel_pages.BIG_CENTRE, SMALL_CENTRE):
        Membership.objects.filter(user=User.objects.get(email=panel_pages.OPERATOR)).update(centre_id=centre)
        client = panel_pages.seat()
        client.get("/pannello/oggi/")  # the first page of a session stores what the others find
        asked[centre] = {page.name: len(panel_pages.statements_of(page, client).asked) for page in pages}

    big, small = asked.values()
    more = {name: (big[name], small[name]) for name in big if big[name] > small[name] + 4}
    assert more == {}


def test_the_register_is_what_the_product_would_have_written(register):
    assert Centre.objects.count() == panel_population.CENTRES
    assert RenewalCase.objects.count() == CASES
    for case in RenewalCase.objects.order_by("?")[:50]:
        assert parse_code(case.code) == case.code
    for page in panel_pages.pages():
        panel_pages.milliseconds(page, panel_pages.seat())


def test_the_stock_admin_shows_the_same_table(register):
    took = panel_pages.milliseconds_of_peer(panel_pages.pages())

    assert {"list, first", "list, deep"} <= set(took)
