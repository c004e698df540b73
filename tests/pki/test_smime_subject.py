"""A subject holds the verified facts of its type, whole or not at all, and its certificate passes the linter."""

from __future__ import annotations

import dataclasses

import pytest

from pki import lint
from pki.errors import MalformedInput
from pki.gateway import Profile, Subject
from pki.smime_subject import (
    Organisation,
    Person,
    organisation_identifier,
    organisation_name,
    require_identifier,
    subject_for,
)
from tests.pki.mail import MAIL_PROFILES, MAILBOX

ANNA = Person("Anna Niccolò", "D'Amico")
OFFICINE = Organisation("Officine dell'Adda S.p.A.", "VATIT-01234560157", "IT")
PERSON = {"person": ANNA}
BOTH = {"person": ANNA, "organisation": OFFICINE}
FACTS = {"mv": {}, "ov": {"organisation": OFFICINE}, "sv": BOTH, "iv": PERSON}
MV, OV, SV, IV = (
    Profile.SMIME_MAILBOX_MULTIPURPOSE,
    Profile.SMIME_ORGANISATION_MULTIPURPOSE,
    Profile.SMIME_SPONSOR_MULTIPURPOSE,
    Profile.SMIME_INDIVIDUAL_MULTIPURPOSE,
)


def facts_of(profile):
    return FACTS[profile.value.split("-")[1]]


def refused(action) -> str:
    with pytest.raises(MalformedInput) as refusal:
        action()
    assert "Amico" not in str(refusal.value)
    return refusal.value.code


@pytest.mark.parametrize("profile", MAIL_PROFILES)
def test_what_it_makes_of_each_type_is_clean(ca, ec_key, profile):
    subject = subject_for(profile, mailbox=MAILBOX, **facts_of(profile))
    lint.require_clean_certificate(ca.issue(profile, ec_key, subject=subject), profile)


@pytest.mark.parametrize("profile", MAIL_PROFILES)
def test_a_type_takes_its_own_facts_and_no_others(profile):
    for facts in FACTS.values():
        if facts is not facts_of(profile):
            with pytest.raises(ValueError, match="other facts"):
                subject_for(profile, mailbox=MAILBOX, **facts)


def test_a_mailbox_alone_is_all_that_the_simplest_type_says():
    assert subject_for(MV, mailbox="Anna@Example.org") == Subject(
        "Anna@example.org", country="", email="Anna@example.org"
    )


def test_a_mailbox_longer_than_a_common_name_stands_in_the_alternative_name_only(ca, ec_key):
    mailbox = "a" * 60 + "@example.org"
    subject = subject_for(MV, mailbox=mailbox)
    assert (subject.common_name, subject.email) == ("", mailbox)
    lint.require_clean_certificate(ca.issue(MV, ec_key, subject=subject), MV)


def test_an_organisation_is_its_own_common_name():
    subject = subject_for(OV, mailbox=MAILBOX, organisation=OFFICINE)
    assert subject.common_name == subject.organization == OFFICINE.name


def test_accents_and_apostrophes_stay_and_are_composed_into_one_form():
    decomposed = dataclasses.replace(ANNA, given_name="Anna  Niccolo\u0300 ")
    subject = subject_for(SV, mailbox=MAILBOX, person=decomposed, organisation=OFFICINE)
    assert (subject.given_name, subject.surname) == ("Anna Niccolò", "D'Amico")
    assert subject.common_name == "Anna Niccolò D'Amico"


def test_a_long_personal_name_is_never_cut_and_has_no_common_name(ca, ec_key):
    person = Person("Maria Immacolata Concetta Annunziata", "Della Rovere di Montefeltro Acquaviva")
    subject = subject_for(IV, mailbox=MAILBOX, person=person)
    assert subject.common_name == ""
    assert subject.surname == person.surname
    lint.require_clean_certificate(ca.issue(IV, ec_key, subject=subject), IV)


def test_no_tax_code_of_a_person_is_published():
    assert subject_for(IV, mailbox=MAILBOX, person=ANNA).serial_number == ""


