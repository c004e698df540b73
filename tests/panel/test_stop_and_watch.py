"""Fermo delle revoche and Sorveglianza: who sees them, what they say, and the four steps of a stop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.models import User
from config.models import Alarm, Canary
from renewals.models import RenewalCase, RevocationStop
from renewals.services import stops
from tests.panel.town import NOW, PASSWORD

STOP, WATCH, TODAY = "/pannello/fermo-revoche/", "/pannello/sorveglianza/", "/pannello/oggi/"
FORM = {"reason": "CRL irraggiungibili", "last_day": "2026-03-09"}
UNTIL = "mar 10/03/2026, 00:00"


@pytest.fixture
def provider(town):
    town.ada, town.bruno = (
        User.objects.create_user(
            f"{name.lower()}@example.org", PASSWORD, full_name=f"{name} Esempio", is_staff=True, is_administrator=True
        )
        for name in ("Ada", "Bruno")
    )
    return town


@pytest.fixture
def by(provider, seat, freshly):
    return lambda user: freshly(seat(user, provider.service))


def text(answer):
    return " ".join(answer.content.decode().split())


def in_force(town, ends_in=timedelta(days=7)):
    stop = stops.ask_stop("CRL irraggiungibili", NOW + ends_in, operator=town.ada, now=NOW)
    return stops.confirm_stop(stop.uid, operator=town.bruno, now=NOW)


def test_one_administrator_asks_another_confirms_and_any_lifts(provider, by):
    asked = by(provider.ada).post(f"{STOP}chiedi/", FORM, follow=True)
    assert "ora un altro amministratore lo conferma" in text(asked)
    assert "la conferma spetta a un altro amministratore" in text(asked)
    stop = RevocationStop.objects.get()
    confirm = f"{STOP}{stop.uid}/conferma/"
    assert "stop-same-person" in text(by(provider.ada).post(confirm, follow=True))

    page = text(by(provider.bruno).get(confirm))
    assert all(word in page for word in ("CRL irraggiungibili", UNTIL, "Ada Esempio", "in nessun CDRL"))
    done = text(by(provider.bruno).post(confirm, follow=True))
    assert "Revoche automatiche ferme" in done
    assert "In vigore" in done

    lifted = text(by(provider.ada).post(f"{STOP}{stop.uid}/togli/", follow=True))
    assert "Nessun fermo in vigore" in lifted
    assert "Tolto" in lifted


def test_a_request_is_taken_back(provider, by):
    stop = stops.ask_stop("prova", NOW + timedelta(days=1), operator=provider.ada, now=NOW)

    assert "Ritirato" in text(by(provider.bruno).post(f"{STOP}{stop.uid}/ritira/", follow=True))
    assert "stop-closed" in text(by(provider.bruno).post(f"{STOP}{stop.uid}/conferma/", follow=True))


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"last_day": ""}, {"last_day": "2026-03-01"}, {"last_day": "2026-04-02"}]
)
def test_a_form_that_asks_for_too_much_or_says_too_little_is_answered(provider, by, wrong):
    answer = by(provider.ada).post(f"{STOP}chiedi/", {**FORM, **wrong})

    assert answer.status_code == 200
    assert not RevocationStop.objects.exists()
    assert "error" in text(answer)


def test_the_last_day_counts_in_full_and_may_be_the_thirtieth(provider, by):
    by(provider.ada).post(f"{STOP}chiedi/", {**FORM, "last_day": "2026-04-01"})

    assert RevocationStop.objects.get().ends_at.isoformat() == "2026-04-01T22:00:00+00:00"


def test_each_step_asks_again_who_it_is(provider, seat):
    answer = seat(provider.ada, provider.service).post(f"{STOP}chiedi/", FORM)

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not RevocationStop.objects.exists()


def test_the_page_says_how_many_revocations_wait_in_all_centres(provider, by):
    for _ in range(2):
        case = provider.completed(provider.case(days_left=-1))
        RenewalCase.objects.filter(pk=case.pk).update(due_kind="revoke", due_at=NOW - timedelta(minutes=1))
    elsewhere = provider.found("cdrl-altro", "Altro Ordine di Esempio")
    provider.offer(provider.service.code, provider.service.name, centre=elsewhere)
    provider.offer(provider.eidas.code, provider.eidas.name, centre=elsewhere)
    foreign = provider.case(centre=elsewhere)
    RenewalCase.objects.filter(pk=foreign.pk).update(due_kind="revoke", due_at=NOW + timedelta(days=3))
    in_force(provider)

    page = text(by(provider.ada).get(STOP))
    assert "2 pratiche o sospensioni" in page
    assert "3 pratiche o sospensioni" in page, "until the end of the stop one more becomes due"


def test_operators_read_on_their_pages_that_revocations_wait(provider, desk):
    assert "Revoche automatiche ferme" not in text(desk.get(TODAY))
    in_force(provider)

    for page in (TODAY, "/pannello/rinnovi/"):
        assert "Revoche automatiche ferme fino a lun 09/03/2026, 10:00." in text(desk.get(page))
    assert STOP not in text(desk.get(TODAY))


@pytest.mark.parametrize("page", [STOP, WATCH, f"{STOP}chiedi/"])
def test_nobody_but_administrators_has_these_pages(provider, page, seat, freshly, desk):
    manager = provider.employ("resp@cdrl.example.org", "Rita Resta", role="manager")

    assert freshly(seat(manager, provider.service)).get(page).status_code == 404
    assert freshly(desk).get(page).status_code == 403
    assert WATCH not in text(desk.get(TODAY))


def test_the_watch_shows_open_alarms_signs_of_life_and_what_is_over(provider, by):
    Canary.objects.create(name="beat", sang_at=NOW - timedelta(minutes=12))
    Canary.objects.create(name="schedule", sang_at=NOW - timedelta(seconds=8))
    since = (NOW - timedelta(minutes=12)).isoformat()
    Alarm.objects.create(
        kind="beat-silent", opened_at=NOW - timedelta(minutes=9), seen_at=NOW, facts={"count": 1, "since": since}
    )
    Alarm.objects.create(
        kind="suspensions-overdue", opened_at=NOW - timedelta(days=2), seen_at=NOW, closed_at=NOW - timedelta(days=1),
        facts={"count": 1000, "since": since},
    )  # fmt: skip

    page = text(by(provider.ada).get(WATCH))

    for words in (
        "Beat non dà segni di vita", "Dal lun 02/03/2026, 09:48", "Riavvii il processo beat", "12 minuti fa", "Fermo",
        "8 secondi fa", "In funzione", "1000+ sospensioni in ritardo di più di 5 minuti", "1 giorno",
    ):  # fmt: skip
        assert words in page, words
    assert '1<span class="sr"> allarmi aperti</span>' in page


def test_a_quiet_installation_says_so(provider, by):
    page = text(by(provider.ada).get(WATCH))

    assert "Nessun allarme aperto" in page
    assert "Ancora nessuno." in page


def test_an_administrator_without_a_desk_reads_both_pages(provider, seat):
    for page in (STOP, WATCH):
        assert seat(provider.ada).get(page).status_code == 200
