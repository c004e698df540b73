"""What the watchmen see, once each, and what they tell the administrators."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import translation
from structlog.testing import capture_logs

from cms.models import CaRequest, SealCheck, StatusCheck, StatusDifference, User
from cms.states import RequestState
from config import conditions, tasks, watch, watchman
from config.models import Alarm, Canary
from notifications import services as outbox
from notifications.alarm_words import WORDS
from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.rendering import render
from renewals.models import RenewalCase, RevocationStop
from renewals.states import Due
from smime.models import CaOrder, SmimeCertificate
from smime.services import attempts, checks, deliveries, idp
from tests.authority import founding
from tests.panel.town import NOW, Town
from tests.smime import identified
from tests.smime.mailed import check_of, order_of
from tests.smime.provider import FakeProvider, told

_numbers = itertools.count(1)


@pytest.fixture
def town(db, clock):
    clock.instant = NOW
    return Town()


@pytest.fixture
def ada(db):
    return administrator("ada")


def administrator(name):
    return User.objects.create_user(f"{name}@example.org", None, full_name=name, is_staff=True, is_administrator=True)


def alive(at):
    """What is watched gives its signs of life, so that nothing but the subject of a test is an alarm."""
    for name in (conditions.SCHEDULE, conditions.BEAT):
        watch.note_life(name, now=at)


def nothing_is_late(at):
    """What the town itself has posted has left, and of what it should have told before all was told."""
    sent = {"state": "sent", "sent_at": at, "next_attempt_at": None, "sealed_context": None}
    OutboxMessage.objects.filter(state="queued", queued_at__lt=NOW - timedelta(days=1)).update(**sent)
    RenewalCase.objects.filter(notice_at__lt=NOW - timedelta(days=1)).update(notice_kind="", notice_at=None)


def looked(at=NOW, *, is_alive=True):
    nothing_is_late(at)
    if is_alive:
        alive(at)
    assert watch.look(now=at)
    return set(Alarm.objects.filter(closed_at__isnull=True).values_list("kind", flat=True))


def due(town, kind, at):
    case = town.completed(town.case(days_left=-1))
    RenewalCase.objects.filter(pk=case.pk).update(due_kind=kind, due_at=at)
    return case


def wish(town, kind, state, asked_at, **more):
    case = town.completed(town.case())
    certificate = case.new_pair.certificates.first()
    return CaRequest.objects.create(
        natural_key=f"{kind}:{next(_numbers)}", kind=kind, state=state, asked_at=asked_at, next_attempt_at=asked_at,
        centre=case.centre, service=case.issuing_service, pair=case.new_pair, certificate=certificate, **more,
    )  # fmt: skip


def ask_for_mail(asked_at, **said):
    """What the CA was asked about an S/MIME certificate."""
    order = order_of("mv", at=asked_at)
    life = {"not_before": asked_at, "not_after": asked_at + timedelta(days=365), "issued_at": asked_at}
    numbers = {"serial": "0a", "issuer_key_id": "0b", "fingerprint": "0c", "spki_sha256": "0d"}
    certificate = SmimeCertificate.objects.create(order=order, edition=1, der=b"", **numbers, **life)
    OutboxMessage.objects.all().delete()
    said = {"next_attempt_at": asked_at, "certificate": certificate} | said
    return CaOrder.objects.create(natural_key=f"{said['kind']}:1", order=order, edition=1, asked_at=asked_at, **said)


def test_a_quiet_installation_opens_no_alarm(town, ada):
    assert looked() == set()
    assert not OutboxMessage.objects.filter(kind=Message.ALARM).exists()


@pytest.mark.parametrize(("kind", "alarm"), [(Due.SUSPEND, "suspensions-overdue"), (Due.REVOKE, "revocations-overdue")])
def test_what_the_clock_should_have_done_five_minutes_ago_is_an_alarm(town, kind, alarm):
    due(town, kind, NOW - timedelta(minutes=4, seconds=59))
    assert looked() == set()

    assert looked(NOW + timedelta(seconds=30)) == {alarm}
    assert Alarm.objects.get().facts == {"count": 1, "since": (NOW - timedelta(minutes=4, seconds=59)).isoformat()}


@pytest.mark.parametrize(("kind", "alarm"), [("hold", "suspensions-overdue"), ("revoke", "revocations-overdue")])
def test_what_the_ca_has_not_carried_out_is_as_late(town, kind, alarm):
    wish(town, kind, RequestState.PLANNED, NOW - timedelta(minutes=6))

    assert looked() == {alarm}


def test_revocations_under_a_stop_are_no_alarm_until_five_minutes_after_its_end(town):
    due(town, Due.REVOKE, NOW - timedelta(hours=3))
    stop = RevocationStop.objects.create(
        reason="prova", asked_by=1, asked_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(hours=1),
        confirmed_by=2, confirmed_at=NOW - timedelta(days=1),
    )  # fmt: skip
    assert looked() == set()

    lifted = NOW + timedelta(minutes=5)
    RevocationStop.objects.filter(pk=stop.pk).update(closed_by=1, closed_at=lifted)
    assert looked(lifted + timedelta(minutes=4)) == set()
    assert looked(lifted + timedelta(minutes=6)) == {"revocations-overdue"}


@pytest.mark.parametrize(("name", "alarm"), [("schedule", "schedule-silent"), ("beat", "beat-silent")])
def test_a_silent_canary_is_an_alarm_after_three_minutes_at_the_latest(db, name, alarm):
    looked(NOW)
    for seconds in range(30, 181, 30):
        at = NOW + timedelta(seconds=seconds)
        watch.note_life("beat" if name == "schedule" else "schedule", now=at)
        found = looked(at, is_alive=False)
        if seconds < 150:
            assert found == set()

    assert found == {alarm}


def test_after_a_time_in_which_nobody_watched_all_is_given_its_time_to_start(db):
    looked(NOW)
    back = NOW + timedelta(days=3)

    assert looked(back, is_alive=False) == set()
    assert looked(back + timedelta(seconds=30), is_alive=False) == set()
    for seconds in range(60, 181, 30):
        found = looked(back + timedelta(seconds=seconds), is_alive=False)
    assert found == {"schedule-silent", "beat-silent"}
    assert {alarm.facts["since"] for alarm in Alarm.objects.all()} == {NOW.isoformat()}


def test_a_list_that_was_not_renewed_at_half_its_life_is_an_alarm(db):
    founding.found("p-256")
    half = founding.FOUNDED + timedelta(hours=12)

    assert looked(half + timedelta(minutes=5)) == set()
    assert looked(half + timedelta(minutes=11)) == {"crl-old"}


@pytest.mark.parametrize(
    ("state", "alarm"), [(RequestState.SENT, "ca-outcome-unknown"), (RequestState.PLANNED, "ca-unasked")]
)
def test_a_request_that_is_open_for_ten_minutes_is_an_alarm(town, state, alarm):
    wish(town, "release", state, NOW - timedelta(minutes=9, seconds=50))
    assert looked() == set()

    assert looked(NOW + timedelta(seconds=30)) == {alarm}


def test_a_refused_request_is_an_alarm_for_a_day(town):
    refused = wish(town, "hold", RequestState.REFUSED, NOW - timedelta(hours=2), settled_at=NOW - timedelta(hours=1))
    assert looked() == {"ca-refused"}

    CaRequest.objects.filter(pk=refused.pk).update(settled_at=NOW - timedelta(days=1))
    looked(NOW + timedelta(seconds=30))
    assert looked(NOW + timedelta(minutes=2)) == set()


@pytest.mark.parametrize(
    ("said", "alarm"),
    [
        ({"kind": "issue", "state": "planned"}, "ca-unasked"),
        ({"kind": "issue", "state": "sent"}, "ca-outcome-unknown"),
        ({"kind": "hold", "state": "refused", "settled_at": NOW}, "ca-refused"),
    ],
)
def test_what_the_ca_owes_for_mail_certificates_is_an_alarm_too(db, said, alarm):
    ask_for_mail(NOW - timedelta(minutes=9, seconds=59), **said)
    assert looked() == ({alarm} if "settled_at" in said else set())

    CaOrder.objects.update(asked_at=NOW - timedelta(minutes=10), next_attempt_at=NOW - timedelta(minutes=10))
    assert looked(NOW + timedelta(seconds=30)) == {alarm}


def test_an_issuance_that_is_put_off_until_later_waits_for_no_worker(db):
    ask_for_mail(NOW - timedelta(days=1), kind="issue", state="planned", next_attempt_at=NOW + timedelta(minutes=1))
    assert looked() == set()


@pytest.mark.parametrize(("kind", "alarm"), [("hold", "suspensions-overdue"), ("revoke", "revocations-overdue")])
def test_a_change_of_a_mail_certificate_is_late_after_five_minutes(db, kind, alarm):
    ask_for_mail(NOW - timedelta(minutes=4, seconds=59), kind=kind, state="sent")
    assert looked() == set()
    assert looked(NOW + timedelta(seconds=30)) == {alarm}


def test_a_refused_revocation_is_late_once_its_clock_has_run_out_and_until_the_certificate_is_revoked(db):
    ask_for_mail(
        NOW - timedelta(days=2), kind="revoke", state="refused", settled_at=NOW - timedelta(days=2), due_by=NOW
    )
    assert looked(NOW - timedelta(seconds=30)) == set()
    assert looked() == {"revocations-overdue"}

    certificate = CaOrder.objects.get().certificate
    certificate.revoke(at=NOW, ground="key-compromise")
    certificate.save()
    looked(NOW + timedelta(seconds=30))
    assert looked(NOW + timedelta(minutes=2)) == set()


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


class TestIdentificationProvider:
    """People wait for it: half an hour without any answer, or with an announced outcome that nobody fetched."""

    @pytest.fixture
    def order(self, committed, provider):
        order = order_of("iv", at=NOW)
        for kind in ("mailbox", "consent"):
            checks.pass_check(check_of(order, kind), at=NOW, method="prova")
        return order

    def invited(self, order):
        checks.begin(check_of(order, "identity"), at=NOW)
        identified.work(NOW)
        OutboxMessage.objects.all().delete()

    def test_a_session_that_it_does_not_open_for_half_an_hour_is_an_alarm_until_it_does(self, order, provider):
        provider.is_away = True
        self.invited(order)
        assert looked(NOW + timedelta(minutes=29, seconds=59)) == set()
        assert looked(NOW + timedelta(minutes=30, seconds=30)) == {"identification-silent"}
        assert "1 riconoscimento" in WORDS["identification-silent"].detail(Alarm.objects.get().facts, str)

        provider.is_away = False
        attempts.carry_out_due(at=NOW + timedelta(minutes=40))
        OutboxMessage.objects.all().delete()
        looked(NOW + timedelta(minutes=40))
        assert looked(NOW + timedelta(minutes=42)) == set()

    def test_while_it_answers_others_it_is_not_silent(self, order, provider):
        self.invited(order)
        waiting = order.attempts_made.create(number=2, round=1, client_id="b", created_at=NOW, next_attempt_at=NOW)
        order.attempts_made.filter(number=1).update(finished_at=NOW + timedelta(minutes=20))
        assert looked(NOW + timedelta(minutes=45)) == set()
        assert looked(NOW + timedelta(minutes=51)) == {"identification-silent"}
        assert waiting.scan_ref == ""

    def test_nobody_waits_for_an_invitation_that_nobody_follows(self, order, provider):
        self.invited(order)
        provider.is_away = True
        assert looked(NOW + timedelta(hours=23)) == set()

    def test_a_session_whose_end_it_does_not_tell_is_one_too(self, order, provider):
        self.invited(order)
        provider.is_away = True
        for minutes in range(0, 60, 3):
            attempts.carry_out_due(at=NOW + timedelta(hours=24, minutes=2 + minutes))
        assert looked(NOW + timedelta(hours=24, minutes=31)) == set()
        assert looked(NOW + timedelta(hours=24, minutes=33)) == {"identification-silent"}

    def test_what_it_has_announced_is_fetched_within_half_an_hour(self, order, provider):
        self.invited(order)
        told("scan-1", NOW)
        deliveries.apply_due(at=NOW)
        assert looked(NOW + timedelta(minutes=29)) == set()
        assert looked(NOW + timedelta(minutes=31)) == {"identification-silent"}

    def test_and_read_within_half_an_hour(self, order, provider):
        self.invited(order)
        told("scan-1", NOW)
        assert looked(NOW + timedelta(minutes=29)) == set()
        assert looked(NOW + timedelta(minutes=31)) == {"identification-silent"}


def test_a_mail_that_waits_for_a_quarter_of_an_hour_is_an_alarm(town):
    town.case()  # its notice is posted at the opening of the window
    put_off = {"next_attempt_at": NOW + timedelta(minutes=1), "last_error": "PutOff 451"}
    OutboxMessage.objects.update(queued_at=NOW - timedelta(minutes=15, seconds=1), **put_off)

    assert looked() == {"mail-late"}


def test_differences_of_the_last_complete_check_are_an_alarm_until_a_later_one_finds_none(db):
    check = StatusCheck.objects.create(started_at=NOW, finished_at=NOW)
    StatusDifference.objects.create(check_run=check, kind="crl", issuer_key_id="0a", serial="0b", found_at=NOW)
    StatusCheck.objects.create(started_at=NOW)
    assert looked() == {"status-differs"}

    StatusCheck.objects.create(started_at=NOW, finished_at=NOW)
    looked(NOW + timedelta(seconds=30))
    assert looked(NOW + timedelta(minutes=2)) == set()


def test_a_chain_that_did_not_hold_is_an_alarm(db):
    SealCheck.objects.create(at=NOW, seq=7, digest="0" * 64, findings=2)

    assert looked() == {"chain-broken"}
    assert "2 anomalie" in WORDS["chain-broken"].detail(Alarm.objects.get().facts, str)


def test_every_condition_has_its_words_and_every_word_its_condition():
    assert set(WORDS) == set(conditions.CONDITIONS)


def test_an_alarm_is_opened_once_seen_again_and_closed_once_it_is_calm(db, ada):
    administrator("bruno")
    User.objects.filter(email="bruno@example.org").update(is_active=False)
    SealCheck.objects.create(at=NOW, seq=7, digest="0" * 64, findings=2)
    with capture_logs() as said:
        for seconds in (0, 30, 60):
            looked(NOW + timedelta(seconds=seconds))
        SealCheck.objects.create(at=NOW, seq=7, digest="0" * 64, findings=0)
        for seconds in (90, 120, 150):
            looked(NOW + timedelta(seconds=seconds))

    alarm = Alarm.objects.get()
    assert (alarm.opened_at, alarm.seen_at, alarm.closed_at) == tuple(
        NOW + timedelta(seconds=seconds) for seconds in (0, 60, 120)
    )
    assert [line["event"] for line in said] == ["alarm.opened", "alarm.lasts", "alarm.lasts", "alarm.closed"]
    mails = OutboxMessage.objects.filter(kind=Message.ALARM).order_by("created_at")
    assert [(mail.recipient, mail.context["closed_at"] != "") for mail in mails] == [
        ("ada@example.org", False),
        ("ada@example.org", True),
    ]
    assert mails[0].is_urgent


def test_each_administrator_reads_an_alarm_in_his_own_language(town, ada):
    administrator("bea")
    User.objects.filter(email="bea@example.org").update(language="en")
    due(town, Due.SUSPEND, NOW - timedelta(minutes=6))
    with translation.override("en"):
        looked()

    italian, english = OutboxMessage.objects.filter(kind=Message.ALARM).order_by("recipient")
    assert italian.context == english.context
    assert set(italian.context) == {"kind", "count", "since", "opened_at", "closed_at", "panel_url"}
    for mail, words in (
        (italian, ["Allarme: Sospensioni in ritardo", "1 sospensione in ritardo di più di 5 minuti, dal lun 02/03"]),
        (english, ["Alarm: Overdue suspensions", "1 suspension overdue by more than 5 minutes, since Mon 2 Mar"]),
    ):
        said = render(mail)
        text = " ".join(f"{said.subject} {said.text}".split())
        for sentence in words:
            assert sentence in text


def test_a_condition_that_cannot_be_asked_hides_no_other_and_closes_nothing(db, monkeypatch):
    def breaks(_now):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    SealCheck.objects.create(at=NOW, seq=7, digest="0" * 64, findings=2)
    looked()
    monkeypatch.setattr(watch, "CONDITIONS", {"chain-broken": breaks, "beat-silent": lambda _: conditions.Finding(1)})

    assert looked(NOW + timedelta(minutes=5)) == {"chain-broken", "beat-silent"}


def test_one_looks_at_a_time_and_the_others_rest(committed, clock):
    clock.instant, looks = NOW, []
    barrier = threading.Barrier(4)

    def stand():
        barrier.wait()
        looks.append(watch.look(now=NOW))
        connection.close()

    watchmen = [threading.Thread(target=stand) for _ in range(4)]
    for each in watchmen:
        each.start()
    for each in watchmen:
        each.join()

    assert sorted(looks) == [False, False, False, True]
    assert watch.look(now=NOW + timedelta(seconds=20)) is False
    assert watch.look(now=NOW + timedelta(seconds=30)) is True


def test_a_watchman_sends_the_mail_himself_and_sends_it_later_where_the_server_is_away(
    committed, clock, mailbox, settings
):
    clock.instant = NOW
    administrator("ada")
    SealCheck.objects.create(at=NOW, seq=7, digest="0" * 64, findings=2)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9  # nobody listens there
    alive(NOW)
    watchman.Watchman().stand_watch()
    assert mailbox.messages() == []

    settings.EMAIL_PORT = port
    clock.instant = NOW + timedelta(minutes=2)
    alive(clock.instant)
    watchman.Watchman().stand_watch()

    (mail,) = mailbox.messages()
    assert "ada@example.org" in mail["To"]
    assert OutboxMessage.objects.get(kind=Message.ALARM).state == "sent"


def test_a_watchman_survives_the_loss_of_his_database(committed, clock):
    clock.instant = NOW

    def away(*_):
        raise DatabaseError

    with capture_logs() as said, connection.execute_wrapper(away):
        watchman.Watchman().stand_watch()
    watchman.Watchman().stand_watch()

    assert [line["event"] for line in said] == ["watch.database-away"]
    assert Canary.objects.filter(name=conditions.WATCH, sang_at=NOW).exists()


def test_beat_is_alive_while_its_loop_turns(committed, clock):
    clock.instant = NOW
    man = watchman.Watchman()
    man.stand_watch()
    assert not Canary.objects.filter(name=conditions.BEAT).exists()

    man.note_tick()
    man.stand_watch()
    assert Canary.objects.get(name=conditions.BEAT).sang_at == NOW


def test_the_web_application_watches_from_its_first_request_on(monkeypatch):
    started = []
    monkeypatch.setattr(watchman.WATCHMAN, "start", lambda: started.append(True))
    application = watchman.watched(lambda environ, _start: [environ["PATH_INFO"].encode()])
    assert started == []

    assert application({"PATH_INFO": "/healthz"}, lambda *_: None) == [b"/healthz"]
    assert started == [True]


def test_starting_twice_starts_one_thread(committed, clock):
    clock.instant = NOW
    man = watchman.Watchman(rest_seconds=3600)
    for _ in range(2):
        man.start()

    assert [each.daemon for each in threading.enumerate() if each is man._thread] == [True]
    assert sum(each.name == "watchman" for each in threading.enumerate()) == 1


def test_the_canary_of_the_schedule_sings_on_its_own_row(committed, clock):
    clock.instant = NOW
    watch.note_life(conditions.BEAT, now=datetime(2026, 1, 1, tzinfo=UTC))
    tasks.sing()

    assert conditions.age_of(conditions.SCHEDULE, NOW) == timedelta(0)
    assert outbox.deliver_due(at=NOW, limit=1) == 0
