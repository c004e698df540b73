"""Approva and Non approva for several cases: asked with consequences, started once, worked off, shown row by row."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest

from cms.admin import jobs as pages
from cms.models import Job, JobRow, User
from cms.states import ApprovalMode, Role
from renewals.models import RenewalCase
from renewals.services import bulk
from tests.panel.test_list import PAGE, codes
from tests.panel.town import NOW


def asked(action: str, cases, more: str = "") -> str:
    return f"{PAGE}insieme/{action}/?{'&'.join(f'pratica={case.pk}' for case in cases)}{more}"


def said(answer) -> str:
    return answer.content.decode()


def token_of(answer) -> str:
    return re.search(r'name="token" value="([^"]+)"', said(answer))[1]


@pytest.fixture
def sure(desk, freshly):
    """The operator, who has just confirmed who he is."""
    return freshly(desk)


def test_boxes_stand_where_a_decision_is_possible_and_nowhere_else(town, desk):
    waiting, told = town.completed(town.case()), town.case()

    page = said(desk.get(PAGE))

    assert re.findall(r'name="pratica" value="(\d+)"', page) == [str(waiting.pk)]
    assert f"Seleziona la pratica {waiting.code} di Rossi Mario" in page
    assert told.code in page


def test_an_auditor_gets_no_boxes(town, seat):
    town.completed(town.case())
    client = seat(town.employ("revisore@cdrl.example.org", role=Role.AUDITOR), town.service)

    assert 'name="pratica"' not in said(client.get(PAGE))


@pytest.mark.parametrize("action", ["approva", "non-approva"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_several_decisions_want_a_recent_confirmation_of_who_it_is(town, desk, action, method):
    cases = [town.completed(town.case()) for _ in range(2)]

    answer = getattr(desk, method)(asked(action, cases))

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not Job.objects.exists()


def test_the_question_says_how_many_what_and_from_when(town, sure):
    cases = [
        town.completed(town.case(days_left=12)),
        town.completed(town.case(days_left=4)),
        town.suspended(town.completed(town.case(days_left=-5), days_ago=9)),
        town.signed(town.case(days_left=9)),
    ]

    approve, refuse = said(sure.get(asked("approva", cases))), said(sure.get(asked("non-approva", cases)))

    assert "Approva 4 rinnovi" in approve
    assert "2 rinnovi: i nuovi certificati restano attivi" in approve
    assert "(la prima era ven 06/03/2026 alle 10:00)" in approve
    assert "1 rinnovo: i nuovi certificati vengono riattivati subito" in approve
    assert "1 rinnovo, da installare: il rinnovo è autorizzato in anticipo." in approve
    assert "2 rinnovi: i nuovi certificati saranno sospesi alla scadenza" in refuse
    assert "1 rinnovo, da installare: la pratica viene cancellata subito" in refuse
    for case in cases:
        assert case.code in approve
    assert not Job.objects.exists()


def test_approving_several_starts_a_job_that_decides_each(town, sure):
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(3)]
    address = asked("approva", cases)

    answer = sure.post(address, {"token": token_of(sure.get(address))})

    job = Job.objects.get()
    assert (job.kind, job.total, job.started_by) == ("approve", 3, town.operator)
    assert answer["Location"] == f"/pannello/operazioni/{job.uid}/"
    assert not RenewalCase.objects.filter(authorisation="approved").exists()
    running = said(sure.get(answer["Location"]))
    assert 'data-live="running"' in running
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in running
    bulk.carry_out(job.pk, at=NOW + timedelta(seconds=5))
    ended = said(sure.get(answer["Location"]))
    assert 'data-live="ended"' in ended
    assert "refresh" not in ended
    assert ended.count("Riuscita<") == 3
    for case in cases:
        assert f'href="{PAGE}{case.code}/"' in ended
    assert RenewalCase.objects.filter(authorisation="approved").count() == 3


def test_a_double_click_starts_one_job(town, sure):
    cases = [town.completed(town.case()) for _ in range(2)]
    address = asked("approva", cases)
    token = token_of(sure.get(address))

    first, second = (sure.post(address, {"token": token}) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1


def test_a_refusal_of_several_wants_a_reason(town, sure):
    cases = [town.completed(town.case()) for _ in range(2)]
    address = asked("non-approva", cases)
    token = token_of(sure.get(address))

    assert sure.post(address, {"token": token, "reason": " "}).status_code == 422
    assert not Job.objects.exists()
    chosen = "Il titolare non risulta più iscritto o autorizzato"
    sure.post(address, {"token": token, "chosen": chosen, "reason": "dal 1º gennaio"})

    assert Job.objects.get().parameters == {"reason": f"{chosen}: dal 1º gennaio"}


def test_what_cannot_be_decided_is_left_out_and_named(town, sure):
    waiting, automatic = town.completed(town.case()), town.completed(town.case(), ApprovalMode.AUTOMATIC)
    own = town.completed(town.case())
    User.objects.filter(pk=town.operator.pk).update(tax_code=own.holder.tax_code)

    page = said(sure.get(asked("approva", [waiting, automatic, own])))

    assert "Approva 1 rinnovo" in page
    assert "2 pratiche selezionate restano fuori" in page
    assert "La decisione spetta a un altro operatore" in page


def test_foreign_cases_in_the_address_are_as_if_they_were_not_there(town, sure):
    town.buy(town.centre, town.other_service, 2)
    foreign = town.completed(town.case(service=town.other_service))
    own = town.completed(town.case())

    page = said(sure.get(asked("approva", [own, foreign])))
    assert foreign.code not in page
    assert str(foreign.holder.tax_code) not in page
    answer = sure.get(asked("approva", [foreign]), follow=True)
    assert "Non ha selezionato nessuna pratica" in said(answer)


def test_too_many_and_none_are_said(town, sure, settings):
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"bulk_most": 1})
    cases = [town.completed(town.case()) for _ in range(2)]

    assert "se ne decidono al massimo 1" in said(sure.get(asked("approva", cases), follow=True))
    assert "metta la spunta" in said(sure.get(f"{PAGE}insieme/approva/?pratica=x&pratica=-4", follow=True))


def test_all_that_wait_in_a_list_are_named_once_and_for_all(town, sure):
    soon, late = town.completed(town.case(days_left=4)), town.completed(town.case(days_left=20))
    town.case()

    everything = sure.get(f"{PAGE}insieme/approva/?tutte=1")
    within = sure.get(f"{PAGE}insieme/approva/?scadenza=7&tutte=1")

    assert everything["Location"].endswith(f"?pratica={soon.pk}&pratica={late.pk}")
    assert within["Location"].endswith(f"?pratica={soon.pk}")
    assert codes(sure.get(everything["Location"])) == [soon.code, late.code]


def test_jobs_are_listed_and_those_of_others_are_not_found(town, desk, seat):
    case = town.completed(town.case())
    (job,) = bulk.approve_renewals([case.pk], operator=town.operator, token=uuid.uuid4(), now=NOW)

    assert f"/pannello/operazioni/{job.uid}/" in said(desk.get("/pannello/operazioni/"))
    elsewhere = town.found("cdrl-altrove", "Altrove")
    town.offer("cns-firma-3-anni", "CNS - Firma 3 anni", centre=elsewhere)
    stranger = seat(town.employ("straniero@cdrl.example.org", centre=elsewhere), town.service)
    assert str(job.uid) not in said(stranger.get("/pannello/operazioni/"))
    assert stranger.get(f"/pannello/operazioni/{job.uid}/").status_code == 404
    other = seat(town.operator, town.other_service)
    assert other.get(f"/pannello/operazioni/{job.uid}/").status_code == 404


def test_rows_of_a_job_are_shown_by_outcome_and_page(town, desk, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 2)
    cases = [town.completed(town.case(days_left=5 + number)) for number in range(5)]
    (job,) = bulk.approve_renewals([case.pk for case in cases], operator=town.operator, token=uuid.uuid4(), now=NOW)
    JobRow.objects.filter(job=job, position__in=[2, 4]).update(state="refused", code="state-conflict", text="No.")
    address = f"/pannello/operazioni/{job.uid}/"

    assert shown(desk.get(address)) == [cases[0].code, cases[1].code]
    assert shown(desk.get(f"{address}?dopo=2")) == [cases[2].code, cases[3].code]
    assert shown(desk.get(f"{address}?prima=3")) == [cases[0].code, cases[1].code]
    assert shown(desk.get(f"{address}?esito=non-eseguite")) == [cases[1].code, cases[3].code]
    assert "Nessuna riga con questo esito" in said(desk.get(f"{address}?esito=riuscite"))


def shown(answer) -> list[str]:
    return re.findall(r'class="row" href="/pannello/rinnovi/([^/]+)/"', said(answer))
