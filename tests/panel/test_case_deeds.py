"""On the page of a case: what its state means, what each button would change, cancelling, reopening, sending again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.actors import SYSTEM
from cms.models import Event, User
from cms.states import ApprovalMode, Role
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services import decisions
from renewals.services.cases import cancel_case
from tests.panel.town import NOW

PAGE = "/pannello/rinnovi/"


def address(case, action: str = "") -> str:
    return f"{PAGE}{case.code}/{action}"


def said(answer) -> str:
    return answer.content.decode()


def test_a_state_says_what_it_means_in_the_guides_sense(town, desk):
    meanings = {
        town.case(): "In attesa della firma del modulo",
        town.signed(town.case()): "In attesa della installazione dei nuovi certificati",
        town.completed(town.case(), ApprovalMode.AUTOMATIC): "Rinnovo completato",
        town.completed(town.case()): "concluso solo in parte",
        town.suspended(town.completed(town.case(days_left=-5), days_ago=9)): "entro 120 giorni dalla sospensione",
    }
    for case, meaning in meanings.items():
        assert meaning in said(desk.get(address(case)))


def test_each_button_says_beforehand_what_it_would_change(town, desk):
    waiting = said(desk.get(address(town.completed(town.case(days_left=12)))))
    told = said(desk.get(address(town.case())))

    assert "la sospensione prevista sab 14/03/2026 alle 10:00 non avverrà" in waiting
    assert "poi saranno sospesi: sab 14/03/2026 alle 10:00" in waiting
    assert "Cancella la pratica" not in waiting
    assert "La pratica viene chiusa subito e il titolare non può più proseguire" in told


def test_the_line_of_time_is_drawn_to_scale_and_says_the_same_in_words(town, desk):
    page = said(desk.get(address(town.completed(town.case(days_left=12)))))

    assert 'role="img" aria-label="Rinnovo possibile dal 14/01/2026, scadenza precedente 14/03/2026, oggi' in page
    assert "Revoca il 121º giorno: 13/07/2026." in page
    assert 'class="today"' in page


def test_a_case_long_over_has_a_line_without_today(town, desk):
    page = said(desk.get(address(town.case(days_left=-400))))

    assert '<svg class="span"' in page
    assert '<rect class="today"' not in page


def test_cancelling_asks_with_reasons_and_tells_the_holder(town, desk, clock):
    case = town.signed(town.case())
    page = said(desk.get(address(case, "cancella/")))
    assert "La carta è stata sostituita, smarrita o rubata" in page
    assert "Le unità prenotate tornano disponibili" in page
    assert desk.post(address(case, "cancella/"), {}).status_code == 422

    data = {"chosen": "La pratica è stata aperta per errore", "reason": "doppia"}
    answer = desk.post(address(case, "cancella/"), data, follow=True)

    case.refresh_from_db()
    assert (case.state, case.close_reason) == ("cancelled", "La pratica è stata aperta per errore: doppia")
    assert Event.objects.get(verb="case.cancelled").actor_id == town.operator.pk
    assert OutboxMessage.objects.filter(kind="case-cancelled", case_code=case.code).exists()
    assert "Pratica cancellata." in said(answer)
    clock.instant = NOW + timedelta(minutes=1)
    again = said(desk.post(address(case, "cancella/"), data, follow=True))
    assert "era già stata cancellata" in again


def test_a_completed_case_is_not_cancelled(town, desk):
    case = town.completed(town.case())

    assert "non può più essere cancellata" in said(desk.get(address(case, "cancella/"), follow=True))
    answer = desk.post(address(case, "cancella/"), {"reason": "x"}, follow=True)

    assert "case-ended" in said(answer)
    case.refresh_from_db()
    assert case.state == "completed"


@pytest.mark.parametrize("ended", ["cancelled", "refused"])
def test_reopening_leads_to_a_new_case_and_both_name_each_other(town, desk, ended):
    case = town.signed(town.case())
    if ended == "cancelled":
        cancel_case(case.pk, reason="data-incorrect", actor=SYSTEM, at=NOW)
    else:
        decisions.refuse_renewal(case.pk, operator=town.operator, reason="Da verificare", now=NOW)
    assert "il titolare può rinnovare fino a sab 14/03/2026 alle 10:00" in said(desk.get(address(case, "riapri/")))
    assert RenewalCase.objects.count() == 1

    answer = desk.post(address(case, "riapri/"))

    new = RenewalCase.objects.get(reopens=case)
    assert answer["Location"] == address(new)
    page = said(desk.get(answer["Location"]))
    assert "Pratica riaperta: questa è la nuova pratica della carta." in page
    assert f'href="{address(case)}"' in page
    old = said(desk.get(address(case)))
    assert f'href="{address(new)}"' in old
    assert "Riapri la pratica" not in old
    assert desk.post(address(case, "riapri/"))["Location"] == address(new)
    assert RenewalCase.objects.count() == 2


def test_what_cannot_be_renewed_any_more_offers_no_reopening_and_says_why(town, desk):
    case = town.case(days_left=-1)
    cancel_case(case.pk, reason="data-incorrect", actor=SYSTEM, at=NOW)

    page = said(desk.get(address(case)))
    assert "Non può essere riaperta." in page
    assert "riapri/" not in page
    answer = desk.post(address(case, "riapri/"), follow=True)
    assert "certificate-expired" in said(answer)
    assert "case-not-reopenable" in said(desk.post(address(town.case(), "riapri/"), follow=True))


@pytest.mark.parametrize("action", ["cancella/", "riapri/"])
def test_neither_the_holder_nor_an_auditor_nor_a_stranger_cancels_or_reopens(town, desk, seat, action):
    case = town.case()
    if action == "riapri/":
        cancel_case(case.pk, reason="data-incorrect", actor=SYSTEM, at=NOW)
    state = RenewalCase.objects.get(pk=case.pk).state
    auditor = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)
    elsewhere = town.found("altrove", "Altrove")
    town.offer("cns-firma-3-anni", "CNS - Firma 3 anni", centre=elsewhere)
    stranger = seat(town.employ("straniero@cdrl.example.org", centre=elsewhere), town.service)

    assert "role-insufficient" in said(auditor.post(address(case, action), {"reason": "x"}, follow=True))
    assert stranger.post(address(case, action), {"reason": "x"}).status_code == 404
    User.objects.filter(pk=town.operator.pk).update(tax_code=case.holder.tax_code)
    assert "approver-is-holder" in said(desk.post(address(case, action), {"reason": "x"}, follow=True))
    assert RenewalCase.objects.get(pk=case.pk).state == state
    assert RenewalCase.objects.count() == 1


def letter(case, kind: str, **columns) -> OutboxMessage:
    columns = {"state": "sent", "sent_at": NOW, "next_attempt_at": None, "sealed_context": None} | columns
    OutboxMessage.objects.filter(case_code=case.code, kind=kind).update(**columns)
    return OutboxMessage.objects.get(case_code=case.code, kind=kind)


def test_a_mail_is_sent_again_with_its_attachment_to_the_present_mailbox(town, desk, clock):
    case = town.signed(town.case())
    first = letter(case, "signed-form")
    case.holder.email = case.holder.email_key = "nuova@posta.example.org"
    case.holder.save()
    question = said(desk.get(address(case, f"messaggi/{first.pk}/")))
    assert "nuova@posta.example.org" in question
    assert OutboxMessage.objects.filter(kind="signed-form").count() == 1

    for minutes in range(2):
        clock.instant = NOW + timedelta(minutes=minutes)
        answer = desk.post(address(case, f"messaggi/{first.pk}/"), {"copies": "0"}, follow=True)

    assert "era già stato inviato di nuovo" in said(answer)
    again = OutboxMessage.objects.exclude(pk=first.pk).get(kind="signed-form")
    assert (again.key, again.state, again.recipient) == (f"{first.key}:again:1", "queued", "nuova@posta.example.org")
    assert (again.context, again.centre_id, again.service_id) == (first.context, case.centre_id, case.service_id)
    assert bytes(again.attachments.get().content) == bytes(first.attachments.get().content)
    event = Event.objects.get(verb="case.letter-resent")
    assert (event.case_code, event.actor_id, event.facts) == (case.code, town.operator.pk, {"message": "signed-form"})


def test_a_copy_of_a_copy_is_numbered_on(town, desk):
    case = town.case()
    first = letter(case, "renewal-notice")
    desk.post(address(case, f"messaggi/{first.pk}/"), {"copies": "0"})
    OutboxMessage.objects.update(state="sent", sent_at=NOW, next_attempt_at=None)
    second = OutboxMessage.objects.get(key__endswith=":again:1")
    assert 'name="copies" value="1"' in said(desk.get(address(case, f"messaggi/{second.pk}/")))

    desk.post(address(case, f"messaggi/{second.pk}/"), {"copies": "1"})

    assert OutboxMessage.objects.filter(key=f"{first.key}:again:2").exists()


def test_a_mail_that_carried_a_secret_or_waits_is_not_sent_again_and_says_why(town, desk):
    case = town.completed(town.case())
    queued = OutboxMessage.objects.get(case_code=case.code, kind="signed-form")
    OutboxMessage.objects.filter(case_code=case.code, kind="renewal-notice").update(
        kind="contact-confirmation", state="sent", sent_at=NOW, next_attempt_at=None
    )
    secret = OutboxMessage.objects.get(kind="contact-confirmation")

    page = said(desk.get(address(case)))

    assert "il titolare ne chiede uno nuovo dal programma di rinnovo" in page
    assert "È già in coda e partirà da solo." in page
    assert "Invia di nuovo" not in page
    assert "message-secret" in said(desk.post(address(case, f"messaggi/{secret.pk}/"), {}, follow=True))
    assert "message-queued" in said(desk.post(address(case, f"messaggi/{queued.pk}/"), {}, follow=True))
    assert OutboxMessage.objects.filter(case_code=case.code).count() == 2


def test_a_mail_is_sent_again_by_who_may_decide_and_from_its_own_case_only(town, desk, seat):
    case, other = town.case(), town.case()
    mine, foreign = letter(case, "renewal-notice"), letter(other, "renewal-notice")
    auditor = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    assert "Invia di nuovo" not in said(auditor.get(address(case)))
    assert "role-insufficient" in said(auditor.post(address(case, f"messaggi/{mine.pk}/"), {}, follow=True))
    assert desk.post(address(case, f"messaggi/{foreign.pk}/"), {}).status_code == 404
    assert OutboxMessage.objects.count() == 2
