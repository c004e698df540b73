"""What became of each mail of a case, sending it again within bounds, and a new code where the mail had carried one."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from cms.models import Event, Holder
from cms.services import codes
from cms.states import Role
from notifications import bounces
from notifications.models import OutboxMessage
from notifications.states import BounceKind
from renewals.services import letters
from tests.panel.town import NOW

MESSAGES = "/pannello/messaggi/"
_numbers = itertools.count()


def page_of(case) -> str:
    return f"/pannello/rinnovi/{case.code}/"


def said(answer) -> str:
    return answer.content.decode()


def letter(case, kind="renewal-notice", **changes) -> OutboxMessage:
    settled = {"state": "sent", "sent_at": NOW, "next_attempt_at": None, "kind": kind} | changes
    own = OutboxMessage.objects.filter(case_code=case.code, kind__in=["renewal-notice", kind])
    own.update(**settled)
    return own.get()


def returned(message, at=NOW):
    report = bounces.Report(f"evt-{next(_numbers)}", message.message_id, BounceKind.HARD, "5.1.1", at)
    bounces.store_report(report, at=at)
    return letters.settle_bounces(now=at)


@pytest.fixture
def done(town):
    """A completed case whose mail with the code was taken by the server."""
    case = town.completed(town.case())
    codes.renew_user_code(case.holder, at=NOW - timedelta(days=1))
    return case, letter(case, "renewal-done")


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ({}, ["Inviato", "lun 02/03/2026"]),
        (
            {"state": "failed", "sent_at": None, "last_error": "Rejected 550", "attempts": 3},
            ["Non recapitato", "Il server di posta lo ha rifiutato", "3 tentativi", "Rejected 550"],
        ),
        (
            {"state": "queued", "sent_at": None, "next_attempt_at": NOW, "last_error": "PutOff 451", "attempts": 2},
            ["In coda", "lo ha rinviato", "2 tentativi", "Prossimo tentativo", "PutOff 451"],
        ),
        (
            {"state": "queued", "sent_at": None, "next_attempt_at": NOW, "last_error": "ServerAway OSError"},
            ["In coda", "Il server di posta non risponde"],
        ),
        ({"state": "bounced", "bounced_at": NOW}, ["Respinto dalla casella", "Inviato", "Respinto <"]),
    ],
)
def test_the_log_says_in_words_what_became_of_a_mail(town, desk, fate, words):
    case = town.case()
    letter(case, **fate)

    for page in (said(desk.get(page_of(case))), said(desk.get(MESSAGES))):
        for word in words:
            assert word.replace("'", "&#x27;") in page, word


def test_a_mail_that_came_back_is_written_into_the_case_and_counted(town, desk):
    case = town.case(days_left=59)
    message = letter(case)

    assert returned(message) == 1
    assert returned(message) == 0

    event = Event.objects.get(verb="case.letter-bounced")
    assert (event.case_code, event.outcome, event.actor_kind) == (case.code, "failed", "system")
    assert event.facts == {"message": "renewal-notice", "status": "5.1.1"}
    assert "Messaggio respinto dalla casella" in said(desk.get(page_of(case)))
    listed = said(desk.get(f"{MESSAGES}?esito=non-consegnati"))
    assert case.code in listed
    assert 'title="1 non consegnati"' in listed
    assert "E-mail non recapitata" in said(desk.get("/pannello/oggi/"))


def test_a_return_about_no_case_is_settled_without_event(town):
    message = letter(town.case())
    OutboxMessage.objects.update(case_code="")

    assert returned(message) == 1
    assert not Event.objects.filter(verb="case.letter-bounced").exists()


def test_a_mail_is_sent_again_five_times_a_day_at_most(town, desk, clock):
    case = town.case()
    letter(case)
    for copy in range(6):
        clock.instant = NOW + timedelta(minutes=copy)
        last = OutboxMessage.objects.filter(case_code=case.code).latest("created_at", "pk")
        OutboxMessage.objects.update(state="sent", sent_at=NOW, next_attempt_at=None)
        answer = desk.post(f"{page_of(case)}messaggi/{last.pk}/", {"copies": str(copy)}, follow=True)

    assert "message-sent-often" in said(answer)
    assert OutboxMessage.objects.filter(case_code=case.code).count() == 6
    letters.resend_letter(last.pk, operator=town.operator, copies=5, now=NOW + timedelta(hours=25))
    assert OutboxMessage.objects.filter(case_code=case.code).count() == 7


def test_where_a_mail_carried_the_code_a_new_code_is_sent_and_the_old_one_is_dead(done, desk, town):
    case, message = done
    before = case.holder.user_code_hash
    address = f"{page_of(case)}messaggi/{message.pk}/"

    assert "Nuovo codice utente" in said(desk.get(page_of(case)))
    question = said(desk.get(address))
    assert "Il codice utente attuale smette subito di valere." in question
    assert OutboxMessage.objects.filter(kind="user-code").count() == 0

    answer = desk.post(address, follow=True)

    assert "il codice precedente non vale più" in said(answer)
    mail = OutboxMessage.objects.get(kind="user-code")
    assert (mail.recipient, mail.case_code, mail.is_urgent) == (case.holder.email, case.code, True)
    assert mail.sealed_context is not None
    assert Holder.objects.get(pk=case.holder_id).user_code_hash != before
    event = Event.objects.get(verb="user-code.reissued")
    assert (event.actor_id, event.case_code) == (town.operator.pk, case.code)
    assert OutboxMessage.objects.filter(kind="renewal-done").count() == 1


def test_two_clicks_send_one_code(done, desk):
    case, message = done
    for _ in range(2):
        answer = desk.post(f"{page_of(case)}messaggi/{message.pk}/", follow=True)

    assert "meno di un minuto fa" in said(answer)
    assert OutboxMessage.objects.filter(kind="user-code").count() == 1


def test_three_codes_an_hour_are_enough_for_one_case(done, desk, town, clock):
    case, message = done
    for minutes in (0, 10, 20, 30):
        clock.instant = NOW + timedelta(minutes=minutes)
        answer = desk.post(f"{page_of(case)}messaggi/{message.pk}/", follow=True)

    assert "user-code-sent-often" in said(answer)
    assert OutboxMessage.objects.filter(kind="user-code").count() == 3
    letters.reissue_user_code(message.pk, operator=town.operator, now=NOW + timedelta(minutes=61))
    assert OutboxMessage.objects.filter(kind="user-code").count() == 4


def test_a_code_is_issued_by_who_may_decide_and_goes_to_no_empty_mailbox(done, town, desk, seat):
    case, message = done
    auditor = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    assert "role-insufficient" in said(auditor.post(f"{page_of(case)}messaggi/{message.pk}/", follow=True))
    Holder.objects.filter(pk=case.holder_id).update(email=None, email_key=None)
    assert "mailbox-missing" in said(desk.post(f"{page_of(case)}messaggi/{message.pk}/", follow=True))
    assert not OutboxMessage.objects.filter(kind="user-code").exists()


def test_administrators_see_the_queue_of_the_whole_installation(town, desk, seat):
    elsewhere = town.found("cdrl-altrove", "Altrove")
    for code, name in (("cns-firma-3-anni", "CNS - Firma 3 anni"), ("cns-eidas-firma", "CNS – eIDAS Firma Digitale")):
        town.offer(code, name, centre=elsewhere)
    town.case()
    town.case(centre=elsewhere)
    boss = town.employ("nadia.orsini@fornitore.example.org")
    boss.is_administrator = True
    boss.save()

    page = said(seat(boss, town.service).get(MESSAGES))

    assert "In coda in tutta l'installazione: <strong>2</strong>" in " ".join(page.split())
    assert "il più vecchio attende da" in page
    assert "In coda in tutta" not in said(desk.get(MESSAGES))
