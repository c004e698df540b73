"""Gestione rinnovi narrowed: deadline, channel, flow, term; persons by name; a holder's Sollecita on top."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.actors import holder_at_client
from cms.models import Service
from renewals.admin import filters, listing
from renewals.models import RenewalCase
from renewals.services import cases as lives
from tests.panel.test_list import PAGE, codes
from tests.panel.town import NOW, crowd


def change(case: RenewalCase, **columns) -> RenewalCase:
    RenewalCase.objects.filter(pk=case.pk).update(**columns)
    case.refresh_from_db()
    return case


def test_what_a_holder_urged_stands_on_top_and_is_marked(town, desk):
    soon, late = town.completed(town.case(days_left=4)), town.completed(town.case(days_left=20))
    change(late, urged_at=NOW - timedelta(hours=1))

    answer = desk.get(PAGE)

    assert codes(answer) == [late.code, soon.code]
    assert answer.content.decode().count("Sollecitat") == 2  # heading and badge
    page = desk.get(f"{PAGE}{late.code}/").content.decode()
    assert "Il titolare ha sollecitato l'autorizzazione lun 02/03/2026, 09:00" in page


def test_a_decided_case_is_urged_no_more(town, desk):
    case = change(town.completed(town.case()), urged_at=NOW)
    desk.post(f"{PAGE}{case.code}/approva/")

    assert "Sollecit" not in desk.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("sospensione-7", {"two"}),
        ("sospensione-15", {"two", "twelve"}),
        ("sospensione", {"two", "twelve", "forty"}),
        ("scadenza-15", {"told", "late"}),
        ("revoca", {"held"}),
        ("revoca-30", set()),
        ("15", {"two", "twelve", "told", "late"}),
        ("in-ritardo", {"late"}),
        ("domani", {"two", "twelve", "forty", "told", "held", "late"}),
    ],
)
def test_a_deadline_is_an_action_within_days(town, desk, slug, expected):
    made = {
        "two": town.completed(town.case(days_left=2)),
        "twelve": town.completed(town.case(days_left=12)),
        "forty": town.completed(town.case(days_left=40)),
        "told": town.case(days_left=13),
        "held": town.suspended(town.completed(town.case(days_left=-5), days_ago=9)),
        "late": town.case(days_left=-0.1),
    }
    names = {case.code: name for name, case in made.items()}

    assert {names[code] for code in codes(desk.get(f"{PAGE}?scadenza={slug}"))} == expected


def test_a_list_by_deadline_is_in_the_order_of_that_deadline(town, desk):
    third, first = town.case(days_left=13), town.completed(town.case(days_left=2))
    second = change(town.completed(town.case(days_left=9)), urged_at=NOW)

    assert codes(desk.get(f"{PAGE}?scadenza=30")) == [first.code, second.code, third.code]


def test_how_a_case_came_is_kept_and_found(town, desk):
    came, told = town.case(), town.case()
    change(came, opened_through=holder_at_client(1).channel)
    closed = lives.cancel_case(town.case().pk, reason="x", actor=holder_at_client(1), at=NOW)
    desk.post(f"{PAGE}{closed.code}/riapri/")
    reopened = RenewalCase.objects.get(reopens=closed)

    assert codes(desk.get(f"{PAGE}?canale=client")) == [came.code]
    assert codes(desk.get(f"{PAGE}?canale=pannello")) == [reopened.code]
    assert codes(desk.get(f"{PAGE}?canale=automatico")) == [closed.code, told.code]


def test_flow_and_term_choose_among_the_services_of_the_scope(town, desk):
    old = town.case()
    Service.objects.filter(pk=town.eidas.pk).update(term_years=2)
    short = town.case(service=town.eidas)

    page = desk.get(f"{PAGE}?durata=2").content.decode()

    assert codes(desk.get(f"{PAGE}?durata=2")) == [short.code, old.code]  # both are issued under the successor
    assert codes(desk.get(f"{PAGE}?durata=3")) == []
    assert codes(desk.get(f"{PAGE}?flusso=extend")) == []
    assert codes(desk.get(f"{PAGE}?flusso=enroll")) == [short.code, old.code]
    assert 'value="2" selected' in page


def test_each_chosen_filter_can_be_taken_off_alone(town, desk):
    case = town.completed(town.case(days_left=4))
    address = f"?stato=completato&scadenza=7&canale=automatico&titolare={case.holder_id}&righe=50"

    page = desk.get(PAGE + address).content.decode()

    chips = dict(re.findall(r'class="subject">(.*?) <a href="([^"]+)"', page))
    assert list(chips) == [
        "Titolare: Rossi Mario",
        "Qualsiasi azione automatica entro 7 giorni",
        "Aperta in automatico",
    ]
    for name, link in zip(("titolare", "scadenza", "canale"), chips.values(), strict=True):
        left = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        assert set(left) == {"stato", "scadenza", "canale", "titolare", "righe"} - {name}
    assert 'name="stato" value="completato"' in page  # the form keeps what it does not ask


@pytest.mark.parametrize("typed", ["ross mar", "ROSSI", "rssmra85"])
def test_a_name_or_the_beginning_of_a_tax_code_leads_to_persons_by_their_ids(town, desk, typed):
    first, second = town.case(town.person("Rossi", "Maria")), town.case(town.person("Rossini", "Marco"))
    change(second, holder=second.holder)
    other = town.case(town.person("Bianchi", "Lucia"))
    if typed == "rssmra85":
        for case, body in ((first, "RSSMRA85A41H501"), (second, "RSSMRA85T10A562")):
            case.holder.tax_code = body + "X"
            case.holder.save()

    answer = desk.post(f"{PAGE}cerca/", {"q": typed})

    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query == {"titolare": [str(first.holder_id), str(second.holder_id)]}
    assert set(codes(desk.get(answer["Location"]))) == {first.code, second.code}
    assert "2 titolari cercati" in desk.get(answer["Location"]).content.decode()
    assert other.code not in desk.get(answer["Location"]).content.decode()


def test_a_name_with_one_case_leads_to_the_case(town, desk):
    case = town.case(town.person("De Luca", "Niccolò"))
    town.case()

    assert desk.post(f"{PAGE}cerca/", {"q": "deluca nicco"})["Location"] == f"{PAGE}{case.code}/"


def test_a_certificate_serial_of_the_old_or_the_new_pair_leads_to_the_case(town, desk):
    case = town.completed(town.case())
    town.case()
    for pair in (case.old_pair, case.new_pair):
        half = pair.certificates.first()
        for typed in (half.serial, half.serial.upper(), str(int(half.serial, 16))):
            assert desk.post(f"{PAGE}cerca/", {"q": typed})["Location"] == f"{PAGE}{case.code}/"


def test_nobody_of_another_centre_or_service_is_found(town, desk):
    elsewhere = town.found("cdrl-altrove", "Altrove")
    for code, name in (("cns-firma-3-anni", "CNS - Firma 3 anni"), ("cns-eidas-firma", "CNS – eIDAS Firma Digitale")):
        town.offer(code, name, centre=elsewhere)
    foreign = town.case(town.person("Straniero", "Ugo"), centre=elsewhere)
    other = town.case(town.person("Diverso", "Ivo"), service=town.other_service)

    for typed in (
        "straniero",
        "diverso",
        foreign.holder.tax_code,
        foreign.card.serial,
        foreign.code,
        foreign.old_pair.certificates.first().serial,
        other.code,
    ):
        answer = desk.post(f"{PAGE}cerca/", {"q": typed})
        assert answer.status_code == 200
        assert "Nessuna pratica per" in answer.content.decode()


def test_many_persons_are_cut_and_said_to_be(town, desk, monkeypatch):
    monkeypatch.setattr("renewals.admin.finding.MOST_HOLDERS", 2)
    for _ in range(3):
        town.case()

    page = desk.post(f"{PAGE}cerca/", {"q": "rossi"}, follow=True)

    assert len(codes(page)) == 2
    assert "I titolari trovati sono molti" in page.content.decode()


def test_a_page_is_as_long_as_asked(town, desk, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    crowd(town)

    assert len(codes(desk.get(PAGE))) == 3
    assert len(codes(desk.get(f"{PAGE}?righe=50"))) == 13
    assert len(codes(desk.get(f"{PAGE}?righe=1000000"))) == 3


@pytest.mark.parametrize(
    "address", ["?", "?scadenza=30", "?canale=client&durata=3", "?stato=completato&scadenza=revoca"]
)
def test_statements_are_as_many_with_any_filter(town, desk, address):
    crowd(town)
    desk.get(PAGE)

    with CaptureQueriesContext(connection) as captured:
        desk.get(PAGE + address)

    assert len(captured) <= 20
    assert not [query for query in captured.captured_queries if "OFFSET" in query["sql"]]


def test_pages_by_deadline_follow_each_other_both_ways(town, desk, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    made = [town.case(days_left=2 + number % 3) for number in range(5)]
    by_due = [case.code for case in sorted(made, key=lambda case: (case.due_at, case.pk))]
    first = desk.get(f"{PAGE}?scadenza=7")
    second = desk.get(PAGE + next_of(first))
    third = desk.get(PAGE + next_of(second))

    assert codes(first) + codes(second) + codes(third) == by_due
    assert codes(desk.get(PAGE + next_of(third, "prev"))) == codes(second)


def next_of(answer, rel: str = "next") -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return found[1].replace("&amp;", "&")


def test_an_address_of_another_list_starts_this_one(town, desk):
    town.completed(town.case(days_left=4))
    for place in ("a-1772000000000000-1", "d-1-1", "z-1-1", "a--", "b-x-y"):
        assert desk.get(f"{PAGE}?scadenza=7&dopo={place}").status_code == 200


def test_words_in_the_address_are_closed(town, desk):
    for address in (
        "scadenza=30'--",
        "canale=<b>",
        "durata=x",
        "flusso=%00",
        "righe=-1",
        "titolare=1e9",
        "scadenza=-7",
    ):
        page = desk.get(f"{PAGE}?{address}")
        assert page.status_code == 200
        assert "<b>" not in page.content.decode()
    assert filters.Deadline.read("8") is None
