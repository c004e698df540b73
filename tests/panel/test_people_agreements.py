"""CDRL e accordi, Servizi: administrators change them, managers and auditors read their part."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Agreement, Centre, Service, User
from cms.states import Role

CENTRES, SERVICES = "/pannello/cdrl/", "/pannello/servizi/"
CENTRE = {
    "code": "cdrl-nuovo", "name": "Ordine Nuovo di Esempio", "email": "nuovo@example.org", "phone": "",
    "purchase_url": "", "session_idle_minutes": "20", "session_hours": "6", "active": "on",
}  # fmt: skip
SERVICE = {
    "code": "cns-prova", "name": "CNS di prova", "flow": "enroll", "types": ["authentication", "signature"],
    "term_years": "3", "window_months": "2", "successor": "",
}  # fmt: skip
TERMS = {"approval": "automatic", "four_eyes_revocation": "on", "low_stock_threshold": "12"}


@pytest.fixture
def provider(town):
    """A provider with two centres, an administrator and a manager."""
    town.elsewhere = town.found("cdrl-altro", "Altro Ordine di Esempio")
    town.root = User.objects.create_user(
        "admin@example.org", None, full_name="Ada Radice", is_staff=True, is_administrator=True
    )
    town.manager = town.employ("resp@cdrl.example.org", "Rita Resta", role=Role.MANAGER)
    town.auditor = town.employ("rev@cdrl.example.org", "Vera Visti", role=Role.AUDITOR)
    for user in (town.root, town.manager, town.operator, town.auditor):
        town.give_totp(user)
    return town


@pytest.fixture
def root(provider, seat, freshly):
    return freshly(seat(provider.root, provider.service))


def test_an_administrator_brings_a_centre_to_work_from_nothing(provider, root):
    assert root.post(f"{CENTRES}nuovo/", CENTRE).status_code == 302
    assert root.post(f"{SERVICES}nuovo/", SERVICE).status_code == 302
    service = Service.objects.get(code="cns-prova")
    answer = root.post(f"{CENTRES}cdrl-nuovo/accordi/nuovo/", {**TERMS, "service": service.pk})

    assert answer["Location"] == f"{CENTRES}cdrl-nuovo/"
    agreement = Agreement.objects.get(centre__code="cdrl-nuovo")
    assert (agreement.service, agreement.approval, agreement.four_eyes_revocation) == (service, "automatic", True)
    assert Centre.objects.get(code="cdrl-nuovo").session_idle_minutes == 20


def test_the_very_first_service_is_added_without_any_service_to_choose(provider, seat, freshly):
    client = freshly(seat(provider.root))
    Agreement.objects.all().delete()

    assert client.get(SERVICES).status_code == 200
    assert client.post(f"{SERVICES}nuovo/", SERVICE).status_code == 302
    assert 'href="/pannello/servizi/"' in client.get("/pannello/servizio/").content.decode()


def test_terms_of_an_agreement_and_limits_of_a_centre_are_changed(provider, root):
    root.post(
        f"{CENTRES}{provider.centre.code}/accordi/{provider.service.code}/", {**TERMS, "low_stock_threshold": "3"}
    )
    root.post(f"{CENTRES}{provider.centre.code}/modifica/", {**CENTRE, "session_idle_minutes": "15"})

    assert Agreement.objects.get(centre=provider.centre, service=provider.service).low_stock_threshold == 3
    provider.centre.refresh_from_db()
    assert (provider.centre.session_idle_minutes, provider.centre.code) == (15, "cdrl-arezzo")


def test_fields_that_pairs_stand_on_are_locked_and_a_forged_form_moves_nothing(provider, root):
    provider.case()
    address = f"{SERVICES}{provider.service.code}/"
    page = root.get(address).content.decode()
    assert "non possono più cambiare" in page
    assert page.count("disabled") >= 3

    root.post(address, {**SERVICE, "name": "Altro nome", "term_years": "9", "types": ["signature"]})

    service = Service.objects.get(pk=provider.service.pk)
    assert (service.name, service.term_years, service.types) == ("Altro nome", 3, ["authentication", "signature"])


def test_a_refusal_stays_in_the_form_with_its_code(provider, root):
    page = root.post(f"{CENTRES}nuovo/", {**CENTRE, "code": provider.centre.code}).content.decode()
    assert "code-taken" in page
    page = root.post(
        f"{SERVICES}{provider.eidas.code}/", {**SERVICE, "successor": provider.service.pk}
    ).content.decode()
    assert "successor-loop" in page


@pytest.mark.parametrize("who", ["manager", "auditor"])
def test_managers_and_auditors_read_their_centre_and_change_nothing(provider, seat, freshly, who):
    client = freshly(seat(getattr(provider, who), provider.service))
    page = client.get(CENTRES).content.decode()

    assert provider.centre.name in page
    assert provider.elsewhere.name not in page
    assert client.get(f"{CENTRES}{provider.centre.code}/").status_code == 200
    assert client.get(f"{CENTRES}{provider.elsewhere.code}/").status_code == 404
    assert "Modifica" not in client.get(f"{CENTRES}{provider.centre.code}/").content.decode()
    assert provider.service.name in client.get(SERVICES).content.decode()
    for address in (
        f"{CENTRES}nuovo/",
        f"{CENTRES}{provider.centre.code}/modifica/",
        f"{CENTRES}{provider.centre.code}/accordi/nuovo/",
        f"{CENTRES}{provider.centre.code}/accordi/{provider.service.code}/",
        f"{SERVICES}nuovo/",
        f"{SERVICES}{provider.service.code}/",
    ):
        assert client.get(address).status_code == 404
        assert client.post(address, {**CENTRE, **SERVICE, **TERMS}).status_code == 404
    assert Centre.objects.count() == 2


def test_operators_have_no_page_of_it(provider, seat):
    client = seat(provider.operator, provider.service)

    for address in (CENTRES, SERVICES):
        assert client.get(address).status_code == 403
    assert CENTRES not in client.get("/pannello/eventi/").content.decode()


def test_changes_want_a_fresh_confirmation(provider, seat):
    client = seat(provider.root, provider.service)

    answer = client.post(f"{CENTRES}nuovo/", CENTRE)

    assert "reauthenticate" in answer["Location"]
    assert Centre.objects.count() == 2


def test_lists_ask_the_same_number_of_statements_for_any_number_of_rows(provider, root, django_assert_num_queries):
    for address in (CENTRES, SERVICES):
        root.get(address)
        with CaptureQueriesContext(connection) as few:
            root.get(address)
        for number in range(8):
            centre = provider.found(f"cdrl-{address[-4:-1]}-{number}", f"Ordine {number} di Esempio")
            provider.offer(f"servizio-{address[-4:-1]}-{number}", f"Servizio {address} {number}", centre=centre)

        with django_assert_num_queries(len(few)):
            root.get(address)
