"""Identification: invited after consent, looked up before anything counts, decided by an officer, two tries at most."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from cms.errors import DomainError, LinkExpired
from cms.models import Event
from smime.errors.identification import AttemptUndecidable, IdentificationOver
from smime.models import EvidenceFile
from smime.services import checks, identification, identity_evidence, idp
from smime.states import CheckState
from tests.smime.identified import (
    ALTERNATIVE,
    FAILED,
    HOUR,
    INVITED,
    MINUTE,
    attempt_of,
    ends,
    invited,
    start,
    work,
)
from tests.smime.mailed import NOW, check_of, mails, order_of, token_in
from tests.smime.provider import FakeProvider, told

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    return invited()


class TestInvitation:
    """The session is made when the mail goes out: its 24 hours are whole."""

    def test_the_wish_is_what_the_guide_says_and_names_nobody_but_the_person(self, order, provider):
        (wish,) = provider.wishes
        assert (wish.link_seconds, wish.session_seconds, wish.language) == (86400, 1800, "it")
        assert (wish.given_name, wish.surname, wish.reference) == ("Anna", "Prova", order.code)
        assert (len(wish.client_id), wish.client_id.isascii()) == (32, True)
        assert set(wish.back_to) == {"successUrl", "errorUrl", "unverifiedUrl"}

    def test_the_mail_says_24_hours_and_30_minutes(self, order):
        (mail,) = mails(order, INVITED)
        check = check_of(order, "identity")
        assert (check.state, check.due_at) == ("waiting-customer", NOW + 24 * HOUR)
        assert (mail.context["expires_at"], mail.context["session_minutes"]) == ((NOW + 24 * HOUR).isoformat(), 30)

    def test_the_provider_being_away_loses_nothing(self, provider):
        provider.is_away = True
        order = order_of("sv")
        for kind in ("mailbox", "consent"):
            checks.pass_check(check_of(order, kind), at=NOW, method="prova")
        checks.begin(check_of(order, "identity"), at=NOW)
        work(NOW)
        attempt = attempt_of(order)
        assert (attempt.last_error, attempt.next_attempt_at) == ("provider-unavailable", NOW + timedelta(seconds=5))
        assert check_of(order, "identity").state == "waiting-third-party"

        provider.is_away = False
        work(NOW + MINUTE)
        assert (attempt_of(order).last_error, len(mails(order, INVITED))) == ("", 1)
        assert check_of(order, "identity").due_at == NOW + MINUTE + 24 * HOUR

    def test_a_cancelled_order_opens_no_session(self, provider):
        order = order_of("sv")
        for kind in ("mailbox", "consent"):
            checks.pass_check(check_of(order, kind), at=NOW, method="prova")
        checks.begin(check_of(order, "identity"), at=NOW)
        order.refresh_from_db()
        order.cancel(reason="", at=NOW)
        order.save()
        work(NOW)
        assert (provider.wishes, attempt_of(order).is_final) == ([], True)

    def test_the_personal_address_lies_sealed(self, order):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a::text FROM smime_identificationattempt a UNION ALL SELECT e::text FROM cms_event e"
            )
            stored = " ".join(row[0] for row in cursor.fetchall())
        assert "segreto" not in stored
        assert start(order).endswith("segreto-scan-1")


class TestStart:
    """From the first click the person has thirty minutes, and may come back within them."""

    def test_it_runs_from_the_first_click(self, order):
        first = start(order)
        assert start(order, NOW + HOUR + 29 * MINUTE) == first
        with pytest.raises(IdentificationOver):
            start(order, NOW + HOUR + 30 * MINUTE)
        check = check_of(order, "identity")
        assert (attempt_of(order).started_at, check.due_at) == (NOW + HOUR, NOW + HOUR + 30 * MINUTE)
        assert Event.objects.filter(verb="smime.identification-started").count() == 1

    def test_after_a_day_the_link_is_dead(self, order):
        with pytest.raises(LinkExpired):
            start(order, NOW + 24 * HOUR)


class TestOutcomes:
    """Nobody passes without an officer's eyes (SBR 3.2.4.2); a refusal counts, a link that nobody followed does not."""

    @pytest.mark.parametrize(("overall", "tags"), [("approved", ()), ("suspected", ("NAME",))])
    def test_a_good_or_doubtful_outcome_waits_for_an_officer(self, order, provider, overall, tags):
        start(order)
        ends(order, provider, overall, NOW + HOUR, *tags)

        attempt = attempt_of(order)
        assert (attempt.state, attempt.is_final, attempt.mismatches) == (overall, True, list(tags))
        assert check_of(order, "identity").state == CheckState.IN_REVIEW
        assert not mails(order, "smime-identification-passed")

    def test_photos_and_data_are_kept_sealed_and_the_providers_copy_until_the_decision(self, order, provider):
        start(order)
        ends(order, provider, "approved", NOW + HOUR)
        attempt = attempt_of(order)
        kinds = sorted(EvidenceFile.objects.filter(order=order).values_list("kind", flat=True))
        assert kinds == ["document-back", "document-front", "face"]
        assert identity_evidence.evidence_of(attempt)["document"]["docNumber"] == "CA1"
        assert provider.erased == []

        identification.accept_attempt(attempt.pk, by=7, at=NOW + 2 * HOUR)
        work(NOW + 2 * HOUR)

        assert provider.erased == [attempt.scan_ref]
        assert attempt_of(order).erased_at == NOW + 2 * HOUR

    def test_accepted_by_an_officer_it_passes_and_the_person_is_told(self, order, provider):
        start(order)
        ends(order, provider, "approved", NOW + HOUR)
        identification.accept_attempt(attempt_of(order).pk, by=7, at=NOW + 2 * HOUR)

        check = check_of(order, "identity")
        assert (check.state, check.decided_by) == ("passed", 7)
        assert check.method == "SBR 3.2.4.1 (1), 3.2.4.2 v1.0.16"
        assert len(mails(order, "smime-identification-passed")) == 1
        with pytest.raises(AttemptUndecidable):
            identification.accept_attempt(attempt_of(order).pk, by=8, at=NOW + 3 * HOUR)

    def test_another_name_on_the_document_is_noted_for_the_officer(self, order, provider):
        provider.read = provider.read | {"docLastName": "D'ALTRI"}
        ends(order, provider, "approved", NOW + HOUR)
        assert attempt_of(order).mismatches == ["NAME_OF_ORDER"]

    def test_a_refusal_counts_and_sends_the_next_invitation(self, order, provider):
        start(order)
        ends(order, provider, "denied", NOW + HOUR)

        assert [each.counts_as_failure for each in order.attempts_made.order_by("number")] == [True, False]
        (mail,) = mails(order, FAILED)
        assert (mail.context["left"], mails(order, ALTERNATIVE)) == (1, [])
        assert provider.erased == ["scan-1"]
        assert not EvidenceFile.objects.filter(order=order).exists()

    def test_two_refusals_open_the_alternative(self, order, provider):
        start(order)
        ends(order, provider, "denied", NOW + HOUR)
        start(order, NOW + 2 * HOUR, FAILED)
        ends(order, provider, "denied", NOW + 2 * HOUR)

        assert [mail.created_at for mail in mails(order, ALTERNATIVE)] == [NOW + 2 * HOUR]
        assert (check_of(order, "identity").path, order.attempts_made.count()) == ("signature", 2)

    def test_an_officer_who_is_not_convinced_uses_up_an_attempt(self, order, provider):
        ends(order, provider, "suspected", NOW + HOUR, "NAME")
        identification.refuse_attempt(attempt_of(order).pk, by=7, at=NOW + 2 * HOUR)
        work(NOW + 2 * HOUR)

        assert (len(mails(order, FAILED)), provider.erased) == (1, ["scan-1"])
        assert check_of(order, "identity").state == "waiting-customer"

    def test_a_link_that_nobody_followed_is_no_attempt_and_a_new_one_comes_on_demand(self, order, provider):
        provider.becomes("scan-1", "expired")
        work(NOW + 24 * HOUR + 2 * MINUTE)

        attempt = attempt_of(order)
        assert (attempt.state, attempt.counts_as_failure, attempt.number) == ("expired", False, 1)
        assert check_of(order, "identity").state == "waiting-customer"

        identification.resend(order.uid, buyer=order.buyer, now=NOW + 25 * HOUR)
        work(NOW + 25 * HOUR)
        assert (len(mails(order, INVITED)), attempt_of(order).number) == (2, 2)

    def test_a_session_begun_and_not_finished_is_one(self, order, provider):
        start(order)
        provider.becomes("scan-1", "expired")
        work(NOW + HOUR + 32 * MINUTE)

        assert [each.counts_as_failure for each in order.attempts_made.order_by("number")] == [True, False]

    def test_the_invitation_can_be_sent_again_while_nobody_followed_it(self, order, provider):
        identification.resend(order.uid, buyer=order.buyer, now=NOW + HOUR)
        work(NOW + HOUR)

        first, second = mails(order, INVITED)
        assert (token_in(first) != token_in(second), len(provider.wishes)) == (True, 1)
        assert second.context["expires_at"] == (NOW + 24 * HOUR).isoformat()
        assert start(order, NOW + 2 * HOUR)

    def test_nothing_of_older_data_moves_the_check(self, order, provider):
        scan_ref = attempt_of(order).scan_ref
        checks.restart(check_of(order, "identity"), at=NOW + HOUR)
        work(NOW + HOUR)
        provider.becomes(scan_ref, "approved")
        told(scan_ref, NOW + 2 * HOUR)
        work(NOW + 2 * HOUR)

        assert order.attempts_made.get(number=1).state == "approved"
        assert check_of(order, "identity").state == "waiting-customer"
        assert provider.erased == [scan_ref]


def test_refusals_have_codes():
    assert issubclass(IdentificationOver, DomainError)
    assert IdentificationOver.code == "identification-over"
