"""After a decision the page says for whom it was and who hears of it, and leads on to the next case."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import Holder, User
from tests.panel.test_decisions import address, said
from tests.panel.town import NOW

NEXT = "Prossima da autorizzare"


def notice(answer) -> str:
    return re.search(r'<div class="notices" role="status">(.*?)</div></div>', said(answer), re.DOTALL)[1]


@pytest.mark.parametrize(
    ("action", "done"), [("approva", "Rinnovo approvato."), ("non-approva", "Rinnovo non approvato.")]
)
def test_the_notice_names_the_holder_and_the_mail(town, desk, action, done):
    case = town.completed(town.case(town.person("Bianchi", "Lucia")))

    told = notice(desk.post(address(case, action), {"reason": "Da verificare"}, follow=True))

    assert f"{done} Bianchi Lucia riceve un'e-mail." in told.replace("&#x27;", "'")


def test_a_holder_without_a_mailbox_is_said_to_hear_nothing(town, desk):
    case = town.completed(town.case())
    Holder.objects.filter(pk=case.holder_id).update(email="", email_key="")

    assert "non ha un indirizzo e-mail" in notice(desk.post(address(case), follow=True))


def test_the_notice_leads_to_the_case_that_is_suspended_first(town, desk):
    decided, late = town.completed(town.case(days_left=3)), town.completed(town.case(days_left=20))
    soon = town.completed(town.case(town.person("Ferrari", "Paolo"), days_left=5))
    own = town.completed(town.case(days_left=4))
    User.objects.filter(pk=town.operator.pk).update(tax_code=own.holder.tax_code)

    told = notice(desk.post(address(decided), follow=True))

    assert NEXT in told
    assert f'href="/pannello/rinnovi/{soon.code}/"' in told
    assert "Ferrari Paolo" in told
    assert late.code not in told


def test_the_last_one_is_said_to_be_the_last(town, desk):
    case = town.completed(town.case())
    town.buy(town.centre, town.other_service, 2)
    foreign = town.completed(town.case(service=town.other_service))

    told = notice(desk.post(address(case), follow=True))

    assert NEXT not in told
    assert foreign.code not in told
    assert "Nessun'altra pratica da autorizzare" in told.replace("&#x27;", "'")


def test_a_decision_that_had_been_taken_leads_on_too(town, desk, clock):
    case, other = town.completed(town.case()), town.completed(town.case(days_left=20))
    desk.post(address(case), follow=True)
    clock.instant = NOW + timedelta(minutes=1)

    told = notice(desk.post(address(case), follow=True))

    assert "era già stato approvato" in told
    assert other.code in told


def test_finding_the_next_one_costs_the_same_however_many_wait(town, desk):
    def statements(case) -> int:
        with CaptureQueriesContext(connection) as caught:
            desk.post(address(case))
        return len(caught)

    warm, first, second = (town.completed(town.case(days_left=days)) for days in (2, 3, 4))
    town.completed(town.case(days_left=5))
    statements(warm)
    few = statements(first)
    for days in range(6, 16):
        town.completed(town.case(days_left=days))

    assert statements(second) == few
