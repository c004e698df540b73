# ruff: noqa: S608 - statements of the tests' own
"""Oggi: figures that an independent recount in SQL confirms, what presses first, a fixed number of statements."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.actors import SYSTEM
from cms.admin.desk import Desk
from cms.models import Agreement, CaRequest, Centre, Membership, Pair, Stock
from cms.scope import scope_of
from cms.states import ApprovalMode, RequestState, Role
from notifications.models import OutboxMessage
from renewals.admin import dashboard
from renewals.models import RenewalCase
from renewals.services.cases import cancel_case, expire_case
from tests.panel.town import NOW, Town, crowd

PAGE = "/pannello/oggi/"


def desk_at(town: Town, now: datetime = NOW) -> Desk:
    scope = scope_of(town.operator, town.service.pk)
    return Desk(town.operator, town.service, scope, now, dict.fromkeys(scope.centre_ids, Role.OPERATOR))


def recounted(sql: str, **values: object) -> int:
    """A count by a statement of the test's own, over the whole tables."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0] or 0)


def populated(town: Town, seed: int) -> list[RenewalCase]:
    """A hundred cases of three centres and two services, as chance has it."""
    dice = random.Random(seed)
    second, foreign = town.found("cdrl-siena", "Collegio di Siena"), town.found("cdrl-altrove", "Ordine di altrove")
    Membership.objects.create(user=town.operator, centre=second, role=Role.OPERATOR)
    for centre in (second, foreign):
        for service in (town.service, town.eidas):
            Agreement.objects.create(centre=centre, service=service, approval=ApprovalMode.AUTHORISATION)
        town.buy(centre, town.eidas, dice.randint(30, 60))
    agreements = list(Agreement.objects.filter(service__in=[town.service, town.eidas, town.other_service]))
    town.buy(town.centre, town.other_service, 40)
    cases = [_one(town, dice, dice.choice(agreements)) for _ in range(100)]
    _windows(town, dice, agreements)
    return cases


def _one(town: Town, dice: random.Random, agreement: Agreement) -> RenewalCase:
    days_left = dice.choice([-100, -20, -3, 0.2, 0.9, 2, 6, 8, 20, 29, 31, 45, 59])
    case = town.case(town.person(), days_left=days_left, centre=agreement.centre, service=agreement.service)
    fate = dice.randrange(10)
    if fate in {0, 1} and days_left > 0:
        return case
    if fate in {2, 3} and days_left > 0:
        return town.signed(case, dice.choice([ApprovalMode.AUTOMATIC, ApprovalMode.AUTHORISATION]))
    if fate == 4:
        cancel_case(case.pk, reason="data-incorrect", actor=SYSTEM, at=NOW - timedelta(hours=1))
        return case
    if fate == 5 and days_left < 0:
        expire_case(case.pk, now=NOW)
        return case
    town.completed(case, dice.choice([ApprovalMode.AUTOMATIC, ApprovalMode.AUTHORISATION]))
    if case.waits_for_approval and days_left < 0:
        town.suspended(case, days_ago=dice.randint(0, 119))
    if case.waits_for_approval and dice.random() < 0.2:
        RenewalCase.objects.filter(pk=case.pk).update(urged_at=NOW - timedelta(minutes=dice.randint(1, 5000)))
    return case


def _windows(town: Town, dice: random.Random, agreements: list[Agreement]) -> None:
    """Pairs whose renewal nobody has opened yet."""
    card = town.case(town.person()).card
    Pair.objects.bulk_create(
        Pair(
            card=card,
            holder=card.holder,
            agreement=agreement,
            centre=agreement.centre,
            service=agreement.service,
            window_opens_at=NOW + timedelta(hours=dice.randint(-5, 24 * 60)),
            created_at=NOW,
        )
        for _ in range(120)
        for agreement in [dice.choice(agreements)]
    )


MINE = """service_id IN (SELECT id FROM cms_service WHERE code IN ('cns-firma-3-anni', 'cns-eidas-firma'))
  AND centre_id IN (SELECT id FROM cms_centre WHERE code IN ('cdrl-arezzo', 'cdrl-siena'))"""
