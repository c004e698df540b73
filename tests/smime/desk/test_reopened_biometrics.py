"""The biometric way is opened again by an officer, with a reason: two further attempts, and the alternative is closed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.errors import RoleTooWeak
from cms.models import Event
from cms.states import Role
from smime import consent_text
from smime import errors as others
from smime.errors import desk as errors
from smime.errors.links import LinkOutdated
from smime.models import SignatureForm, SignatureReport
from smime.policy_desk import Document
from smime.services import attempts, checks, consent, desk, idp, links, signature, signature_verdicts
from smime.services.acceptance import Accepted
from smime.services.consent import Answer
from smime.states import CheckState, ConsentDecision, LinkPurpose
from tests.smime import identified
from tests.smime.desk.office import officer
from tests.smime.desk.test_findings import tried
from tests.smime.mailed import NOW, check_of, mails, order_of, token_in
from tests.smime.provider import FakeProvider
from tests.smime.signature import orders as alternative

pytestmark = pytest.mark.usefixtures("committed")
HOUR = timedelta(hours=1)
LATER = NOW + 10 * HOUR
WHY = "Il documento era a fuoco male: richiamato, ne ha un altro."


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    """Mailbox confirmed, consent given; two attempts have failed, and the alternative is offered."""
    order = identified.invited()
    fail_twice(order, provider, NOW + HOUR)
    return order


def fail_twice(order, provider, at) -> None:
    for hours in (0, 1):
        identified.ends(order, provider, "denied", at + hours * HOUR)
    assert check_of(order, "identity").path == "signature"


def reopen(order, *, reason=WHY, by=None, at=LATER):
    who = by or officer(order)
    check = desk.reopen_biometric(check_of(order, "identity").pk, reason=reason, operator=who, now=at)
    identified.work(at)
    return check


def answered(order, decision) -> None:
    text = consent_text.in_force("it")
    typed = "Anna Prova" if decision == ConsentDecision.GIVEN else ""
    given = Answer(decision, typed, Accepted(text.version, text.sha256), "it")
    consent.answer(token_in(mails(order, "smime-consent")[-1]), given, now=LATER + HOUR)
    identified.work(LATER + HOUR)


class TestAfterTwoFailures:
    def test_the_recipient_is_invited_anew_and_the_reason_stands_in_the_events(self, order):
        anna = officer(order)
        reopen(order, by=anna)

        check = check_of(order, "identity")
        assert (check.path, check.state, check.round) == ("biometric", CheckState.WAITING_CUSTOMER, 2)
        invited = mails(order, identified.INVITED)
        assert [mail.created_at for mail in invited] == [NOW, LATER]
        assert identified.start(order, LATER + HOUR).endswith("segreto-scan-3")
        event = Event.objects.get(verb="smime.biometric-reopened", case_code=order.code)
        assert (event.reason, event.actor_id, event.facts["round"]) == (WHY, anna.pk, "1")

    def test_the_attempts_before_stay_on_record(self, order):
        reopen(order)
        made = order.attempts_made.order_by("number")
        assert [(each.number, each.round, each.state) for each in made] == [
            (1, 1, "denied"),
            (2, 1, "denied"),
            (3, 2, "created"),
        ]

    def test_two_further_attempts_and_no_more(self, order, provider):
        reopen(order)
        fail_twice(order, provider, LATER + HOUR)

        assert order.attempts_made.filter(round=2).count() == 2
        assert [mail.created_at for mail in mails(order, identified.ALTERNATIVE)] == [NOW + 2 * HOUR, LATER + 2 * HOUR]
        attempts.carry_out_due(at=LATER + 3 * HOUR)
        assert order.attempts_made.count() == 4

    def test_links_of_the_alternative_lead_nowhere_any_more(self, order):
        token = token_in(mails(order, identified.ALTERNATIVE)[0])
        reopen(order)
        with pytest.raises(LinkOutdated):
            links.open_link(token, LinkPurpose.ALTERNATIVE, now=LATER)

    def test_consent_that_was_given_is_not_asked_again(self, order):
        asked = len(mails(order, "smime-consent"))
        reopen(order)
        assert (len(mails(order, "smime-consent")), check_of(order, "consent").state) == (asked, "passed")


class TestAfterARefusalOfConsent:
    @pytest.fixture
    def order(self, provider):
        order = order_of("iv")
        checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
        text = consent_text.in_force("it")
        refused = Answer(ConsentDecision.REFUSED, "", Accepted(text.version, text.sha256), "it")
        consent.answer(token_in(mails(order, "smime-consent")[0]), refused, now=NOW + HOUR)
        return order

    def test_the_recipient_is_asked_again_and_nobody_consents_for_him(self, order, provider):
        reopen(order)

        assert (len(mails(order, "smime-consent")), provider.wishes) == (2, [])
        assert [check_of(order, kind).state for kind in ("consent", "identity")] == ["waiting-customer", "todo"]

        answered(order, ConsentDecision.GIVEN)
        assert check_of(order, "identity").path == "biometric"
        assert len(mails(order, identified.INVITED)) == 1

    def test_refused_again_it_is_the_alternative_again(self, order):
        reopen(order)
        answered(order, ConsentDecision.REFUSED)
        assert (check_of(order, "identity").path, len(mails(order, identified.ALTERNATIVE))) == ("signature", 2)

    def test_a_withdrawal_under_way_by_signature_is_heeded_too(self, order, provider):
        reopen(order)
        answered(order, ConsentDecision.GIVEN)
        fail_twice(order, provider, LATER + 2 * HOUR)
        token = token_in(mails(order, "smime-consent")[-1])
        consent.withdraw(token, address=None, language="it", now=LATER + 5 * HOUR)

        reopen(order, at=LATER + 6 * HOUR)
        assert (len(mails(order, "smime-consent")), check_of(order, "identity").state) == (3, "todo")


class TestWhatWasSigned:
    """The form and its file are void, whether somebody has judged it or not."""

    @pytest.fixture
    def order(self, provider, tmp_path, settings):
        alternative.lists_loaded(tmp_path / "lists", settings)
        order = alternative.order_of("sv")
        checks.pass_check(check_of(order, "consent"), at=NOW, method="prova")
        return order

    def test_a_file_that_waits_for_its_verdict_gets_none(self, order):
        report = alternative.sent(order, alternative.signed(alternative.form_of(order)))
        reopen(order)

        report.refresh_from_db()
        assert (report.verdict, report.code, report.next_attempt_at) == ("refused", "form-void", None)
        assert signature_verdicts.validate(report.pk, at=LATER) is None
        assert SignatureForm.objects.get().voided_at == LATER
        assert check_of(order, "identity").path == "biometric"

    def test_one_that_an_officer_has_before_him_is_not_decided_any_more(self, order):
        report = alternative.judged(order, alternative.signed(alternative.form_of(order)))
        assert check_of(order, "identity").state == CheckState.IN_REVIEW
        reopen(order)

        assert signature.newest_report(order, check_of(order, "identity")) is None
        assert SignatureReport.objects.get().verdict == report.verdict  # what was found stays what was found
        with pytest.raises(others.CheckChanged):
            desk.decide_signature(
                report.pk, outcome="refused", document=Document(), ticked=(), operator=officer(order), now=LATER,
                reason="No.",
            )  # fmt: skip


class TestRefusals:
    def test_not_without_a_reason(self, order):
        with pytest.raises(errors.ReopeningUnexplained):
            reopen(order, reason=" \n ")
        assert tried(order) == [("biometric-reopen", "reopening-reason-missing")]
        assert check_of(order, "identity").path == "signature"

    def test_twice_is_once_and_said(self, order):
        reopen(order)
        with pytest.raises(errors.BiometricNotClosed):
            reopen(order)
        assert order.attempts_made.count() == 3

    def test_not_once_the_recipient_is_identified(self, order):
        checks.pass_check(check_of(order, "identity"), at=LATER, method="firma")
        with pytest.raises(errors.BiometricNotClosed):
            reopen(order)

    def test_no_other_check_has_a_way_to_open(self, order):
        with pytest.raises(errors.BiometricNotClosed):
            desk.reopen_biometric(check_of(order, "mailbox").pk, reason=WHY, operator=officer(order), now=LATER)

    def test_not_by_an_auditor_nor_after_the_end(self, order):
        with pytest.raises(RoleTooWeak):
            reopen(order, by=officer(order, Role.AUDITOR))
        order.refresh_from_db()
        order.cancel(reason="", at=LATER)
        order.save()
        with pytest.raises(others.OrderClosed):
            reopen(order)