def test_a_verified_title_and_address_go_in_but_no_street_into_strict(ca, ec_key):
    at_home = dataclasses.replace(OFFICINE, locality="Lodi", state="LO", street="Via dell'Adda 1", postal_code="26900")
    for profile in (SV, Profile.SMIME_SPONSOR_STRICT):
        person = dataclasses.replace(ANNA, title="Direttrice")
        subject = subject_for(profile, mailbox=MAILBOX, person=person, organisation=at_home)
        assert (subject.title, subject.locality) == ("Direttrice", "Lodi")
        assert bool(subject.street) == bool(subject.postal_code) == profile.may_be_held
        lint.require_clean_certificate(ca.issue(profile, ec_key, subject=subject), profile)


@pytest.mark.parametrize(
    "name", ["", " ", "-", "...", "D'Amico\r\nBcc: x@example.org", "D\u202eocimA", "\x00", "A" * 65]
)
def test_what_is_no_name_is_refused(name):
    for person in (dataclasses.replace(ANNA, surname=name), dataclasses.replace(ANNA, given_name=name)):
        assert refused(lambda person=person: subject_for(IV, mailbox=MAILBOX, person=person)) == "name-malformed"


def test_a_mailbox_of_other_letters_is_refused():
    assert refused(lambda: subject_for(MV, mailbox="nicolò@example.org")) == "mailbox-not-ascii"


LONG = "Consorzio per la Valorizzazione dei Prodotti Agroalimentari della Valle dell'Adda"


def test_a_name_over_64_characters_wants_the_recorded_abbreviation():
    assert refused(lambda: organisation_name(LONG)) == "organisation-name-long"
    assert refused(lambda: organisation_name(LONG, abbreviation=LONG[:65])) == "organisation-name-long"
    assert organisation_name(LONG, abbreviation="Consorzio Valle dell'Adda") == "Consorzio Valle dell'Adda"
    assert organisation_name("A" * 64, abbreviation="never needed") == "A" * 64
    long = dataclasses.replace(OFFICINE, name=LONG)
    assert refused(lambda: subject_for(OV, mailbox=MAILBOX, organisation=long)) == "organisation-name-long"


def test_a_company_is_identified_by_its_vat_number_else_by_its_register_number():
    assert (
        organisation_identifier("IT", vat_number="IT01234560157", register_number="09876540163") == "VATIT-01234560157"
    )
    assert organisation_identifier("IT", register_number="09876540163") == "NTRIT-09876540163"
    assert organisation_identifier("DE", vat_number="DE136695976") == "VATDE-136695976"


def test_a_sole_trader_is_identified_by_his_vat_number_and_never_by_his_own_tax_code():
    """His register number is his tax code: with it, each mail would publish birthday and birthplace."""
    tax_code = "RSSMRA80A01H501U"
    assert organisation_identifier("IT", vat_number="01234560157", register_number=tax_code) == "VATIT-01234560157"
    for numbers in ({"register_number": tax_code}, {"vat_number": tax_code}):
        assert refused(lambda n=numbers: organisation_identifier("IT", **n)) == "organisation-identifier-malformed"


@pytest.mark.parametrize(
    ("identifier", "country"),
    [
        ("VATIT-01234560158", "IT"),
        ("VATIT-01234560157", "FR"),
        ("NTRIT-MI-1234567", "IT"),
        ("NTRIT-123456789", "IT"),
        ("DUNIT-123456789", "IT"),
        ("VATIT-", "IT"),
        ("VATIT01234560157", "IT"),
        ("VATit-01234560157", "it"),
        ("LEIIT-5493001KJTIIGC8Y1R12", "IT"),
        ("NTRDE-RSSMRA80A01H501U", "DE"),
        ("", ""),
    ],
)
def test_other_identifiers_are_refused(identifier, country):
    assert refused(lambda: require_identifier(identifier, country)) == "organisation-identifier-malformed"
    wrong = dataclasses.replace(OFFICINE, identifier=identifier, country=country)
    assert refused(lambda: subject_for(OV, mailbox=MAILBOX, organisation=wrong)) == "organisation-identifier-malformed"


def test_a_global_identifier_goes_with_any_country(ca, ec_key):
    abroad = dataclasses.replace(OFFICINE, identifier="LEIXG-5493001KJTIIGC8Y1R12", country="FR")
    subject = subject_for(OV, mailbox=MAILBOX, organisation=abroad)
    lint.require_clean_certificate(ca.issue(OV, ec_key, subject=subject), OV)


def test_a_persons_name_is_not_printed():
    assert "Amico" not in repr(ANNA)
