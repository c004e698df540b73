"""Gestione rinnovi: what to do first, filters that count, exact search, pages that cost their own length."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.states import ApprovalMode
from renewals.admin import listing
from tests.panel.town import crowd

PAGE = "/pannello/rinnovi/"


def codes(answer) -> list[str]:
    return re.findall(r'class="row" href="/pannello/rinnovi/([^/]+)/"', answer.content.decode())


def test_cases_to_authorise_come_first_by_deadline_then_the_newest(town, desk):
    late = town.completed(town.case(days_left=20))
    old = town.case(days_left=3)
    soon = town.completed(town.case(days_left=4))
    new = town.case(days_left=50)

    assert codes(desk.get(PAGE)) == [soon.code, late.code, new.code, old.code]


def test_a_row_says_weekday_distance_state_and_next_action(town, desk):
    town.completed(town.case(days_left=12))

    page = desk.get(PAGE).content.decode()

    for said in ("Rossi Mario", "sab 14/03/2026", "tra 12 giorni", "Completato", "Da autorizzare", "Sospensione"):
        assert said in page


def test_buttons_stand_only_where_a_decision_is_possible(town, desk):
    waiting = town.completed(town.case())
    told, automatic = town.case(), town.completed(town.case(), ApprovalMode.AUTOMATIC)

    page = desk.get(PAGE).content.decode()

    assert f"{waiting.code}/approva/" in page
    assert f"{waiting.code}/non-approva/" in page
    assert f"{told.code}/approva/" not in page
    assert f"{automatic.code}/approva/" not in page


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("?stato=comunicato", 3),
        ("?stato=completato", 6),
        ("?autorizzazione=da-autorizzare", 5),
        ("?stato=completato&autorizzazione=approvata", 1),
        ("?stato=scaduto&autorizzazione=approvata", 0),
        ("?stato=inventato", 13),
        ("?titolare=abc&carta=-1&dopo=zzz", 13),
        ("?dopo=a-99999999999999999999999999-1", 13),
    ],
)
def test_filters_show_what_they_name(town, desk, address, expected):
    crowd(town)

    assert len(codes(desk.get(PAGE + address))) == expected


def test_counts_stand_beside_the_filters_and_stop_at_a_bound(town, desk, monkeypatch):
    crowd(town)
    assert 'Da autorizzare <span class="number">5</span>' in desk.get(PAGE).content.decode()

    monkeypatch.setattr("cms.admin.counting.BOUND", 3)
    monkeypatch.setattr(listing, "BOUND", 3)

    assert 'Da autorizzare <span class="number">3+</span>' in desk.get(PAGE).content.decode()


def test_empty_lists_say_what_would_stand_here(town, desk):
    assert "Una pratica si apre da sola due mesi prima" in desk.get(PAGE).content.decode()
    town.case()
    assert "Nessuna pratica con questi filtri" in desk.get(f"{PAGE}?stato=scaduto").content.decode()


def test_a_search_leads_to_the_case_by_code_tax_code_and_serial_however_typed(town, desk):
    case = town.case()
    for typed in (
        case.code,
        case.code.lower().replace("-", " "),
        case.holder.tax_code.lower(),
        f" {case.card.serial} ",
    ):
        answer = desk.post(f"{PAGE}cerca/", {"q": typed})
        assert answer["Location"] == f"{PAGE}{case.code}/"


def test_a_person_with_several_cases_gets_a_list_whose_address_holds_no_tax_code(town, desk):
    first = town.case()
    second = town.case(first.holder)
    town.case()

    answer = desk.post(f"{PAGE}cerca/", {"q": first.holder.tax_code})

    assert parse_qs(urlsplit(answer["Location"]).query) == {"titolare": [str(first.holder_id)]}
    page = desk.get(answer["Location"])
    assert codes(page) == [second.code, first.code]
    assert "Titolare: Rossi Mario" in page.content.decode()


@pytest.mark.parametrize("typed", ["", "NIENTE", "RSSMRA85T10A562S", "%", "' OR 1=1 --", "é" * 200, "\x01"])
def test_a_search_for_nothing_says_so(town, desk, typed):
    town.case()

    answer = desk.post(f"{PAGE}cerca/", {"q": typed})

    assert answer.status_code == 200
    assert "Scriva il codice fiscale" in answer.content.decode()


def test_a_search_is_no_get(town, desk):
    assert desk.get(f"{PAGE}cerca/?q=RSSMRA85T10A562S").status_code == 405


def test_pages_follow_each_other_both_ways_without_loss_or_repetition(town, desk, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    crowd(town)
    seen, address = [], PAGE
    while address:
        answer = desk.get(address)
        seen.append(codes(answer))
        address = _link(answer, "next")
    assert len(seen) == 5
    assert len({code for page in seen for code in page}) == 13

    back, address = [], _link(answer, "prev")
    while address:
        answer = desk.get(address)
        back.append(codes(answer))
        address = _link(answer, "prev")
    assert back == seen[-2::-1]


def test_statements_do_not_grow_with_rows(town, desk):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(PAGE).status_code == 200
        return len(captured)

    town.completed(town.case())
    statements()  # the first request of a session also writes it
    few = statements()
    crowd(town)

    assert statements() == few
    assert few <= 20


def _link(answer, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return PAGE + found[1].replace("&amp;", "&") if found else ""
