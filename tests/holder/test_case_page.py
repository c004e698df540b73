"""The page of a case: where it stands, who must act until when, what comes by itself; every situation has its sentence."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from cms.actors import SYSTEM
from cms.models import Certificate, Hold
from cms.states import ApprovalMode, CertificateStatus, HoldCause, RevocationCause
from renewals.models import RenewalCase
from renewals.pages import sentences
from renewals.services import decisions
from renewals.services.cases import cancel_case, expire_case, plan
from renewals.services.standing import Half, Situation, situation_of, standing_of
from renewals.states import Authorisation, CaseState, Due
from tests.panel.town import NOW

HOME = settings.HOLDER_PATH
FIND, CASE = f"{HOME}pratica/accesso/", f"{HOME}pratica/"


def entered(case: RenewalCase) -> Client:
    """A browser that shows this case."""
    client = Client()
    answer = client.post(FIND, {"code": case.code, "tax_code": case.holder.tax_code})
    assert (answer.status_code, answer["Location"]) == (302, CASE)
    return client


def words_of(answer) -> str:
    """What a reader sees of a page."""
    text = re.sub(r"<(?:script|style|head)\b.*?</(?:script|style|head)>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#x27;", "'").split())


def change(case: RenewalCase, **facts) -> RenewalCase:
    """Set facts of a case as a use case would, and store what follows from them."""
    for name, value in facts.items():
        setattr(case, name, value)
    plan(case)
    case.save()
    return case


def held(case: RenewalCase, cause: str, half: int = 0, *, old: bool = False) -> RenewalCase:
    """Suspend one half for a cause of its own."""
    certificate = (case.old_pair if old else case.new_pair).certificates.order_by("type")[half]
    certificate.hold(at=NOW)
    certificate.save()
    Hold.objects.create(certificate=certificate, cause=cause, placed_at=NOW, lapses_at=NOW + timedelta(days=121))
    return case


def revoked(case: RenewalCase) -> RenewalCase:
    """Revoke both new halves."""
    for certificate in case.new_pair.certificates.all():
        certificate.revoke(at=NOW, cause=RevocationCause.HOLDER_REQUEST)
        certificate.save()
    return case


def approved(town, case: RenewalCase) -> RenewalCase:
    decisions.approve_renewal(case.pk, operator=town.operator, now=NOW)
    return RenewalCase.objects.get(pk=case.pk)


def refused(town, case: RenewalCase) -> RenewalCase:
    decisions.refuse_renewal(case.pk, operator=town.operator, reason="Dati da verificare", now=NOW)
    return RenewalCase.objects.get(pk=case.pk)


def cancelled(case: RenewalCase, reason: str) -> RenewalCase:
    return cancel_case(case.pk, reason=reason, actor=SYSTEM, at=NOW)


def expired(case: RenewalCase) -> RenewalCase:
    expire_case(case.pk, now=NOW)
    return RenewalCase.objects.get(pk=case.pk)


def lapsed(town) -> RenewalCase:
    case = revoked(town.suspended(town.completed(town.case(days_left=-130), days_ago=20), days_ago=125))
    case.lapse(at=NOW)
    return change(case)


AUTOMATIC = ApprovalMode.AUTOMATIC
EXAMPLES = {
    Situation.RENEW: lambda town: town.case(),
    Situation.RENEW_HELD: lambda town: held(town.case(), HoldCause.HOLDER, old=True),
    Situation.INSTALL: lambda town: town.signed(town.case(), AUTOMATIC),
    Situation.INSTALL_TO_AUTHORISE: lambda town: town.signed(town.case()),
    Situation.INSTALL_AUTHORISED: lambda town: approved(town, town.signed(town.case())),
    Situation.INSTALL_HELD: lambda town: held(town.signed(town.case()), HoldCause.OPERATOR, old=True),
    Situation.EXPIRING: lambda town: town.case(days_left=-0.1),
    Situation.EXPIRED_UNSIGNED: lambda town: expired(town.case(days_left=-1)),
    Situation.EXPIRED_UNINSTALLED: lambda town: expired(town.signed(town.case(days_left=-1))),
    Situation.CONCLUDED: lambda town: town.completed(town.case(), AUTOMATIC),
    Situation.AUTHORISED: lambda town: approved(town, town.completed(town.case())),
    Situation.REACTIVATING: lambda town: approved(town, town.suspended(town.completed(town.case(days_left=-3)))),
    Situation.CONCLUDED_HELD: lambda town: held(town.completed(town.case(), AUTOMATIC), HoldCause.HOLDER),
    Situation.WAITING: lambda town: town.completed(town.case()),
    Situation.WAITING_HELD: lambda town: held(town.completed(town.case()), HoldCause.AUTHORITY),
    Situation.REFUSED: lambda town: refused(town, town.completed(town.case())),
    Situation.REFUSED_HELD: lambda town: held(refused(town, town.completed(town.case())), HoldCause.OPERATOR),
    Situation.SUSPENDING: lambda town: town.completed(town.case(days_left=-0.1)),
    Situation.SUSPENDED: lambda town: town.suspended(town.completed(town.case(days_left=-5))),
    Situation.SUSPENDED_REFUSED: lambda town: refused(town, town.suspended(town.completed(town.case(days_left=-5)))),
    Situation.LAPSING: lambda town: town.suspended(town.completed(town.case(days_left=-130)), days_ago=125),
    Situation.LAPSED: lapsed,
    Situation.REVOKED: lambda town: change(revoked(town.completed(town.case())), withdrawn_at=NOW),
    Situation.OVER: lambda town: town.completed(town.case(days_left=-4 * 366), AUTOMATIC),
    Situation.CANCELLED: lambda town: cancelled(town.case(), "data-incorrect"),
    Situation.CANCELLED_REFUSED: lambda town: refused(town, town.signed(town.case())),
    Situation.CANCELLED_BY_HOLDER: lambda town: cancelled(town.case(), "holder-declines"),
    Situation.CANCELLED_REVOKED: lambda town: cancelled(town.case(), "old-certificate-revoked"),
}


def test_every_situation_has_an_example_and_sentences_of_its_own():
    assert set(EXAMPLES) == set(sentences.OF) == set(Situation)
    told = [(str(words.headline), str(words.said)) for words in sentences.OF.values()]
    assert len(set(told)) == len(told)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["it", "en"])
def test_the_page_of_every_situation_says_where_the_case_stands(town, language):
    for situation, made in EXAMPLES.items():
        case = RenewalCase.objects.get(pk=made(town).pk)
        assert standing_of(case, NOW).situation == situation
        client = entered(case)
        answer = client.get(CASE, headers={"accept-language": language})
        text = words_of(answer)
        assert answer.status_code == 200, situation
        assert case.centre.phone in text
        assert "%(" not in text, situation
        if language == "it":
            assert str(sentences.OF[situation].headline) in text
            assert "–" not in text.split("Il percorso")[0].replace("CNS –", ""), situation  # no date is missing


def test_whatever_the_facts_a_case_is_in_one_situation():
    """All combinations of what a case, its old and its new certificates can be, sensible or not."""
    instants, sights = [None, NOW - timedelta(days=1)], _sights()
    told = set()
    combinations = itertools.product(
        CaseState, Authorisation, instants, instants, [-1, 1], ["", Due.REVOKE], instants, sights[:4], sights
    )
    for state, answer, suspended, withdrawn, days, due, due_at, old, new in combinations:
        case = RenewalCase(
            state=state, authorisation=answer, suspended_at=suspended, withdrawn_at=withdrawn, close_reason="altro",
            old_not_after=NOW + timedelta(days=days), due_kind=due, due_at=due_at,
            completed_at=NOW if state == CaseState.COMPLETED or suspended else None,
        )  # fmt: skip
        told.add(situation_of(case, old, new, NOW))
    assert told <= set(sentences.OF)


def _sights() -> list[tuple[Half, ...]]:
    statuses = [CertificateStatus.ACTIVE, CertificateStatus.HELD, CertificateStatus.REVOKED]
    halves = [(Half(Certificate(status=status), causes, False),) for status in statuses for causes in ((), ("holder",))]
    return [(), *halves]


@pytest.mark.django_db
def test_the_page_names_who_must_act_and_the_last_instant(town):
    waiting = words_of(entered(town.completed(town.case(days_left=12))).get(CASE))
    assert "Tocca al CDRL, entro sabato 14 marzo 2026, ore 10:00 · tra 12 giorni" in waiting
    renewing = words_of(entered(town.case(days_left=2)).get(CASE))
    assert "Tocca a Lei, entro mercoledì 4 marzo 2026, ore 10:00 · tra 2 giorni" in renewing
    suspended = words_of(entered(town.suspended(town.completed(town.case(days_left=-5)), days_ago=5)).get(CASE))
    assert "Tocca al CDRL, entro giovedì 25 giugno 2026, ore 23:59 · tra 115 giorni" in suspended


@pytest.mark.django_db
def test_a_reason_that_the_centre_gave_is_told(town):
    text = words_of(entered(refused(town, town.completed(town.case()))).get(CASE))
    assert "Motivo indicato: Dati da verificare" in text


@pytest.mark.django_db
def test_a_reopened_case_names_the_new_one(town):
    case = cancelled(town.case(), "data-incorrect")
    new = decisions.reopen_renewal(case.pk, operator=town.operator, now=NOW)
    assert new.code in words_of(entered(case).get(CASE))


@pytest.mark.django_db
def test_the_page_shows_no_more_of_the_person_than_it_needs(town):
    case = town.completed(town.case(town.person("Verdi", "Anna")))
    page = entered(case).get(CASE).content.decode()
    for personal in (
        case.holder.tax_code,
        case.holder.surname,
        case.holder.email,
        case.holder.mobile,
        case.card.serial,
    ):
        assert personal not in page
    assert case.card.serial[-4:] in page
