"""One name for one thing: causes, outcomes, quantities and ways back say what they mean."""

from __future__ import annotations

import re

import pytest

from cms.admin import words
from cms.admin.office import Question
from cms.admin.purchases import quantity_of
from cms.models import Hold, PurchaseRequest
from cms.states import HoldCause, Outcome
from renewals.services import decisions
from tests.panel.town import NOW


def test_a_refusal_that_was_carried_out_is_not_green(town, desk, seat):
    case = town.completed(town.case())
    decisions.refuse_renewal(case.pk, operator=town.operator, reason="Da verificare", now=NOW)

    assert words.outcome_badge("case.refused", Outcome.DONE).role == "neutral"
    assert words.outcome_badge("case.approved", Outcome.DONE).role == "ok"
    issuing = seat(town.operator, town.eidas)
    for answer in (desk.get(f"/pannello/rinnovi/{case.code}/"), issuing.get(f"/pannello/eventi/?pratica={case.code}")):
        rows = re.findall(r"<tr>.*?</tr>", answer.content.decode(), re.DOTALL)
        refusals = [row for row in rows if "Rinnovo non approvato" in row and "Riuscito" in row]
        assert refusals
        assert not any("badge ok" in row for row in refusals)


def test_every_cause_says_who_suspended(town, desk):
    case = town.suspended(town.completed(town.case(days_left=-5), days_ago=9))
    Hold.objects.update(cause=HoldCause.OPERATOR)

    assert set(words.HOLD_CAUSES) == set(HoldCause)
    for page in (f"/pannello/rinnovi/{case.code}/", f"/pannello/certificati/titolare/{case.holder_id}/"):
        assert "Decisione di un operatore del CDRL" in desk.get(page).content.decode()


@pytest.mark.parametrize(
    ("types", "quantity", "said"),
    [
        (["authentication", "signature"], 50, "50 coppie"),
        (["authentication", "signature"], 1, "1 coppia"),
        (["authentication"], 50, "50 certificati"),
    ],
)
def test_a_quantity_carries_its_unit(types, quantity, said):
    assert quantity_of(PurchaseRequest(types=types, quantity=quantity)) == said


def test_the_way_back_says_where_it_leads():
    assert Question("", "", back="/pannello/acquisti/").back_to == "Acquisti"
    assert Question("", "", back="/pannello/operatori/").back_to == "Operatori"


def test_the_old_expiry_has_one_name(town, desk):
    case = town.completed(town.case())

    for page in ("", "approva/"):
        shown = desk.get(f"/pannello/rinnovi/{case.code}/{page}").content.decode()
        assert "Vecchia scadenza" in shown
        assert "Scadenza precedente" not in shown
