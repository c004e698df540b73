"""The emergency stop of automatic revocations: two administrators, a reason, an end; and what it does not stop."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from cms.errors import AdministratorsOnly, NotFound
from cms.models import Event, User
from cms.policy import hold_lapses_at
from renewals import errors, queries
from renewals.models import RevocationStop
from renewals.services import stops

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENDS = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)


@pytest.fixture
def ada(db):
    return administrator("ada")


@pytest.fixture
def bruno(db):
    return administrator("bruno")


def administrator(name):
    return User.objects.create_user(f"{name}@example.org", None, full_name=name, is_staff=True, is_administrator=True)


def asked(by, **changes):
    return stops.ask_stop(**{"reason": "CRL irraggiungibili", "ends_at": ENDS, "operator": by, "now": NOW, **changes})


def verbs():
    return list(Event.objects.order_by("pk").values_list("verb", flat=True))


def test_a_stop_is_in_force_from_the_second_administrators_word_until_its_end(ada, bruno):
    stop = asked(ada)
    assert queries.stop_in_force(NOW) is None

    confirmed = stops.confirm_stop(stop.uid, operator=bruno, now=NOW + timedelta(minutes=5))

    assert queries.stop_in_force(NOW) is None, "never back-dated"
    assert queries.stop_in_force(NOW + timedelta(minutes=5)) == confirmed
    assert queries.stop_in_force(ENDS - timedelta(seconds=1)) == confirmed
    assert queries.stop_in_force(ENDS) is None


def test_each_step_leaves_its_event_with_reason_and_end(ada, bruno):
    stop = asked(ada, reason="  CRL\nirraggiungibili ")
    stops.confirm_stop(stop.uid, operator=bruno, now=NOW)
    stops.lift_stop(stop.uid, operator=ada, now=NOW)
    stops.withdraw_stop(asked(ada).uid, operator=bruno, now=NOW)

    assert verbs() == [f"revocation-stop.{step}" for step in ("asked", "confirmed", "lifted", "asked", "withdrawn")]
    first = Event.objects.earliest("pk")
    assert (first.reason, first.actor_id, first.centre_id) == ("CRL irraggiungibili", ada.pk, None)
    assert first.facts == {"stop": str(stop.uid), "until": ENDS.isoformat()}


def test_who_has_asked_does_not_confirm(ada):
    stop = asked(ada)

    with pytest.raises(errors.StopSamePerson):
        stops.confirm_stop(stop.uid, operator=ada, now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        RevocationStop.objects.filter(pk=stop.pk).update(confirmed_by=ada.pk, confirmed_at=NOW)


def test_only_administrators_touch_it(ada, bruno):
    stop = asked(ada)
    clerk = User.objects.create_user("ufficio@example.org", None, full_name="Ufficio", is_staff=True)
    former = administrator("carla")
    User.objects.filter(pk=former.pk).update(is_active=False)
    former.refresh_from_db()

    for nobody in (clerk, former):
        with pytest.raises(AdministratorsOnly):
            asked(nobody)
        for step in (stops.confirm_stop, stops.withdraw_stop, stops.lift_stop):
            with pytest.raises(AdministratorsOnly):
                step(stop.uid, operator=nobody, now=NOW)


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_a_stop_needs_a_reason(ada, reason):
    with pytest.raises(errors.ReasonMissing):
        asked(ada, reason=reason)


@pytest.mark.parametrize("ends_at", [NOW - timedelta(days=1), NOW, hold_lapses_at(NOW, 30) + timedelta(seconds=1)])
def test_its_end_lies_ahead_and_within_thirty_days(ada, ends_at):
    with pytest.raises(errors.StopTooLong):
        asked(ada, ends_at=ends_at)

    assert asked(ada, ends_at=hold_lapses_at(NOW, 30)).ends_at == hold_lapses_at(NOW, 30)


def test_twice_is_once_for_every_step(ada, bruno):
    stop = asked(ada)
    for step in (stops.confirm_stop, stops.lift_stop):
        step(stop.uid, operator=bruno, now=NOW)
        step(stop.uid, operator=bruno, now=NOW + timedelta(seconds=1))

    assert verbs() == ["revocation-stop.asked", "revocation-stop.confirmed", "revocation-stop.lifted"]


def test_one_request_waits_at_a_time_and_a_longer_one_may_follow_a_stop_in_force(ada, bruno):
    first = asked(ada)
    with pytest.raises(errors.StopWaiting):
        asked(bruno)

    stops.confirm_stop(first.uid, operator=bruno, now=NOW)
    longer = asked(ada, ends_at=ENDS + timedelta(days=7))
    stops.confirm_stop(longer.uid, operator=bruno, now=NOW)

    assert queries.stop_in_force(NOW) == longer


def test_what_is_over_is_neither_confirmed_nor_ended_again(ada, bruno):
    stop = asked(ada)
    with pytest.raises(errors.StopClosed):
        stops.confirm_stop(stop.uid, operator=bruno, now=ENDS)
    with pytest.raises(errors.StopNotConfirmed):
        stops.lift_stop(stop.uid, operator=bruno, now=NOW)

    stops.withdraw_stop(stop.uid, operator=ada, now=NOW)
    with pytest.raises(errors.StopClosed):
        stops.confirm_stop(stop.uid, operator=bruno, now=NOW)

    second = asked(ada)
    stops.confirm_stop(second.uid, operator=bruno, now=NOW)
    with pytest.raises(errors.StopInForce):
        stops.withdraw_stop(second.uid, operator=ada, now=NOW)
    with pytest.raises(errors.StopClosed):
        stops.lift_stop(second.uid, operator=ada, now=ENDS)
    with pytest.raises(NotFound):
        stops.lift_stop("00000000-0000-4000-8000-000000000000", operator=ada, now=NOW)


def test_two_clicks_at_once_make_one_request(committed):
    ada, outcomes = administrator("ada"), []
    barrier = threading.Barrier(4)

    def click():
        barrier.wait()
        try:
            asked(ada)
            outcomes.append("asked")
        except errors.StopWaiting:
            outcomes.append("waiting")
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()

    assert sorted(outcomes) == ["asked", "waiting", "waiting", "waiting"]
