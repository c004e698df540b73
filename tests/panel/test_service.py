"""The chosen service and the operator's centres bound everything that the panel shows."""

from __future__ import annotations

import pytest

from cms.admin.desk import SESSION_KEY
from cms.models import Agreement, Membership
from cms.states import Role


def test_without_a_chosen_service_every_page_leads_to_the_choice_and_back(town, seat):
    client = seat(town.operator)

    answer = client.get("/pannello/eventi/")
    assert answer["Location"] == "/pannello/servizio/?next=%2Fpannello%2Feventi%2F"

    answer = client.post("/pannello/servizio/", {"service": town.service.pk, "next": "/pannello/eventi/"})
    assert answer["Location"] == "/pannello/eventi/"
    assert client.get("/pannello/eventi/").status_code == 200


def test_choosing_takes_a_new_session_key(town, seat):
    client = seat(town.operator)
    before = client.session.session_key

    client.post("/pannello/servizio/", {"service": town.service.pk})

    assert client.session.session_key != before
    assert client.session[SESSION_KEY] == town.service.pk


def test_the_chosen_service_stays_visible_and_can_be_changed(town, desk):
    page = desk.get("/pannello/rinnovi/").content.decode()
    assert "<strong>CNS - Firma 3 anni</strong>" in page

    page = desk.post("/pannello/servizio/", {"service": town.other_service.pk}, follow=True).content.decode()

    assert "<strong>CNS Like - Firma 3 anni</strong>" in page


def test_an_only_service_is_chosen_and_shown(town, seat):
    centre = town.found("cdrl-siena", "Ordine di Siena")
    service = town.offer("cns-unico", "CNS Unico", centre=centre)
    client = seat(town.employ("solo@cdrl.example.org", centre=centre))

    page = client.get("/pannello/rinnovi/").content.decode()

    assert "<strong>CNS Unico</strong>" in page
    assert client.session[SESSION_KEY] == service.pk


@pytest.mark.parametrize("typed", ["", "0", "pippo", "99999999999999999999"])
def test_what_is_no_service_is_refused(town, seat, typed):
    client = seat(town.operator)

    answer = client.post("/pannello/servizio/", {"service": typed})

    assert answer.status_code == 200
    assert "non è tra quelli del suo CDRL" in answer.content.decode()
    assert SESSION_KEY not in client.session


def test_a_service_of_another_centre_cannot_be_chosen(town, seat):
    foreign = town.offer("cns-estraneo", "CNS Estraneo", centre=town.found("cdrl-pisa", "Ordine di Pisa"))
    client = seat(town.operator)

    client.post("/pannello/servizio/", {"service": foreign.pk})

    assert SESSION_KEY not in client.session
    assert "CNS Estraneo" not in client.get("/pannello/servizio/").content.decode()


def test_a_choice_ends_with_the_agreement(town, desk):
    Agreement.objects.filter(service=town.other_service).delete()
    desk.post("/pannello/servizio/", {"service": town.service.pk})
    Membership.objects.filter(user=town.operator).delete()
    town.offer("cns-altrove", "CNS Altrove", centre=(elsewhere := town.found("cdrl-lucca", "Ordine di Lucca")))
    Membership.objects.create(user=town.operator, centre=elsewhere, role=Role.OPERATOR)

    page = desk.get("/pannello/rinnovi/", follow=True)

    assert "<strong>CNS - Firma 3 anni</strong>" not in page.content.decode()


def test_an_address_of_another_site_is_not_followed_after_the_choice(town, seat):
    client = seat(town.operator)
    give = {"service": town.service.pk, "next": "https://evil.example.org/"}

    assert client.post("/pannello/servizio/", give)["Location"] == "/pannello/"


def test_a_case_of_a_foreign_centre_does_not_exist(town, desk):
    centre = town.found("cdrl-pisa", "Ordine di Pisa")
    for service in (town.service, town.eidas):
        Agreement.objects.create(centre=centre, service=service, approval="authorisation")
    town.buy(centre, town.eidas, 3)
    case = town.completed(town.case(centre=centre))

    for page in ("", "approva/", "non-approva/", "modulo.pdf"):
        assert desk.get(f"/pannello/rinnovi/{case.code}/{page}").status_code == 404
    for page in ("approva/", "non-approva/"):
        assert desk.post(f"/pannello/rinnovi/{case.code}/{page}", {"reason": "x"}).status_code == 404
    case.refresh_from_db()
    assert case.authorisation == "pending"
    for page in ("rinnovi", "eventi", "certificati"):
        assert case.card.serial not in desk.get(f"/pannello/{page}/").content.decode()


def test_a_case_of_another_service_is_hidden_until_that_service_is_chosen(town, desk):
    case = town.case(service=town.other_service)
    assert desk.get(f"/pannello/rinnovi/{case.code}/").status_code == 404
    assert case.code not in desk.get("/pannello/rinnovi/").content.decode()

    desk.post("/pannello/servizio/", {"service": town.other_service.pk})

    assert desk.get(f"/pannello/rinnovi/{case.code}/").status_code == 200


def test_events_show_under_the_issuing_service_without_a_link_that_leads_nowhere(town, seat):
    case = town.completed(town.case())
    client = seat(town.operator, town.eidas)

    page = client.get("/pannello/eventi/").content.decode()

    assert case.code in page
    assert f'href="/pannello/rinnovi/{case.code}/"' not in page
    assert client.get(f"/pannello/rinnovi/{case.code}/").status_code == 404


def test_searches_find_nothing_outside_the_scope(town, desk):
    case = town.case(service=town.other_service)

    for page in ("rinnovi", "eventi", "certificati"):
        for typed in (case.card.serial, case.holder.tax_code, case.code):
            answer = desk.post(f"/pannello/{page}/cerca/", {"q": typed})
            assert answer.status_code == 200
            assert "Nessuna" in answer.content.decode()
            assert str(case.holder) not in answer.content.decode()


def test_ids_typed_into_the_address_show_nothing_of_others(town, desk):
    case = town.case(service=town.other_service)

    for page in (
        f"rinnovi/?titolare={case.holder_id}",
        f"rinnovi/?carta={case.card_id}",
        f"eventi/?carta={case.card_id}",
    ):
        text = desk.get(f"/pannello/{page}").content.decode()
        assert case.card.serial not in text
        assert str(case.holder) not in text


def test_the_service_chosen_last_stands_on_top_at_the_next_login(town, seat):
    seat(town.operator).post("/pannello/servizio/", {"service": town.other_service.pk})

    answer = seat(town.operator).get("/pannello/servizio/")

    assert answer.context["services"][0] == town.other_service
    assert "Ultimo servizio usato" in answer.content.decode()


def test_many_services_can_be_searched_by_name(town, seat):
    client = seat(town.operator)
    assert "Cerca un servizio" not in client.get("/pannello/servizio/").content.decode()
    for number in range(12):
        town.offer(f"web-ra-{number}", f"WebRA – Firma remota {number}")

    answer = client.get("/pannello/servizio/?cerca=FIRMA+REMOTA+1")

    assert [service.code for service in answer.context["services"]] == ["web-ra-1", "web-ra-10", "web-ra-11"]
    nothing = client.get("/pannello/servizio/?cerca=niente").content.decode()
    assert "Nessun servizio con questo nome" in nothing
