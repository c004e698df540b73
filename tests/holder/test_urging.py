"""Sollecita: once in 24 hours while the centre has not decided; and stopping a renewal that its holder does not want."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from cms.actors import holder_at_page
from cms.errors import DomainError
from cms.models import Event
from cms.states import ApprovalMode, Channel
from notifications.models import OutboxMessage
from renewals import errors
from renewals.models import RenewalCase
from renewals.services import urging
from tests.holder.test_case_page import CASE, approved, entered, refused, words_of
from tests.panel.conftest import seated
from tests.panel.town import NOW, Town

HOME = settings.HOLDER_PATH
URGE, DECLINE = f"{HOME}pratica/sollecita/", f"{HOME}pratica/rinuncia/"
BUTTON = "Sollecita l'autorizzazione"


@pytest.mark.django_db
def test_urging_puts_the_case_on_top_of_the_centres_list(town):
    case = town.completed(town.case())
    client = entered(case)
    assert BUTTON in words_of(client.get(CASE))

    answer = client.post(URGE)

    assert (answer.status_code, answer["Location"]) == (302, CASE)
    assert "Il Suo sollecito è arrivato al CDRL lunedì 2 marzo 2026, ore 10:00" in words_of(client.get(CASE))
    event = Event.objects.get(verb="case.urged")
    assert (event.channel, event.actor_kind, event.case_code) == (Channel.HOLDER_PAGE, "holder", case.code)
    panel = words_of(seated(town.operator, town.service).get(f"/pannello/rinnovi/{case.code}/"))
    assert "Il titolare ha sollecitato l'autorizzazione lun 02/03/2026, 10:00" in panel


@pytest.mark.django_db
def test_a_second_time_within_a_day_changes_nothing_and_says_when(town, clock):
    case = town.completed(town.case())
    client = entered(case)
    client.post(URGE)
    clock.instant = NOW + timedelta(minutes=5)

    answer = client.post(URGE)

    assert answer.status_code == 409
    assert "Potrà sollecitare di nuovo da martedì 3 marzo 2026, ore 10:00" in words_of(answer)
    assert RenewalCase.objects.get(pk=case.pk).urged_at == NOW
    assert Event.objects.filter(verb="case.urged").count() == 1


@pytest.mark.django_db
def test_after_a_day_it_is_possible_again(town):
    case = town.completed(town.case())
    urge = {"holder_id": case.holder_id}
    urging.urge_decision(case.pk, **urge, now=NOW)
    with pytest.raises(errors.UrgedAlready):
        urging.urge_decision(case.pk, **urge, now=NOW + timedelta(hours=24, microseconds=-1))
    assert urging.urge_decision(case.pk, **urge, now=NOW + timedelta(hours=24)).urged_at > NOW


@pytest.mark.django_db
def test_nobody_urges_where_the_centre_has_nothing_to_decide(town):
    automatic = town.completed(town.case(), ApprovalMode.AUTOMATIC)
    withdrawn = town.completed(town.case())
    withdrawn.withdrawn_at = NOW
    withdrawn.save()
    done = [approved(town, town.completed(town.case())), refused(town, town.completed(town.case()))]
    for case in [automatic, town.case(), withdrawn, *done]:
        with pytest.raises(errors.NotUrgeable):
            urging.urge_decision(case.pk, holder_id=case.holder_id, now=NOW)
        client = entered(case)
        assert BUTTON not in words_of(client.get(CASE))
        assert client.post(URGE).status_code == 409
    assert not Event.objects.filter(verb="case.urged").exists()


@pytest.mark.django_db
def test_a_suspended_case_and_one_that_is_not_installed_can_be_urged(town):
    for case in (town.suspended(town.completed(town.case(days_left=-5))), town.signed(town.case())):
        assert BUTTON in words_of(entered(case).get(CASE))
        urging.urge_decision(case.pk, holder_id=case.holder_id, now=NOW)


@pytest.mark.django_db
def test_nobody_urges_for_somebody_else(town):
    mine, other = town.completed(town.case()), town.completed(town.case())
    for deed in (urging.urge_decision, urging.decline_renewal):
        with pytest.raises(RenewalCase.DoesNotExist):
            deed(other.pk, holder_id=mine.holder_id, now=NOW)


def test_eight_clicks_at_once_are_one(committed, clock):
    town = Town()
    case = town.completed(town.case())

    def click(_number: int) -> str:
        try:
            urging.urge_decision(case.pk, holder_id=case.holder_id, now=NOW)
        except DomainError as refusal:
            return refusal.reason_code
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(click, range(8)))
    assert answers == ["case-urged-already"] * 7 + ["done"]
    assert Event.objects.filter(verb="case.urged").count() == 1


@pytest.mark.django_db
def test_a_holder_stops_a_renewal_that_he_does_not_want(town):
    case = town.signed(town.case())
    client = entered(case)
    assert "Vuole chiudere la pratica di rinnovo?" in words_of(client.get(DECLINE))
    assert "La parola non corrisponde" in words_of(client.post(DECLINE, {"word": "sì"}))
    assert RenewalCase.objects.get(pk=case.pk).is_open

    answer = client.post(DECLINE, {"word": " rinuncio "})

    assert answer["Location"] == CASE
    assert "La pratica è chiusa su Sua richiesta" in words_of(client.get(CASE))
    event = Event.objects.get(verb="case.cancelled")
    assert (event.channel, event.reason) == (Channel.HOLDER_PAGE, "holder-declines")
    assert OutboxMessage.objects.filter(case_code=case.code, kind="case-cancelled").count() == 1
    assert client.post(DECLINE, {"word": "RINUNCIO"})["Location"] == CASE  # a second tab


@pytest.mark.django_db
def test_after_the_installation_nobody_stops_a_renewal(town):
    case = town.completed(town.case())
    client = entered(case)
    assert client.get(DECLINE)["Location"] == CASE
    assert client.post(DECLINE, {"word": "RINUNCIO"})["Location"] == CASE
    with pytest.raises(errors.NotDeclinable):
        urging.decline_renewal(case.pk, holder_id=case.holder_id, now=NOW)
    assert holder_at_page(1).channel == Channel.HOLDER_PAGE