CASES = f"SELECT count(*) FROM renewals_renewalcase WHERE {MINE}"
PAIRS = f"SELECT count(*) FROM cms_pair WHERE {MINE}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_figure_equals_an_independent_recount(town, seed):
    populated(town, seed)
    page = dashboard.overview_of(desk_at(town))

    week, night = NOW + timedelta(days=7), NOW + timedelta(days=1)
    tiles = {tile.word: tile.number for tile in page["tiles"]}
    waiting = f"{CASES} AND authorisation = 'pending' AND state IN ('awaiting-installation', 'completed')"
    assert tiles["Da autorizzare"] == str(recounted(waiting)) != "0"
    assert tiles["In scadenza"] == str(recounted(f"{CASES} AND due_at <= %(at)s", at=week)) != "0"
    assert tiles["Sospesi"] == str(recounted(f"{CASES} AND suspended_at IS NOT NULL AND due_kind = 'revoke'")) != "0"
    least = f"""SELECT min(free) FROM cms_stock WHERE {MINE}
      AND service_id = (SELECT id FROM cms_service WHERE code = 'cns-eidas-firma')"""
    assert tiles["Giacenza minima"] == str(recounted(least))

    numbers = {word: number for word, number, _any in page["tonight"]}
    kinds = ["Pratiche che scadono", "Sospensioni per mancata", "Revoche definitive"]
    for word, kind in zip(kinds, ["expire", "suspend", "revoke"], strict=True):
        said = next(number for known, number in numbers.items() if known.startswith(word))
        assert said == str(recounted(f"{CASES} AND due_kind = %(kind)s AND due_at <= %(at)s", kind=kind, at=night))
    opening = next(number for word, number in numbers.items() if word.startswith("Pratiche che si aprono"))
    assert opening == str(recounted(f"{PAIRS} AND window_opens_at <= %(at)s", at=night))


@pytest.mark.parametrize("seed", [4, 5])
def test_the_forecast_equals_a_recount_of_cases_and_of_windows_still_closed(town, seed):
    populated(town, seed)
    page = dashboard.overview_of(desk_at(town))

    total = recounted(f"""SELECT sum(pairs) FROM (SELECT min(free) AS pairs FROM cms_stock WHERE {MINE}
      AND service_id = (SELECT id FROM cms_service WHERE code = 'cns-eidas-firma') GROUP BY centre_id) shelves""")
    assert page["pairs"] == total
    for line in page["outlooks"]:
        until = NOW + timedelta(days=line["outlook"].days)
        open_now = recounted(f"{CASES} AND state = 'notified' AND old_not_after < %(until)s", until=until)
        # Window = two calendar months before the expiry, at the same clock time in Italy.
        closed = recounted(
            f"""{PAIRS} AND window_opens_at <= (%(until)s AT TIME ZONE 'Europe/Rome' - interval '2 months')
              AT TIME ZONE 'Europe/Rome'""",
            until=until,
        )
        assert line["outlook"].need == open_now + closed
        assert line["outlook"].missing == max(open_now + closed - total, 0)


@pytest.mark.parametrize("seed", [6, 7])
def test_the_chart_equals_a_recount_by_italian_weeks(town, seed):
    populated(town, seed)
    weeks = dashboard.overview_of(desk_at(town))["weeks"]

    with connection.cursor() as cursor:
        cursor.execute(f"""SELECT date_trunc('week', old_not_after AT TIME ZONE 'Europe/Rome')::date, state, count(*)
          FROM renewals_renewalcase WHERE {MINE} GROUP BY 1, 2""")
        recount = {(monday, state): count for monday, state, count in cursor.fetchall()}
    shown = {(week.begins.date(), state): count for week in weeks for state, count in week.counts.items() if count}
    first, last = weeks[0].begins.date(), weeks[-1].begins.date()
    assert shown == {key: count for key, count in recount.items() if first <= key[0] <= last}
    assert [week.begins.date().isoformat() for week in weeks if week.is_present] == ["2026-03-02"]
    assert len(weeks) == 13


