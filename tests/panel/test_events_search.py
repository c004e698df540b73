"""Ricerca eventi: filters in the address, the issuing service alone, one event with its card's, CSV that leaves a trace."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms import events
from cms.actors import SYSTEM
from cms.admin import event_search
from cms.models import Event
from cms.states import Outcome
from tests.panel.test_exports import read
from tests.panel.town import NOW, crowd, tax_code

PAGE = "/pannello/eventi/"


def shown(answer) -> list[int]:
    """Ids of the events in the list, in its order."""
    return [int(pk) for pk in re.findall(r'class="detail" href="/pannello/eventi/(\d+)/"', answer.content.decode())]


def verbs(answer) -> set[str]:
    return set(Event.objects.filter(pk__in=shown(answer)).values_list("verb", flat=True))


@pytest.fixture
def desk(town, seat):
    """The operator under the issuing service."""
    return seat(town.operator, town.eidas)


def happened(town, verb="case.opened", *, ago=timedelta(0), **more):
    """One more event of the centre under the issuing service."""
    values = {"centre_id": town.centre.pk, "service_id": town.eidas.pk, "actor": SYSTEM} | more
    return events.record(verb, at=NOW - ago, **values)


def test_a_renewal_is_found_under_its_issuing_service_and_nowhere_else(town, seat, desk):
    case = town.completed(town.case())

    for typed in (case.code, case.holder.tax_code, case.card.serial, case.new_pair.certificates.first().serial):
        found = desk.post(f"{PAGE}cerca/", {"q": typed}, follow=True)
        assert "case.completed" in verbs(found)

    before = seat(town.operator, town.service)
    assert shown(before.get(PAGE)) == []
    assert shown(before.post(f"{PAGE}cerca/", {"q": case.card.serial}, follow=True)) == []


def test_the_row_says_channel_outcome_and_new_expiry(town, desk):
    town.completed(town.case(days_left=12))

    page = desk.get(f"{PAGE}?evento=case.completed").content.decode()

    for said in ("Certificati installati", "Client carta", "Riuscito", "mer 14/03/2029"):
        assert said in page


def test_a_search_leaves_ids_in_the_address_and_never_what_was_typed(town, desk):
    case = town.completed(town.case(town.person("Bianchi", "Lucia")))

    by_code = desk.post(f"{PAGE}cerca/", {"q": case.code.lower()})
    by_person = desk.post(f"{PAGE}cerca/", {"q": case.holder.tax_code})
    by_name = desk.post(f"{PAGE}cerca/", {"q": "bian luc"})

    assert parse_qs(urlsplit(by_code["Location"]).query) == {"pratica": [case.code]}
    assert parse_qs(urlsplit(by_person["Location"]).query) == {"carta": [str(case.card_id)]}
    assert parse_qs(urlsplit(by_name["Location"]).query) == {"titolare": [str(case.holder_id)]}
    assert "Bianchi Lucia" in desk.get(by_name["Location"]).content.decode()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", 6),
        ("?evento=case.refused", 1),
        ("?canale=automatic", 6),
        ("?canale=panel", 0),
        ("?esito=failed", 1),
        ("?dal=2026-03-02", 1),
        ("?al=2026-03-01", 5),
        ("?dal=2026-02-20&al=2026-02-28", 2),
        ("?dal=2026-02-20&al=2026-02-28&esito=failed", 1),
        ("?evento=inventato&canale=x&esito=y&dal=domani&al=9999-99-99", 6),
        ("?al=9999-12-31&dopo=zzz", 6),
        ("?carta=abc&pratica=", 0),
        ("?titolare=99999999", 0),
    ],
)
def test_filters_show_what_they_name(town, desk, address, expected):
    happened(town)
    happened(town, "case.refused", ago=timedelta(days=1))
    happened(town, ago=timedelta(days=5), outcome=Outcome.FAILED)
    happened(town, ago=timedelta(days=10))

    assert len(shown(desk.get(PAGE + address))) == expected


def test_a_day_is_a_day_in_italy(town, desk):
    happened(town, ago=timedelta(hours=10, minutes=1))  # 23:59 of 1 March in Rome

    assert len(shown(desk.get(f"{PAGE}?dal=2026-03-02"))) == 0
    assert len(shown(desk.get(f"{PAGE}?dal=2026-03-01&al=2026-03-01"))) == 1


def test_pages_follow_the_instant_both_ways_without_loss_or_repetition(town, desk, monkeypatch):
    monkeypatch.setattr(event_search, "PAGE", 3)
    for number in range(11):
        happened(town, ago=timedelta(days=(number * 7) % 4))
    rows = Event.objects.order_by("-at", "-pk").values_list("pk", flat=True)

    forward, address = [], PAGE
    while address:
        answer = desk.get(address)
        forward.append(shown(answer))
        address = _link(answer, "next")
    assert [pk for page in forward for pk in page] == list(rows)

    back, address = [], _link(answer, "prev")
    while address:
        answer = desk.get(address)
        back.append(shown(answer))
        address = _link(answer, "prev")
    assert back == forward[-2::-1]


def test_several_centres_make_one_sequence(town, desk):
    other = town.found("cdrl-siena", "Ordine di Siena")
    town.offer("cns-eidas-firma", "", centre=other)
    town.operator.memberships.create(centre=other, role="operator")
    foreign = town.found("cdrl-pisa", "Ordine di Pisa")
    town.offer("cns-eidas-firma", "", centre=foreign)
    mine, theirs = happened(town, ago=timedelta(days=1)), happened(town, centre_id=other.pk)
    newest = happened(town)
    stranger = happened(town, centre_id=foreign.pk)

    assert shown(desk.get(f"{PAGE}?evento=case.opened")) == [newest.pk, theirs.pk, mine.pk]
    assert desk.get(f"{PAGE}{stranger.pk}/").status_code == 404


def test_one_event_is_shown_with_all_that_its_card_went_through(town, desk):
    case = town.completed(town.case())
    town.completed(town.case())
    event = Event.objects.get(verb="case.completed", case_code=case.code)

    page = desk.get(f"{PAGE}{event.pk}/")

    assert "Eventi Carta" in page.content.decode()
    assert set(shown(page)) == set(Event.objects.filter(card_id=case.card_id).values_list("pk", flat=True))


def test_the_export_holds_what_the_filters_find_and_its_taker_stands_in_the_trail(town, desk):
    case = town.completed(town.case(town.person("=cmd|'/c calc'!A1", "Lucia", tax_code("BNCLCU", 7))))
    happened(town, ago=timedelta(days=300))

    answer = desk.post(f"{PAGE}esporta/?carta={case.card_id}&dal=2026-01-01")

    head, *rows = read(answer)
    assert head[:7] == ["Data e ora", "Evento", "Esito", "Canale evento", "Chi", "Motivo", "Id pratica"]
    assert len(rows) == Event.objects.filter(card_id=case.card_id).count()
    assert {row[6] for row in rows} == {case.code}
    assert {row[10] for row in rows} >= {"14/03/2029"}
    assert {row[7] for row in rows} == {"'=cmd|'/c calc'!A1 Lucia"}
    trace = Event.objects.get(verb="events.exported")
    assert (trace.actor_id, trace.centre_id, trace.service_id) == (town.operator.pk, town.centre.pk, town.eidas.pk)
    assert trace.facts == {"filters": f"?carta={case.card_id}&dal=2026-01-01"}
    assert case.holder.tax_code not in str(trace.facts)


def test_the_export_is_no_get_and_reads_in_chunks(town, desk, monkeypatch):
    monkeypatch.setattr(event_search, "CHUNK", 2)
    for number in range(5):
        happened(town, ago=timedelta(days=number))

    assert desk.get(f"{PAGE}esporta/").status_code == 405
    assert len(read(desk.post(f"{PAGE}esporta/"))) == 1 + Event.objects.count()


def test_a_search_for_nothing_says_so(town, desk):
    for typed in ("", "NIENTE", "%", "' OR 1=1 --", "é" * 200, "\x01", "R4T9-Q2KX-70M"):
        answer = desk.post(f"{PAGE}cerca/", {"q": typed})
        assert answer.status_code == 200


def test_statements_do_not_grow_with_rows(town, desk):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(PAGE).status_code == 200
        return len(captured)

    town.completed(town.case())
    statements()
    few = statements()
    crowd(town)

    assert statements() == few


def _link(answer, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return PAGE + found[1].replace("&amp;", "&") if found else ""
