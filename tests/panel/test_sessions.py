"""How long a login lasts: the centre's limits, and what ends a session at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Centre, User
from cms.services import access
from cms.states import Role
from config.sessions import SESSION_KEY
from tests.panel.town import NOW, PASSWORD

PAGE, LOGIN = "/pannello/eventi/", "/accesso/login/"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sitting(town, desk):
    """The operator's client after his first click at NOW."""
    assert desk.get(PAGE).status_code == 200
    return desk


def test_a_session_lasts_while_somebody_clicks(sitting, clock):
    for _ in range(4):
        clock.instant += 29 * MINUTE
        assert sitting.get(PAGE).status_code == 200


def test_a_page_that_looks_again_by_itself_keeps_nobody_logged_in(sitting, clock):
    for _ in range(2):
        clock.instant += 14 * MINUTE
        assert sitting.get(PAGE, headers={"X-Looking-Again": "1"}).status_code == 200
    clock.instant += 2 * MINUTE

    assert sitting.get(PAGE, headers={"X-Looking-Again": "1"}).status_code == 302


def test_half_an_hour_without_a_click_ends_it_with_an_explanation_and_a_way_back(sitting, clock):
    clock.instant = NOW + 30 * MINUTE

    answer = sitting.get(f"{PAGE}?canale=panel")

    assert answer["Location"] == "/accesso/login/?next=%2Fpannello%2Feventi%2F%3Fcanale%3Dpanel"
    assert "Sessione chiusa dopo 30 minuti di inattività" in sitting.get(answer["Location"]).content.decode()
    assert sitting.get(PAGE)["Location"].startswith(LOGIN)


def test_eight_hours_end_it_whatever_is_clicked(sitting, clock):
    while clock.instant + 20 * MINUTE < NOW + timedelta(hours=8):
        clock.instant += 20 * MINUTE
        assert sitting.get(PAGE).status_code == 200
    clock.instant = NOW + timedelta(hours=8)

    answer = sitting.get(PAGE, follow=True)

    assert "Sessione chiusa dopo 8 ore" in answer.content.decode()


def test_the_strictest_of_his_centres_decides(town, seat, clock):
    strict = town.found("cdrl-severo", "Ordine Severo di Esempio")
    Centre.objects.filter(pk=strict.pk).update(session_idle_minutes=10, session_hours=4)
    town.operator.memberships.create(centre=strict, role=Role.AUDITOR)
    client = seat(town.operator, town.service)
    client.get(PAGE)

    clock.instant = NOW + 10 * MINUTE

    assert client.get(PAGE)["Location"].startswith(LOGIN)


def test_a_stricter_limit_reaches_open_sessions(town, sitting, clock):
    Centre.objects.update(session_idle_minutes=5)
    clock.instant = NOW + MINUTE
    assert sitting.get(PAGE).status_code == 200

    clock.instant += 5 * MINUTE

    assert sitting.get(PAGE)["Location"].startswith(LOGIN)


def test_what_was_posted_too_late_is_not_done_and_told(town, sitting, clock):
    case = town.completed(town.case())
    clock.instant = NOW + 31 * MINUTE
    page = f"http://testserver/pannello/rinnovi/{case.code}/approva/"

    answer = sitting.post(f"/pannello/rinnovi/{case.code}/approva/", headers={"referer": page})

    assert answer["Location"].endswith(f"?next=%2Fpannello%2Frinnovi%2F{case.code}%2Fapprova%2F")
    assert "non è stata eseguita" in sitting.get(answer["Location"]).content.decode()
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_clicks_within_a_minute_write_nothing_and_read_no_limits(sitting, clock):
    clock.instant = NOW + timedelta(seconds=59)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        sitting.get(PAGE)

    assert not [query for query in asked if query["sql"].startswith("UPDATE")]
    assert not [query for query in asked if "session_idle_minutes" in query["sql"] and "MIN(" in query["sql"]]


def test_the_button_of_the_page_prolongs_and_says_how_long(sitting, clock):
    clock.instant = NOW + 29 * MINUTE

    answer = sitting.post("/accesso/sessione/")

    assert answer.json() == {"seconds": 1800}
    clock.instant += 29 * MINUTE
    assert sitting.get(PAGE).status_code == 200


def test_nothing_prolongs_beyond_the_longest_life(sitting, clock):
    session = sitting.session
    session[SESSION_KEY] = {**session[SESSION_KEY], "seen": (NOW + timedelta(hours=7.9)).timestamp()}
    session.save()
    clock.instant = NOW + timedelta(hours=7.9)

    assert sitting.post("/accesso/sessione/").json() == {"seconds": 360}


def test_the_button_takes_a_post_and_a_session(town, client, sitting):
    assert sitting.get("/accesso/sessione/").status_code == 405
    assert client.post("/accesso/sessione/").status_code == 401


def test_removed_access_a_closed_account_and_lost_factors_end_sessions_at_once(town, seat):
    root = User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)
    for deed in (
        lambda person: access.remove_factors(person.pk, operator=root, now=NOW),
        lambda person: access.remove_member(person.pk, town.centre.pk, operator=root, now=NOW),
        lambda person: access.close_account(person.pk, operator=root, now=NOW),
    ):
        client = seat(town.operator, town.service)
        assert client.get(PAGE).status_code == 200
        deed(town.operator)

        assert client.get(PAGE)["Location"].startswith(LOGIN)
        town.operator.refresh_from_db()
        town.operator.memberships.get_or_create(centre=town.centre)


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(town, seat, freshly):
    here, there = freshly(seat(town.operator, town.service)), seat(town.operator, town.service)
    words = "un'altra-frase-molto-lunga"

    here.post("/accesso/password/change/", {"oldpassword": PASSWORD, "password1": words, "password2": words})

    assert here.get(PAGE).status_code == 200
    assert there.get(PAGE)["Location"].startswith(LOGIN)
