"""Approva and Non approva: GET asks, POST acts through the use case, every refusal is explained."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from cms.models import CaRequest, Event, Hold
from cms.states import ApprovalMode, Role
from notifications.models import OutboxMessage
from renewals.services import decisions
from tests.panel.town import NOW


def address(case, action: str = "approva") -> str:
    return f"/pannello/rinnovi/{case.code}/{action}/"


def said(answer) -> str:
    return answer.content.decode()


def test_asking_changes_nothing(town, desk):
    case = town.completed(town.case())
    events = Event.objects.count()

    for action in ("approva", "non-approva"):
        assert desk.get(address(case, action)).status_code == 200
        desk.head(address(case, action))
        desk.put(address(case, action))

    case.refresh_from_db()
    assert (case.authorisation, Event.objects.count()) == ("pending", events)


def test_the_question_states_facts_and_consequence_with_date(town, desk):
    case = town.completed(town.case(days_left=12))

    approve, refuse = said(desk.get(address(case))), said(desk.get(address(case, "non-approva")))

    for fact in (str(case.holder), case.card.serial, "sab 14/03/2026, 10:00", "Da autorizzare"):
        assert fact in approve
        assert fact in refuse
    assert "la sospensione prevista sab 14/03/2026 alle 10:00 non avverrà" in approve
    assert "poi saranno sospesi: sab 14/03/2026 alle 10:00" in refuse
    assert "prevista lun 13/07/2026 alle 00:00, la pratica può ancora essere approvata" in refuse


def test_approving_decides_the_case_and_tells_everybody(town, desk):
    case = town.completed(town.case())

    answer = desk.post(address(case), follow=True)

    case.refresh_from_db()
    assert (case.authorisation, case.decided_by, case.decided_at) == ("approved", town.operator.pk, NOW)
    assert case.due_kind == ""
    event = Event.objects.get(case_code=case.code, verb="case.approved")
    assert (event.actor_id, event.channel) == (town.operator.pk, "panel")
    assert OutboxMessage.objects.filter(case_code=case.code, kind="authorised").exists()
    assert "Rinnovo approvato." in said(answer)
    assert "approva/" not in said(answer)


def test_approving_a_suspended_renewal_lifts_its_suspension(town, desk):
    case = town.suspended(town.completed(town.case(days_left=-5), days_ago=9))
    assert "vengono riattivati subito" in said(desk.get(address(case)))

    answer = desk.post(address(case), follow=True)

    assert not Hold.objects.filter(certificate__pair=case.new_pair, lifted_at__isnull=True).exists()
    assert CaRequest.objects.filter(case_code=case.code, kind="release").count() == 2
    assert "Riattivazione richiesta alla CA" in said(answer)


def test_approving_twice_is_once(town, desk, clock):
    case = town.completed(town.case())
    desk.post(address(case))
    clock.instant = NOW.replace(minute=10)

    answer = desk.post(address(case), follow=True)

    assert "era già stato approvato" in said(answer)
    assert Event.objects.filter(case_code=case.code, verb="case.approved").count() == 1
    assert OutboxMessage.objects.filter(case_code=case.code, kind="authorised").count() == 1


@pytest.mark.parametrize("reason", [None, "", "   ", "x" * 301])
def test_not_approving_needs_a_reason(town, desk, reason):
    case = town.completed(town.case())

    answer = desk.post(address(case, "non-approva"), {} if reason is None else {"reason": reason})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in said(answer)
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_not_approving_records_reason_and_leaves_the_certificates_to_the_clock(town, desk):
    case = town.completed(town.case(days_left=12))

    answer = desk.post(address(case, "non-approva"), {"reason": "  Documento  non valido "}, follow=True)

    case.refresh_from_db()
    assert (case.state, case.authorisation, case.decision_reason) == ("completed", "refused", "Documento non valido")
    assert (case.due_kind, case.due_at) == ("suspend", case.due_at)
    assert not CaRequest.objects.filter(case_code=case.code, kind="hold").exists()
    assert "Documento non valido" in said(answer)


def test_a_refused_renewal_can_still_be_approved(town, desk):
    case = town.completed(town.case())
    desk.post(address(case, "non-approva"), {"reason": "Da verificare"})
    assert "Approva il rinnovo" in said(desk.get(f"/pannello/rinnovi/{case.code}/"))

    desk.post(address(case))

    case.refresh_from_db()
    assert case.authorisation == "approved"


def test_not_approving_before_installation_cancels_the_case(town, desk):
    case = town.signed(town.case())
    assert "La pratica viene cancellata subito" in said(desk.get(address(case, "non-approva")))

    desk.post(address(case, "non-approva"), {"reason": "Non è più iscritto"})

    case.refresh_from_db()
    assert (case.state, case.authorisation) == ("cancelled", "refused")


def test_the_holder_himself_is_refused_with_an_explanation(town, seat):
    case = town.completed(town.case())
    holder = town.employ("titolare@cdrl.example.org", code=case.holder.tax_code)
    client = seat(holder, town.service)

    page = said(client.get(f"/pannello/rinnovi/{case.code}/"))
    assert "La decisione spetta a un altro operatore" in page
    assert "approva/" not in page
    for action, data in (("approva", {}), ("non-approva", {"reason": "x"})):
        answer = client.post(address(case, action), data, follow=True)
        assert "Il titolare della pratica non può decidere sul proprio rinnovo" in said(answer)
        assert "approver-is-holder" in said(answer)
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_an_auditor_looks_and_does_not_decide(town, seat):
    case = town.completed(town.case())
    client = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    assert "approva/" not in said(client.get("/pannello/rinnovi/"))
    answer = client.post(address(case), follow=True)

    assert "role-insufficient" in said(answer)
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_what_cannot_be_decided_is_refused_with_its_code(town, desk):
    for case in (town.case(), town.completed(town.case(), ApprovalMode.AUTOMATIC)):
        assert "nulla da decidere" in said(desk.get(address(case), follow=True))
        answer = desk.post(address(case), follow=True)
        assert "decision-not-open" in said(answer)
        assert "Operazione non eseguita." in said(answer)


def test_a_busy_database_is_said_and_nothing_is_changed(town, desk, monkeypatch):
    case = town.completed(town.case())

    def busy(*args, **kwargs):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(decisions, "approve_renewal", busy)

    answer = desk.post(address(case), follow=True)

    assert "Il sistema è occupato" in said(answer)
    assert "lock timeout" not in said(answer)


def test_without_the_forms_token_nothing_happens(town, seat):
    case = town.completed(town.case())
    seated = seat(town.operator, town.service)
    client = Client(enforce_csrf_checks=True)
    client.cookies = seated.cookies

    for action in ("approva", "non-approva"):
        answer = client.post(address(case, action), {"reason": "x"})
        assert answer.status_code == 403
        assert "Pagina scaduta" in said(answer)
    assert client.post("/pannello/servizio/", {"service": town.service.pk}).status_code == 403
    assert client.post("/pannello/rinnovi/cerca/", {"q": "x"}).status_code == 403
    case.refresh_from_db()
    assert case.authorisation == "pending"


def test_two_operators_on_one_case_each_hear_what_stands(town, desk, seat):
    case = town.completed(town.case())
    other = seat(town.employ("collega@cdrl.example.org", "Ugo Neri"), town.service)
    for client in (desk, other):
        assert "Approva il rinnovo" in said(client.get(address(case)))

    desk.post(address(case))
    answer = other.post(address(case, "non-approva"), {"reason": "Da verificare"}, follow=True)

    assert "Operazione non eseguita." in said(answer)
    assert "state-conflict" in said(answer)
    case.refresh_from_db()
    assert (case.authorisation, case.decided_by) == ("approved", town.operator.pk)


def test_a_stale_page_of_a_cancelled_case_decides_nothing(town, desk):
    case = town.signed(town.case())
    desk.get(address(case))
    desk.post(f"/pannello/rinnovi/{case.code}/cancella/", {"reason": "Doppia"})

    answer = desk.post(address(case), follow=True)

    assert "decision-not-open" in said(answer)
    case.refresh_from_db()
    assert (case.state, case.authorisation) == ("cancelled", "pending")
