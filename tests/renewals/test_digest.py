"""The daily digest of a centre: once a day from seven in the morning, nothing twice, nothing where nothing is to say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Stock
from cms.services import certificates, requests
from cms.states import HoldCause
from notifications.models import OutboxMessage
from notifications.rendering import render
from renewals import sweeps
from renewals.models import DigestDay, RenewalCase, SupportRequest
from renewals.services import digest, support_desk
from tests.renewals.quick import completed
from tests.renewals.test_clock import DUE

MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # 7:00 in Rome
DAY = timedelta(days=1)


@pytest.fixture
def plenty(world):
    """No counter is low."""
    world.buy(100)


def digests():
    """What was posted, oldest first."""
    return list(OutboxMessage.objects.filter(kind="daily-digest").order_by("created_at"))


def test_it_waits_for_the_morning_and_comes_once(world, plenty):
    case = completed(world, 1)
    assert digest.tell_day(now=MORNING - timedelta(seconds=1)) == 0
    assert digest.tell_day(now=MORNING) == 1
    assert digest.tell_day(now=MORNING + timedelta(hours=3)) == 0
    (mail,) = digests()
    assert mail.recipient == world.centre.email
    assert mail.context["waiting"] == [{"code": case.code, "at": case.old_not_after.isoformat(), "remark": ""}]
    assert mail.context["waiting_total"] == 1


def test_a_late_beat_tells_the_same_day(world, plenty):
    completed(world, 1)
    assert digest.tell_day(now=MORNING + timedelta(hours=11)) == 1
    assert digests()[0].context["day"] == "2026-03-03"


def test_a_day_without_anything_brings_no_mail_and_is_done(world, plenty):
    assert digest.tell_day(now=MORNING) == 0
    completed(world, 1)
    assert digest.tell_day(now=MORNING + timedelta(hours=1)) == 0
    assert digest.tell_day(now=MORNING + DAY) == 1


def test_killed_before_the_day_was_marked_it_tells_nobody_twice(world, plenty):
    completed(world, 1)
    digest.tell_day(now=MORNING)
    DigestDay.objects.all().delete()
    assert digest.tell_day(now=MORNING + timedelta(minutes=5)) == 0
    assert len(digests()) == 1


def test_the_most_urgent_come_first_and_the_rest_is_counted(world, plenty, settings):
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"digest_most": 2})
    made = [completed(world, number) for number in (1, 2, 3)]
    sooner = made[2].old_not_after - DAY
    RenewalCase.objects.filter(pk=made[2].pk).update(old_not_after=sooner)
    digest.tell_day(now=MORNING)
    context = digests()[0].context
    assert [entry["code"] for entry in context["waiting"]] == [made[2].code, made[0].code]
    assert context["waiting_total"] == 3


def test_urged_cases_are_named(world, plenty):
    case = completed(world, 1)
    RenewalCase.objects.update(urged_at=MORNING - timedelta(hours=2))
    digest.tell_day(now=MORNING)
    assert [entry["code"] for entry in digests()[0].context["urged"]] == [case.code]


def test_what_the_clock_did_is_told_on_the_next_morning_alone(world, plenty):
    case = completed(world, 1)
    digest.tell_day(now=MORNING)
    sweeps.suspend_unauthorised(now=DUE)
    for days in (1, 2):
        digest.tell_day(now=datetime(2026, 3, 31, 6, 0, tzinfo=UTC) + days * DAY)
    first, second = digests()[1:]
    assert first.context["suspended"] == [{"code": case.code, "at": DUE.isoformat(), "remark": ""}]
    assert first.context["waiting"][0]["remark"] == "Certificati sospesi"
    assert second.context["suspended_total"] == 0


def test_after_two_days_without_a_digest_nothing_is_left_out(world, plenty):
    """What happened while nothing ran is told when it runs again."""
    completed(world, 1)
    digest.tell_day(now=datetime(2026, 3, 31, 6, 0, tzinfo=UTC))
    sweeps.suspend_unauthorised(now=DUE)
    digest.tell_day(now=datetime(2026, 4, 3, 9, 0, tzinfo=UTC))
    assert digests()[1].context["suspended_total"] == 1


def test_failures_and_low_stock_are_told(world):
    case = completed(world, 1)
    CaRequest.objects.update(state="refused", settled_at=MORNING - timedelta(hours=1))
    OutboxMessage.objects.filter(kind="signed-form").update(
        state="failed", next_attempt_at=None, queued_at=MORNING - timedelta(hours=1)
    )
    Stock.objects.filter(type="signature").update(low_since=MORNING)
    digest.tell_day(now=MORNING)
    context = digests()[0].context
    assert context["failures"] == [
        {"code": "requests-refused", "count": 2, "cases": [case.code]},
        {"code": "mails-undelivered", "count": 1, "cases": [case.code]},
    ]
    assert context["stock"] == [
        {"type": "Autenticazione CNS", "free": 9, "threshold": 10},
        {"type": "Firma qualificata", "free": 9, "threshold": 10},
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "it",
            ["E-mail non recapitate: 1. Pratiche: ", "Firma qualificata: 9 (soglia 10)", "Certificati sospesi"],
        ),
        (
            "en",
            ["E-mails not delivered: 1. Cases: ", "Qualified signature: 9 (threshold 10)", "Certificates suspended"],
        ),
    ],
)
def test_it_is_put_into_words_when_it_is_sent_in_its_readers_language(world, language, said):
    """Whatever language the process spoke that posted it."""
    completed(world, 1)
    sweeps.suspend_unauthorised(now=DUE)
    OutboxMessage.objects.filter(kind="signed-form").update(state="failed", next_attempt_at=None, queued_at=DUE)
    with translation.override("en"):
        digest.tell_day(now=DUE + DAY)
    (mail,) = digests()
    mail.language = language

    text = " ".join(render(mail).text.split())

    for words in said:
        assert words in text


def test_a_digest_that_was_posted_in_words_is_sent_in_them(world):
    completed(world, 1)
    digest.tell_day(now=MORNING)
    (mail,) = digests()
    mail.context |= {"failures": ["E-mail non recapitate: 1."], "stock": ["Firma qualificata: 9 (soglia 10)"]}

    assert "E-mail non recapitate: 1." in render(mail).text


def test_it_holds_no_name_and_no_address_of_a_person(world):
    case = completed(world, 1)
    half = Certificate.objects.filter(pair=case.new_pair).first()
    certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=world.now)
    requests.carry_out_due(at=world.now)
    digest.tell_day(now=MORNING)
    said = json.dumps(digests()[0].context) + render(digests()[0]).text
    holder = case.holder
    for secret in (holder.surname, holder.given_name, holder.tax_code, holder.email, case.card.serial):
        assert secret not in said
    assert case.code in said


def test_a_closed_centre_is_told_nothing(world):
    completed(world, 1)
    world.centre.active = False
    world.centre.save()
    assert digest.tell_day(now=MORNING) == 0


@pytest.mark.parametrize(("first", "hours"), [((2026, 3, 28), 23), ((2026, 10, 24), 25)])
def test_around_the_change_of_the_clocks_each_day_has_one(world, plenty, first, hours):
    """The night of 29 March has 23 hours between two mornings, that of 25 October 25; beat pokes every ten minutes."""
    completed(world, 1)
    start = datetime(*first, tzinfo=UTC)
    posted = {}
    for minutes in range(0, 3 * 24 * 60, 30):
        now = start + timedelta(minutes=minutes)
        if digest.tell_day(now=now):
            posted[now] = digests()[-1].context["day"]
    assert len(posted) == len(set(posted.values())) == 3
    one, two, _three = posted
    assert two - one == timedelta(hours=hours)


def test_requests_for_help_are_counted_by_number_until_they_are_closed(world, plenty):
    """Whoever asks is named at the panel alone."""
    asked = {"code": "card-update", "state": "open", "centre": world.centre, "service": world.service}
    late = SupportRequest.objects.create(number="S000-0002", opened_at=MORNING - DAY, is_proven=True, **asked)
    SupportRequest.objects.create(number="S000-0001", opened_at=MORNING - 2 * DAY, is_proven=True, **asked)
    support_desk.assign_request(late.number, world.operator.pk, operator=world.operator, now=MORNING - DAY)
    digest.tell_day(now=MORNING)

    first, second = digests()[0].context["support"]
    assert (first["code"], first["remark"]) == ("S000-0001", "")
    assert (second["code"], second["remark"]) == ("S000-0002", "In carico")
    assert "Richieste di supporto aperte: 2" in render(digests()[0]).text
    for number in ("S000-0001", "S000-0002"):
        support_desk.close_request(number, operator=world.operator, now=MORNING)
    assert digest.tell_day(now=MORNING + DAY) == 0
