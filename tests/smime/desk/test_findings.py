"""Findings: nothing counts as proven before all that the requirements want is on record, by somebody of the centre."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cms.errors import DomainError, RoleTooWeak, WrongCentre
from cms.models import Centre, Event, User
from cms.states import Role
from smime import errors as others
from smime import policy_desk
from smime.errors import desk as errors
from smime.models import Finding, Order
from smime.services import checks, desk
from tests.smime.desk.office import CALL, EXTRACT, LATER, officer, ordered, record, with_letter
from tests.smime.mailed import NOW, check_of, mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return ordered()


@pytest.fixture
def anna(order):
    return officer(order)


@pytest.fixture
def attested():
    order = ordered("sv")
    with_letter(order)
    return order


def tried(order: Order) -> list[tuple[str, str]]:
    rows = Event.objects.filter(verb="smime.decision-refused", case_code=order.code).order_by("pk")
    return [(row.facts["deed"], row.reason) for row in rows]


class TestOrganisation:
    """Register, number, active status, name and identifier as the certificate carries them."""

    def test_what_was_found_is_written_onto_the_order_and_the_contact_is_told(self, order, anna):
        record(order, "organisation", anna)

        check = check_of(order, "organisation")
        order.refresh_from_db()
        assert (check.state, check.decided_by, check.method) == ("passed", anna.pk, "SBR 3.2.3.2 v1.0.16")
        assert check.valid_until == LATER + timedelta(days=825)
        assert (order.organisation_name, order.organisation_identifier) == ("Esempio S.r.l.", "VATIT-07643520567")
        assert "bruno@azienda.example.org" in {mail.recipient for mail in mails(order, "smime-organisation-check")}

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"source": ""}, errors.SourceMissing),
            ({"source": "vies"}, errors.SourceMissing),
            ({"reference": " "}, errors.SourceMissing),
            ({"is_active": False}, errors.OrganisationInactive),
            ({"legal_name": "E" * 65}, errors.OrganisationNameLong),
            ({"legal_name": "..."}, errors.OrganisationNameMalformed),
            ({"legal_name": "Esempio\nS.r.l."}, errors.OrganisationNameMalformed),
            ({"identifier": "DUNIT-123456789"}, errors.OrganisationIdentifierMalformed),
            ({"identifier": "VATDE-07643520567"}, errors.OrganisationIdentifierMalformed),
            ({"identifier": "VATIT-07643520568"}, errors.OrganisationIdentifierMalformed),
            ({"identifier": "NTRIT-RSSMRA85T10A562S"}, errors.OrganisationIdentifierMalformed),
        ],
    )
    def test_without_it_nothing_is_accepted_and_the_attempt_stands_in_the_events(self, order, anna, change, refusal):
        with pytest.raises(refusal):
            record(order, "organisation", anna, registered=replace(EXTRACT, **change))

        order.refresh_from_db()
        assert (check_of(order, "organisation").state, order.organisation_name) == ("in-review", "")
        assert tried(order) == [("organisation-accepted", refusal.code)]
        assert not Finding.objects.exists()

    def test_a_long_name_is_carried_by_its_recorded_abbreviation(self, order, anna):
        long = replace(EXTRACT, legal_name="Esempio " * 9 + "S.r.l.", abbreviation="Esempio S.r.l.")
        finding = record(order, "organisation", anna, registered=long)

        order.refresh_from_db()
        assert order.organisation_name == "Esempio S.r.l."
        assert finding.facts["legal_name"] == long.legal_name

    def test_the_identifier_is_suggested_and_never_out_of_a_persons_tax_code(self, order):
        assert policy_desk.suggested_identifier(order) == "VATIT-07643520567"
        trader = Order(country="IT", vat_number="07643520567", register_number="RSSMRA85T10A562S")
        assert policy_desk.suggested_identifier(trader) == "VATIT-07643520567"
        person = Order(country="IT", vat_number="RSSMRA85T10A562S", register_number="RSSMRA85T10A562S")
        assert policy_desk.suggested_identifier(person) == ""


class TestAuthority:
    """Somebody has confirmed at a contact that the applicant did not choose."""

    def test_a_confirmed_call_proves_it(self, order, anna):
        finding = record(order, "authority", anna)
        assert check_of(order, "authority").state == "passed"
        assert (finding.contact, finding.answered_by) == ("+39061234567", "Dora Centralino")

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"contact": ""}, errors.CallIncomplete),
            ({"contact": "chiamare dopo"}, errors.CallIncomplete),
            ({"contact_source": ""}, errors.CallIncomplete),
            ({"contact_source": "attestazione"}, errors.CallIncomplete),
            ({"called_at": None}, errors.CallIncomplete),
            ({"answered_by": " "}, errors.CallIncomplete),
            ({"outcome": "not-reached"}, errors.CallNotConfirmed),
            ({"outcome": "denied"}, errors.CallNotConfirmed),
            ({"outcome": ""}, errors.CallNotConfirmed),
            ({"called_at": NOW - timedelta(minutes=1)}, errors.CallTimeInvalid),
            ({"called_at": LATER + timedelta(minutes=1)}, errors.CallTimeInvalid),
            ({"contact": "Bruno@azienda.example.org"}, errors.ContactNotIndependent),
        ],
    )
    def test_anything_less_does_not(self, order, anna, change, refusal):
        with pytest.raises(refusal):
            record(order, "authority", anna, call=replace(CALL, **change))
        assert check_of(order, "authority").state == "in-review"

    @pytest.mark.parametrize("field", ["mailbox", "technical_email", "contact_email"])
    def test_no_address_that_was_typed_is_independent(self, anna, order, field):
        Order.objects.filter(pk=order.pk).update(**{field: "ufficio@azienda.example.org"})
        with pytest.raises(errors.ContactNotIndependent):
            record(order, "authority", anna, call=replace(CALL, contact="UFFICIO@azienda.example.org"))

    def test_a_call_that_nobody_answered_is_noted_and_decides_nothing(self, order, anna):
        missed = replace(CALL, outcome="not-reached", answered_by="")
        finding = record(order, "authority", anna, outcome="note", call=missed)
        assert (finding.outcome, finding.facts["call_outcome"]) == ("note", "not-reached")
        assert check_of(order, "authority").state == "in-review"


class TestAttestation:
    """Each field is compared with the letter, and the referee is reached by a contact that is not in it."""

    def test_everything_ticked_and_confirmed_it_passes_and_the_function_is_verified(self, attested):
        record(attested, "attestation", officer(attested))
        attested.refresh_from_db()
        assert check_of(attested, "attestation").state == "passed"
        assert attested.role_title == "IT Manager"

    @pytest.mark.parametrize("field", policy_desk.LETTER_FIELDS)
    def test_one_field_that_was_not_compared_is_enough_to_refuse(self, attested, field):
        ticked = set(policy_desk.LETTER_FIELDS) - {field}
        with pytest.raises(errors.FieldsNotCompared):
            record(attested, "attestation", officer(attested), ticked=ticked)

    def test_the_contact_in_the_letter_is_no_independent_one(self, attested):
        call = replace(CALL, contact="Risorse.Umane@azienda.example.org")
        for kind in ("attestation", "authority"):
            with pytest.raises(errors.ContactNotIndependent):
                record(attested, kind, officer(attested), call=call)

    def test_without_a_clean_letter_nobody_decides(self):
        order = ordered("sv")
        with pytest.raises(errors.CheckNotInReview):
            record(order, "attestation", officer(order))


class TestAnswers:
    """The customer reads why, and the check follows."""

    def test_papers_are_asked_for_with_a_reason(self, order, anna):
        record(order, "organisation", anna, outcome="papers", reason="Serve una visura aggiornata.")
        check = check_of(order, "organisation")
        assert (check.state, check.reason) == ("waiting-customer", "Serve una visura aggiornata.")
        sent = mails(order, "smime-papers-missing")
        assert order.contact_email in {mail.recipient for mail in sent}
        assert {mail.context["reason"] for mail in sent} == {"Serve una visura aggiornata."}

        record(order, "organisation", anna)
        assert check_of(order, "organisation").state == "passed"

    def test_a_refusal_says_why_and_can_be_taken_back(self, order, anna):
        record(order, "organisation", anna, outcome="refused", reason="Cessata nel 2024.")
        check = check_of(order, "organisation")
        assert (check.state, check.reason, check.decided_by) == ("failed", "Cessata nel 2024.", anna.pk)
        with pytest.raises(errors.CheckNotInReview):
            record(order, "organisation", anna)

        desk.restart_check(check.pk, operator=anna, now=LATER)
        assert check_of(order, "organisation").state == "in-review"

    @pytest.mark.parametrize("outcome", ["papers", "refused"])
    def test_neither_goes_without_words(self, order, anna, outcome):
        with pytest.raises(errors.ReasonMissing):
            record(order, "organisation", anna, outcome=outcome, reason=" \n ")

    def test_data_that_changed_under_the_officers_eyes_are_not_accepted(self, order, anna):
        seen = check_of(order, "organisation")
        checks.restart(seen, at=NOW)
        with pytest.raises(others.CheckChanged):
            desk.record_finding(
                seen.pk,
                outcome="accepted",
                seen_round=1,
                found=policy_desk.Found(EXTRACT, CALL),
                operator=anna,
                now=LATER,
            )

    @pytest.mark.parametrize("kind", ["mailbox", "consent", "identity"])
    def test_what_is_the_recipients_is_not_decided_by_a_finding(self, attested, kind):
        with pytest.raises(errors.CheckNotForDesk):
            record(attested, kind, officer(attested))

    def test_events_hold_ids_and_codes_alone(self, order, anna):
        record(order, "authority", anna, note="Ha risposto Dora.")
        (event,) = Event.objects.filter(verb="smime.finding-recorded")
        assert event.facts == {"check": "authority", "finding": str(Finding.objects.get().pk), "outcome": "accepted"}
        assert (event.actor_kind, event.actor_id, event.channel) == ("operator", anna.pk, "panel")


class TestWho:
    """Operators and managers of the order's centre, and administrators; never a party."""

    def test_an_auditor_only_reads(self, order):
        with pytest.raises(RoleTooWeak):
            record(order, "organisation", officer(order, Role.AUDITOR))
        assert tried(order) == [("organisation-accepted", RoleTooWeak.code)]

    def test_another_centres_officer_has_no_say(self, order):
        stranger = officer(order)
        stranger.memberships.update(centre=Centre.objects.create(code="altro", name="Altro"))
        with pytest.raises(WrongCentre):
            record(order, "organisation", stranger)

    def test_an_administrator_may(self, order):
        record(order, "organisation", User.objects.create_user("capo@fornitore.example.org", is_administrator=True))
        assert check_of(order, "organisation").state == "passed"

    @pytest.mark.parametrize("field", ["mailbox", "contact_email", "technical_email"])
    def test_nobody_verifies_himself(self, order, anna, field):
        Order.objects.filter(pk=order.pk).update(**{field: anna.email.upper()})
        with pytest.raises(errors.OfficerIsParty):
            record(order, "organisation", anna)

    def test_who_bought_it_does_not_either(self, order, anna):
        Order.objects.filter(pk=order.pk).update(buyer=anna)
        with pytest.raises(errors.OfficerIsParty):
            record(order, "organisation", anna)

    def test_who_holds_what_is_seen_and_binds_nobody(self, order, anna):
        bruno, check = officer(order), check_of(order, "organisation")
        desk.take_check(check.pk, operator=anna, now=NOW)
        assert desk.take_check(check.pk, operator=bruno, now=LATER).held_by == bruno.pk
        assert desk.leave_check(check.pk, operator=anna, now=LATER).held_by is None
        with pytest.raises(DomainError):
            desk.take_check(check.pk, operator=officer(order, Role.AUDITOR), now=LATER)
        record(order, "organisation", anna)
