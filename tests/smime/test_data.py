"""What customers may type: stored in one form, or refused with a reason."""

from __future__ import annotations

import pytest

from cms.errors import DomainError
from smime import policy_data

COMPANY = "07643520567"


def refusal(rule, *typed, **named) -> str:
    with pytest.raises(DomainError) as raised:
        rule(*typed, **named)
    return raised.value.reason_code


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["Niccolò", "D'Amico", "D\N{RIGHT SINGLE QUOTATION MARK}Amico", "Anna-Lucia", "Ángel", "Jürgen", "O.", "Ζωή"],
    )
    def test_accents_apostrophes_and_hyphens_stand(self, name):
        assert policy_data.person_name(name) == name

    def test_blanks_are_single_and_marks_composed(self):
        assert policy_data.person_name("  Nicolo\N{COMBINING GRAVE ACCENT}   De  Luca ") == "Nicolò De Luca"

    def test_sixty_four_characters_stand_and_sixty_five_do_not(self):
        assert policy_data.person_name("à" * 64) == "à" * 64
        assert refusal(policy_data.person_name, "à" * 65) == "name-long"

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "-",
            "...",
            "Anna\r\nBcc: altri@example.org",
            "Anna\nProva",
            "Anna\x00",
            "Anna\u202eavorP",
            "Anna1",
            "<b>",
            "a=b",
        ],
    )
    def test_control_characters_fillers_and_markup_are_refused(self, name):
        assert refusal(policy_data.person_name, name) == "name-invalid"


class TestMailboxes:
    def test_the_domain_is_written_small_and_the_rest_kept(self):
        assert policy_data.mailbox(" Anna.Prova@Posta.Example.ORG ") == "Anna.Prova@posta.example.org"

    @pytest.mark.parametrize("typed", ["anna@pòsta.example.org", "nicolò@example.org", "anna@xn--psta-gqa.example.org"])
    def test_international_addresses_are_refused_with_their_own_reason(self, typed):
        assert refusal(policy_data.mailbox, typed) == "mailbox-not-ascii"

    @pytest.mark.parametrize("typed", ["anna", "anna@", "a b@example.org", "anna@example.org\r\nBcc: x@example.org"])
    def test_what_is_no_mailbox_is_refused(self, typed):
        assert refusal(policy_data.mailbox, typed) == "mailbox-malformed"


class TestOrganisations:
    @pytest.mark.parametrize("typed", [COMPANY, f"IT{COMPANY}", " 076 4352 0567 "])
    def test_a_partita_iva_is_stored_without_its_country(self, typed):
        assert policy_data.vat_number(typed, country="IT") == COMPANY

    @pytest.mark.parametrize("typed", ["07643520568", "00000000000", "0764352056", "abc", "FR83404833048"])
    def test_a_wrong_one_is_refused(self, typed):
        assert refusal(policy_data.vat_number, typed, country="IT") == "vat-invalid"

    def test_a_sole_proprietor_may_give_his_tax_code(self):
        assert policy_data.vat_number("rssmra85t10a562s", country="IT") == "RSSMRA85T10A562S"
        assert refusal(policy_data.vat_number, "RSSMRA85T10A562T", country="IT") == "vat-invalid"

    def test_abroad_the_number_is_kept_as_it_is_written_there(self):
        assert policy_data.vat_number("FR 83 404 833 048", country="FR") == "83404833048"
        assert policy_data.vat_number("EL094259216", country="GR") == "094259216"

    @pytest.mark.parametrize("typed", ["RM-1234567", "rm 123456", "MI/98765"])
    def test_a_rea_number_is_no_register_number_and_the_refusal_says_so(self, typed):
        assert refusal(policy_data.register_number, typed, country="IT") == "register-number-is-rea"

    @pytest.mark.parametrize("typed", ["07643520568", "1", "HRB 12345"])
    def test_a_wrong_register_number_is_refused(self, typed):
        assert refusal(policy_data.register_number, typed, country="IT") == "register-number-invalid"

    def test_a_foreign_register_number_is_kept(self):
        assert policy_data.register_number("hrb  12345", country="DE") == "HRB 12345"

    def test_a_lei_is_checked_to_its_last_digit(self):
        assert policy_data.register_number("5493001KJTIIGC8Y1R12", country="DE") == "5493001KJTIIGC8Y1R12"
        assert refusal(policy_data.register_number, "5493001KJTIIGC8Y1R13", country="DE") == "lei-invalid"

    def test_an_euid_belongs_to_its_country(self):
        assert policy_data.register_number("DED2601V.HRB12345", country="DE") == "DED2601V.HRB12345"
        assert refusal(policy_data.register_number, "FR7501.123456789", country="DE") == "euid-invalid"

    @pytest.mark.parametrize(("typed", "stored"), [("", ""), ("12-345-6789", "123456789"), ("123456789", "123456789")])
    def test_a_duns_number_may_be_left_out_or_written_with_dashes(self, typed, stored):
        assert policy_data.duns(typed) == stored

    @pytest.mark.parametrize("typed", ["000000000", "999999999", "12345678", "١٢٣٤٥٦٧٨٩"])
    def test_a_wrong_duns_number_is_refused(self, typed):
        assert refusal(policy_data.duns, typed) == "duns-invalid"

    def test_a_rea_number_is_stored_with_its_province(self):
        assert policy_data.rea_number("rm 1234567") == "RM-1234567"
        assert refusal(policy_data.rea_number, "1234567") == "rea-invalid"

    def test_a_country_is_one_of_the_list(self):
        assert policy_data.country_code(" it") == "IT"
        assert refusal(policy_data.country_code, "XX") == "country-unknown"
