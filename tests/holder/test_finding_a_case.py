"""Coming to one's case: code and codice fiscale together, and the same answer to everything that does not fit."""

from __future__ import annotations

import random
import re
import statistics
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cms.models import HolderVisit
from renewals.codes import new_code
from renewals.pages import case as pages
from renewals.pages import frame
from tests.holder.test_case_page import CASE, FIND, entered, words_of
from tests.panel.town import NOW, tax_code

pytestmark = pytest.mark.django_db
HOME = settings.HOLDER_PATH


def tried(code: str, person: str, client: Client | None = None):
    return (client or Client()).post(FIND, {"code": code, "tax_code": person})


def bare(answer) -> str:
    """The page without what changes at each look: the token of its forms and what was typed."""
    text = re.sub(r'value="[^"]*"', "", answer.content.decode())
    return re.sub(r"csrf\w+", "", text)


def wrong_pairs(town) -> dict[str, tuple[str, str]]:
    mine, other = town.case(), town.case()
    nobody = tax_code("ZZZZZZ", 7)
    return {
        "another person's code": (other.code, mine.holder.tax_code),
        "unknown code": (new_code(), mine.holder.tax_code),
        "unknown person": (mine.code, nobody),
        "both unknown": (new_code(), nobody),
    }


def test_blanks_dashes_and_case_are_forgiven(town):
    case = town.case()
    typed = " " + case.code.lower().replace("-", " ") + " "
    answer = tried(typed, case.holder.tax_code.lower())
    assert (answer.status_code, answer["Location"]) == (302, CASE)


def test_a_typing_error_is_told_at_its_field(town):
    case = town.case()
    swapped = case.code[:-1] + ("A" if case.code[-1] != "A" else "B")
    text = words_of(tried(swapped, case.holder.tax_code))
    assert "Il codice della pratica non è corretto" in text
    text = words_of(tried(case.code, case.holder.tax_code[:-1] + "?"))
    assert "Il codice fiscale non è corretto" in text


def test_whatever_does_not_fit_gets_the_same_answer(town):
    answers = {what: tried(*pair) for what, pair in wrong_pairs(town).items()}
    assert {answer.status_code for answer in answers.values()} == {422}
    assert len({bare(answer) for answer in answers.values()}) == 1
    assert "Non troviamo una pratica con questi dati" in words_of(answers["unknown code"])
    assert HolderVisit.objects.count() == 0


def test_whatever_does_not_fit_asks_the_database_the_same(town):
    asked = set()
    for pair in wrong_pairs(town).values():
        with CaptureQueriesContext(connection) as queries:
            tried(*pair)
        asked.add(tuple(re.sub(r"'[^']*'", "?", query["sql"]) for query in queries.captured_queries))
    assert len(asked) == 1


@pytest.mark.soak
def test_answers_take_the_same_time(town, monkeypatch):
    monkeypatch.setattr(frame, "hit", lambda *_key, **_bounds: True)
    pairs = wrong_pairs(town)
    times = {what: [] for what in pairs}
    client = Client()
    for number in range(80):
        for what, pair in random.Random(number).sample(list(pairs.items()), len(pairs)):
            began = time.perf_counter()
            tried(*pair, client)
            times[what].append(time.perf_counter() - began)
    # What a busy machine adds, it adds to the slow half: the fast quarter is what the work itself takes.
    quarters = {what: statistics.quantiles(each, n=4)[0] for what, each in times.items()}
    assert max(quarters.values()) <= 1.15 * min(quarters.values()), quarters


@pytest.mark.parametrize(
    "typed", ["\x00", "R4T9\x00Q2KX", "\U0001f600" * 11, "\u202eR4T9", "A" * 5000, "' OR 1=1 --", ""]
)
def test_hostile_input_is_a_typing_error(stranger, typed):
    for address in (FIND, f"{HOME}lingua/"):
        data = {"code": typed, "tax_code": typed, "language": typed, "next": typed}
        assert stranger.post(address, data).status_code in {302, 422}
    stranger.cookies[frame.COOKIE] = "è" * 40
    assert stranger.get(CASE).status_code in {302, 403}


def test_the_page_asks_the_database_a_bounded_number_of_times(town):
    client = entered(town.suspended(town.completed(town.case(days_left=-5))))
    with CaptureQueriesContext(connection) as queries:
        client.get(CASE)
    assert len(queries) <= 6, [query["sql"][:80] for query in queries.captured_queries]


def test_a_visit_is_a_cookie_that_scripts_and_other_sites_never_get(town):
    case = town.case()
    client = entered(case)
    cookie = client.cookies[frame.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", "")
    visit = HolderVisit.objects.get()
    assert cookie.value not in {visit.token_sha256, str(visit.pk)}
    assert client.get(CASE)["Cache-Control"] == "no-store, private"


def test_a_visit_ends_after_a_quarter_of_an_hour(town, clock):
    client = entered(town.case())
    clock.instant = NOW + timedelta(minutes=15)
    answer = client.get(CASE)
    assert answer.status_code == 403
    assert "La visita è terminata" in words_of(answer)
    assert client.get(CASE)["Location"] == FIND


def test_leaving_ends_the_visit_everywhere(town):
    client = entered(town.case())
    token = client.cookies[frame.COOKIE].value
    assert "È uscito" in words_of(client.post(f"{HOME}esci/"))
    copy = Client()
    copy.cookies[frame.COOKIE] = token
    assert copy.get(CASE).status_code == 403


def test_without_a_visit_every_page_of_a_case_leads_to_the_entrance():
    for address in (CASE, f"{CASE}sollecita/", f"{CASE}rinuncia/"):
        assert Client().get(address)["Location"] == FIND
        assert Client().post(address)["Location"] == FIND


def test_a_visit_shows_its_own_case_only(town):
    mine, other = town.case(), town.case()
    client = entered(mine)
    HolderVisit.objects.update(case_code=other.code)
    client.raise_request_exception = False
    assert client.get(CASE).status_code == 404


def test_one_network_tries_one_code_twenty_times_an_hour_at_most_and_locks_nobody_else_out(town):
    case, nobody = town.case(), tax_code("ZZZZZZ", 7)
    statuses = [tried(case.code, nobody).status_code for _try in range(pages.PER_CODE + 1)]
    assert (set(statuses[:-1]), statuses[-1]) == ({422}, 429)
    assert tried(town.case().code, nobody).status_code == 422
    assert tried(case.code, case.holder.tax_code, Client(REMOTE_ADDR="198.51.100.7")).status_code == 302


def test_many_networks_together_are_bounded_as_well(town, monkeypatch):
    monkeypatch.setattr(pages, "FROM_ANYWHERE", 3)
    case, nobody = town.case(), tax_code("ZZZZZZ", 7)
    statuses = [tried(case.code, nobody, Client(REMOTE_ADDR=f"198.51.100.{n}")).status_code for n in range(4)]
    assert statuses == [422, 422, 422, 429]


def test_no_code_and_no_person_stands_in_an_address_or_a_log_line(town, caplog, capfd):
    case = town.case()
    client = entered(case)
    client.get(CASE)
    tried(case.code, tax_code("ZZZZZZ", 7))
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (case.holder.tax_code, client.cookies[frame.COOKIE].value):
        assert secret not in said
