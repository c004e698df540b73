"""Consent: the recipient's own, refused with a way on at once, and taken back whenever he likes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.errors import DomainError, LinkUnknown
from cms.models import Event
from smime import consent_text, policy, terms
from smime.errors.identification import ConsentAbsent, ConsentDecided, ConsentMistyped
from smime.models import EvidenceFile, MailedLink
from smime.services import attempts, checks, consent, deliveries, idp
from smime.services.acceptance import Accepted
from smime.services.consent import Answer
from smime.states import ConsentDecision, LinkPurpose
from tests.smime.mailed import NOW, check_of, mails, order_of, token_in
from tests.smime.provider import FakeProvider, told

pytestmark = pytest.mark.usefixtures("committed")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASKED, ALTERNATIVE = "smime-consent", "smime-alternative"
HERE = "192.0.2.7"


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    order = order_of("sv")
    checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
    return order


def token_of(order) -> str:
    return token_in(mails(order, ASKED)[-1])


def answered(order, decision=ConsentDecision.GIVEN, *, typed="Anna Prova", language="it", accepts=False, at=NOW + HOUR):
    text, general = consent_text.in_force(language), terms.in_force()
    given = Answer(
        decision=decision,
        typed=typed,
        shown=Accepted(text.version, text.sha256),
        language=language,
        terms=Accepted(general.version, general.sha256) if accepts else None,
        address=HERE,
    )
    return consent.answer(token_of(order), given, now=at)


def test_it_is_asked_of_the_confirmed_mailbox_alone(provider):
    order = order_of("sv", own=False)
    assert mails(order, ASKED) == []
    checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")

    (mail,) = mails(order, ASKED)
    assert (mail.recipient, mail.recipient == order.buyer.email) == (order.mailbox, False)
    assert check_of(order, "identity").state == "todo"


def test_given_it_keeps_what_was_read_typed_and_where(order):
    answered(order, typed="  ANNA   pròva ")
    row = order.consents.get()
    assert (row.decision, row.version, row.typed.strip(), row.address) == ("given", "2026-11", "ANNA   pròva", HERE)
    assert row.sha256 == consent_text.in_force("it").sha256
    check = check_of(order, "consent")
    assert (check.state, check.method) == ("passed", "GDPR art. 9(2)(a) 2026-11")
    event = Event.objects.get(verb="smime.consent-given")
    assert (event.actor_kind, event.channel) == ("recipient", "mailed-link")
    assert check_of(order, "identity").state == "waiting-third-party"


def test_who_reads_english_consents_to_the_english_text(order):
    answered(order, language="en")
    assert order.consents.get().sha256 == consent_text.in_force("en").sha256 != consent_text.in_force("it").sha256


@pytest.mark.parametrize("name", ["D'Àngelo Ñuñez", "De-Rossi", "Ó Briain"])
def test_names_are_typed_as_people_type_them(provider, name):
    order = order_of("sv", given_name="José", surname=name)
    checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
    answered(order, typed=f"jose {name.lower().replace(chr(39), '’')}")
    assert check_of(order, "consent").state == "passed"


def test_another_name_gives_nothing(order):
    with pytest.raises(ConsentMistyped):
        answered(order, typed="Anna Altra")
    assert not order.consents.exists()
    assert MailedLink.objects.get(purpose=LinkPurpose.CONSENT).used_at is None


def test_a_recipient_who_has_not_bought_accepts_the_terms_too(provider):
    order = order_of("sv", own=False)
    checks.pass_check(check_of(order, "mailbox"), at=NOW, method="prova")
    with pytest.raises(DomainError) as refusal:
        answered(order)
    assert refusal.value.reason_code == "terms-not-accepted"

    answered(order, accepts=True)
    assert order.acceptances.get(role="recipient").sha256 == terms.in_force().sha256


def test_a_link_to_confirm_the_mailbox_gives_no_consent(order):
    text = consent_text.in_force("it")
    given = Answer(ConsentDecision.GIVEN, "Anna Prova", Accepted(text.version, text.sha256), "it")
    with pytest.raises(LinkUnknown):
        consent.answer(token_in(mails(order, "smime-verify-mailbox")[0]), given, now=NOW)


class TestRefusal:
    def test_it_opens_the_alternative_at_once(self, order, provider):
        answered(order, ConsentDecision.REFUSED, typed="")

        assert len(mails(order, ALTERNATIVE)) == 1
        assert (check_of(order, "consent").state, check_of(order, "identity").path) == ("failed", "signature")
        assert (provider.wishes, order.attempts_made.count()) == ([], 0)
        with pytest.raises(ConsentDecided):
            answered(order, at=NOW + 2 * HOUR)

    def test_it_does_not_stand_in_the_way_of_a_signature(self, order):
        answered(order, ConsentDecision.REFUSED, typed="")
        checks.pass_check(check_of(order, "identity"), at=NOW + HOUR, method="firma")
        missing = {each.kind for each in policy.missing(order, order.checks.all(), NOW + 2 * HOUR)}
        assert missing == {"organisation", "authority", "attestation"}

    def test_corrected_names_do_not_ask_it_again(self, order):
        answered(order, ConsentDecision.REFUSED, typed="")
        checks.restart(check_of(order, "consent"), at=NOW + 2 * HOUR)
        assert len(mails(order, ASKED)) == 1


class TestWithdrawal:
    def test_before_the_outcome_it_opens_the_alternative_and_voids_the_session(self, order, provider):
        answered(order)
        attempts.carry_out_due(at=NOW + HOUR)
        consent.withdraw(token_of(order), address=HERE, language="it", now=NOW + 2 * HOUR)

        assert [row.decision for row in order.consents.order_by("pk")] == ["given", "withdrawn"]
        assert (len(mails(order, ALTERNATIVE)), check_of(order, "identity").path) == (1, "signature")
        provider.becomes("scan-1", "approved")
        told("scan-1", NOW + 3 * HOUR)
        deliveries.apply_due(at=NOW + 3 * HOUR)
        attempts.carry_out_due(at=NOW + 3 * HOUR)
        assert check_of(order, "identity").state == "waiting-customer"

    def test_while_an_officer_compares_the_faces_go(self, order, provider):
        answered(order)
        attempts.carry_out_due(at=NOW + HOUR)
        provider.becomes("scan-1", "approved")
        told("scan-1", NOW + 2 * HOUR)
        deliveries.apply_due(at=NOW + 2 * HOUR)
        attempts.carry_out_due(at=NOW + 2 * HOUR)
        assert EvidenceFile.objects.get(order=order, kind="face").erased_at is None

        consent.withdraw(token_of(order), address=HERE, language="it", now=NOW + 3 * HOUR)
        attempts.carry_out_due(at=NOW + 3 * HOUR)

        assert EvidenceFile.objects.get(order=order, kind="face").erased_at == NOW + 3 * HOUR
        assert provider.erased == ["scan-1"]
        assert check_of(order, "identity").path == "signature"

    def test_after_the_outcome_what_was_proven_stands(self, order, provider):
        answered(order)
        checks.pass_check(check_of(order, "identity"), at=NOW + 2 * HOUR, method="prova", by=7)
        consent.withdraw(token_of(order), address=HERE, language="it", now=NOW + 3 * HOUR)
        assert (check_of(order, "identity").state, mails(order, ALTERNATIVE)) == ("passed", [])

    def test_what_was_not_given_cannot_be_taken_back(self, order):
        with pytest.raises(ConsentAbsent):
            consent.withdraw(token_of(order), address=HERE, language="it", now=NOW + HOUR)


def test_it_can_be_asked_again_until_it_is_answered(order):
    consent.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
    assert len(mails(order, ASKED)) == 2
    answered(order)
    with pytest.raises(DomainError) as refusal:
        consent.resend(order.uid, buyer=order.buyer, now=NOW + 2 * HOUR)
    assert refusal.value.reason_code == "link-used"


def test_changed_names_ask_again_and_the_answer_before_counts_no_more(order):
    answered(order)
    checks.restart(check_of(order, "consent"), at=NOW + 2 * HOUR)

    assert consent.standing_of(order) == ""
    with pytest.raises(ConsentAbsent):
        consent.withdraw(token_of(order), address=HERE, language="it", now=NOW + 2 * HOUR)
    answered(order, at=NOW + 3 * HOUR)
    assert (consent.standing_of(order), check_of(order, "consent").state) == ("given", "passed")


def test_it_is_not_sent_to_a_mailbox_that_nobody_has_confirmed(order):
    checks.restart(check_of(order, "mailbox"), at=NOW + HOUR)
    with pytest.raises(DomainError) as refusal:
        consent.resend(order.uid, buyer=order.buyer, now=NOW + 2 * HOUR)
    assert (refusal.value.reason_code, len(mails(order, ASKED))) == ("link-outdated", 1)


def test_it_is_not_sent_before_its_turn(provider):
    order = order_of("sv")
    with pytest.raises(DomainError) as refusal:
        consent.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
    assert (refusal.value.reason_code, mails(order, ASKED)) == ("link-outdated", [])


def test_the_request_lies_two_weeks_at_most(order):
    assert check_of(order, "consent").due_at == NOW + 14 * DAY