def test_weeks_begin_on_monday_in_italy_across_the_change_of_the_clocks(town):
    weeks = dashboard.overview_of(desk_at(town, datetime(2026, 3, 29, 22, 30, tzinfo=UTC)))["weeks"]

    assert {week.begins.astimezone(ZoneInfo("Europe/Rome")).strftime("%a %H:%M") for week in weeks} == {"Mon 00:00"}
    assert next(week for week in weeks if week.is_present).begins.date().isoformat() == "2026-03-30"


def test_urged_cases_come_first_then_by_the_day_of_suspension_then_by_day_121(town, desk):
    cases = crowd(town)
    urged = cases[3]
    RenewalCase.objects.filter(pk=urged.pk).update(urged_at=NOW - timedelta(hours=1))

    page = desk.get(PAGE).content.decode()

    order = re.findall(r'class="row" href="/pannello/rinnovi/([^/]+)/"', page)
    assert order == [urged.code, cases[1].code, cases[4].code, cases[0].code, cases[2].code]
    assert "Sollecitati dal titolare" in page


def test_what_failed_and_what_runs_out_waits_for_a_person(town, desk):
    case = town.completed(town.case())
    half = case.new_pair.certificates.first()
    CaRequest.objects.create(
        natural_key="x", kind="hold", state=RequestState.REFUSED, centre=case.centre, service=case.issuing_service,
        pair=case.new_pair, certificate=half, case_code=case.code, asked_at=NOW, settled_at=NOW, last_error="ca-refused",
    )  # fmt: skip
    OutboxMessage.objects.filter(case_code=case.code).update(
        state="failed", sent_at=None, next_attempt_at=None, last_error="mailbox-unknown"
    )
    Stock.objects.filter(service=town.eidas, type="signature").update(free=3)

    page = desk.get(PAGE).content.decode()

    for said in ("Sospensione rifiutata dalla CA", "E-mail non recapitata", "ne restano 3", "mailbox-unknown"):
        assert said in page
    assert "coppie di certificati, manca Firma qualificata" in page


def test_nothing_of_another_centre_or_service_is_counted_or_named(town, desk):
    elsewhere = Centre.objects.create(code="altrove", name="Ordine di altrove", email="altrove@cdrl.example.org")
    foreign = Agreement.objects.create(centre=elsewhere, service=town.service, approval=ApprovalMode.AUTHORISATION)
    Agreement.objects.create(centre=elsewhere, service=town.eidas, approval=ApprovalMode.AUTHORISATION)
    town.buy(elsewhere, town.eidas, 1)
    case = town.completed(town.case(town.person("Estraneo", "Ugo"), days_left=3, centre=foreign.centre))
    OutboxMessage.objects.filter(case_code=case.code).update(state="failed", sent_at=None, next_attempt_at=None)

    page = desk.get(PAGE).content.decode()

    assert "Estraneo" not in page
    assert case.code not in page
    assert "altrove" not in page
    assert "Niente da fare" in page


def test_counts_stop_at_a_bound_and_say_so(town, desk, monkeypatch):
    crowd(town)
    monkeypatch.setattr("cms.admin.counting.BOUND", 2)

    page = desk.get(PAGE).content.decode()

    assert '<span class="number">2+</span>' in page


def test_statements_do_not_grow_with_rows(town, desk):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(PAGE).status_code == 200
        return len(captured)

    town.completed(town.case())
    statements()  # what a process reads once
    few = statements()
    crowd(town)

    assert statements() == few
    assert few <= 32


def test_the_chart_reads_without_colour(town, desk):
    crowd(town)

    page = desk.get(PAGE).content.decode()

    assert 'role="img" aria-label="Rinnovi per settimana di scadenza e stato. Completato 6' in page
    patterns = re.findall(r'<pattern id="(fill-[a-z]+)".*?<path d="([^"]*)"', page)
    assert len({path for _name, path in patterns}) == 5
    assert page.count('<th scope="row">') == 13
