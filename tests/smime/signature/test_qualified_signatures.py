"""Which signed forms prove who the signer is: pyHanko against trusted lists, with what it leaves to its caller."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from config.demo import trust_scheme
from config.demo.trust_scheme import Wish
from pki.qualified_person import Person
from pki.qualified_revocation import Trust
from pki.qualified_validation import Verdict
from tests.smime.signature import world


def armoured(content: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(content) + b"-----END PKCS7-----\n"


ACCEPTED = {
    "PAdES": world.pades,
    "CAdES": world.cades,
    "CAdES in base64, as Italian programs write it": lambda: base64.encodebytes(world.cades()),
    "CAdES in PEM": lambda: armoured(world.cades()),
    "CAdES around CAdES": lambda: world.cades(world.cades()),
    "CAdES around base64 of CAdES": lambda: world.cades(base64.encodebytes(world.cades())),
    "CAdES around PAdES": lambda: world.cades(world.pades()),
    "three layers": lambda: world.cades(world.cades(world.pades())),
}


@pytest.mark.parametrize("made", ACCEPTED.values(), ids=ACCEPTED)
def test_our_form_with_a_qualified_signature_of_the_person_is_accepted(made):
    outcome = world.judged(made())

    assert (outcome.verdict, outcome.code) == (Verdict.ACCEPTED, "signature-qualified")
    assert outcome.matches_person
    assert {layer["device"] for layer in outcome.report["layers"]} == {"QSCD"}


def test_a_report_keeps_what_the_verdict_rests_on_without_naming_anybody():
    report = world.judged(world.pades()).report

    layer = report["layers"][0]
    assert layer["indication"] == "AdESPassed.OK"
    assert layer["revocation_lists"]
    assert base64.b64decode(layer["issuers"][0]) == world.scheme().authority.der
    assert "BNCGLI85C41F205O" not in str(report)
    assert "Bianchi" not in str(report)


REFUSED = {
    "not qualified, as editors make themselves": (Wish(qualified=False), "certificate-unqualified"),
    "qualified without a device": (Wish(device=False), "device-unqualified"),
    "a company's seal": (Wish(purpose="0.4.0.1862.1.6.2"), "certificate-unqualified"),
    "for web sites": (Wish(purpose="0.4.0.1862.1.6.3"), "certificate-unqualified"),
    "without nonRepudiation": (Wish(commitment=False), "certificate-not-for-signing"),
    "expired": (Wish(life=timedelta(days=2)), "certificate-expired"),
    "under a pseudonym": (Wish(pseudonym="Volpe"), "person-pseudonym"),
    "another person's": (Wish(serial_number="TINIT-RSSMRA80A01H501U"), "person-other"),
    "of the omocodic twin": (Wish(serial_number="TINIT-BNCGLI85C41F20RJ"), "person-other"),
}


@pytest.mark.parametrize(("wish", "code"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("form", [world.pades, world.cades], ids=["PAdES", "CAdES"])
def test_a_certificate_that_is_no_persons_qualified_one_is_refused(wish, code, form):
    outcome = world.judged(form(by=world.signer(wish)))

    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, code)


def test_a_certificate_that_begins_tomorrow_is_refused():
    tomorrow = world.scheme().signer(at=world.NOW + timedelta(days=1))

    assert world.judged(world.cades(by=tomorrow)).verdict is Verdict.REFUSED


FOR_OFFICER = {
    "no tax code in the certificate": (Wish(serial_number=""), "person-unmatched"),
    "a foreigner's passport number": (Wish(serial_number="PASFR-12AB34567"), "person-unmatched"),
    "the right tax code with another surname": (Wish(surname="Verdi"), "person-names-differ"),
}


@pytest.mark.parametrize(("wish", "code"), FOR_OFFICER.values(), ids=FOR_OFFICER)
def test_what_only_a_person_can_match_goes_to_an_officer(wish, code):
    outcome = world.judged(world.pades(by=world.signer(wish)))

    assert (outcome.verdict, outcome.code) == (Verdict.FOR_OFFICER, code)
    assert not outcome.matches_person


NAMES = {
    "second given name left out": (Wish(given_name="Giulia Maria"), Person("Giulia", "Bianchi", "BNCGLI85C41F205O")),
    "accents and apostrophes": (Wish(surname="D'AMICO"), Person("Giulia", "D’Àmico", "BNCGLI85C41F205O")),
    "hyphen or blank": (Wish(surname="BIANCHI VERDI"), Person("Giulia", "Bianchi-Verdi", "BNCGLI85C41F205O")),
    "written together": (Wish(surname="DE ROSSI"), Person("Giulia", "Derossi", "BNCGLI85C41F205O")),
    "older form of the number": (Wish(serial_number="IT:BNCGLI85C41F205O"), world.PERSON),
}


@pytest.mark.parametrize(("wish", "person"), NAMES.values(), ids=NAMES)
def test_names_are_compared_as_people_write_them(wish, person):
    assert world.judged(world.cades(by=world.signer(wish)), person=person).verdict is Verdict.ACCEPTED


def test_a_revoked_certificate_is_refused():
    revoked = world.scheme().signer(at=world.ISSUED_AT)

    outcome = world.judged(world.pades(by=revoked), believing=world.trust(revoked=(revoked,)))

    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "certificate-revoked")


def test_without_a_revocation_list_nothing_is_decided_and_its_address_is_wanted():
    outcome = world.judged(world.pades(), believing=replace(world.trust(), revocation_lists=lambda _: ()))

    assert (outcome.verdict, outcome.code) == (Verdict.PENDING, "revocation-unknown")
    assert outcome.wanted == (trust_scheme.REVOCATION_LIST,)


def test_an_outdated_revocation_list_is_none():
    outcome = world.judged(world.pades(), believing=world.trust(crl_days=0))

    assert (outcome.verdict, outcome.code) == (Verdict.PENDING, "revocation-unknown")


def test_a_revocation_list_signed_by_somebody_else_is_none():
    forger = trust_scheme.found(world.NOW)
    forged = forger.revocation_list(at=world.NOW - timedelta(days=1))

    outcome = world.judged(world.pades(), believing=replace(world.trust(), revocation_lists=lambda _: (forged,)))

    assert outcome.verdict is Verdict.PENDING


def test_a_wrong_signer_is_refused_at_once_though_revocation_is_unknown():
    believing = replace(world.trust(), revocation_lists=lambda _: ())

    unqualified = world.judged(world.pades(by=world.signer(Wish(qualified=False))), believing=believing)
    stranger = world.judged(
        world.pades(by=world.signer(Wish(serial_number="TINIT-RSSMRA80A01H501U"))), believing=believing
    )

    assert (unqualified.verdict, unqualified.code) == (Verdict.REFUSED, "certificate-unqualified")
    assert (stranger.verdict, stranger.code) == (Verdict.REFUSED, "person-other")


def test_an_issuer_on_no_list_is_refused_and_its_addresses_are_not_wanted():
    stranger = trust_scheme.found(world.NOW).signer(
        Wish(revocation_list="http://169.254.169.254/latest"), at=world.ISSUED_AT
    )

    outcome = world.judged(world.pades(by=stranger))

    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "issuer-unlisted")
    assert outcome.wanted == ()


def test_an_issuer_of_a_country_whose_list_is_outdated_is_being_checked_not_refused():
    stranger = trust_scheme.found(world.NOW).signer(at=world.ISSUED_AT)
    believing = replace(world.trust(), uncertain=frozenset({"IT"}))

    outcome = world.judged(world.pades(by=stranger), believing=believing)

    assert (outcome.verdict, outcome.code) == (Verdict.PENDING, "list-outdated")


def test_a_service_withdrawn_on_the_list_is_refused():
    outcome = world.judged(world.pades(), believing=world.trust(status=trust_scheme.WITHDRAWN))

    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "issuer-unlisted")


def test_sha_1_is_refused():
    outcome = world.judged(world.cades(digest="sha1"))

    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "algorithm-weak")


@pytest.mark.parametrize("outer", [Wish(), Wish(serial_number="TINIT-RSSMRA80A01H501U")], ids=["revoked", "stranger"])
def test_every_layer_counts(outer):
    second = world.scheme().signer(outer, at=world.ISSUED_AT)
    believing = world.trust(revoked=(second,)) if outer == Wish() else world.trust()

    outcome = world.judged(world.cades(world.pades(), by=second), believing=believing)

    assert outcome.verdict is Verdict.REFUSED


@pytest.mark.parametrize("minutes", [-300, 300], ids=["before the form was made", "after it was received"])
def test_an_impossible_signing_time_goes_to_an_officer(minutes):
    moved = trust_scheme.sign_pdf(world.form_pdf(), world.signer(), at=world.NOW + timedelta(minutes=minutes))

    outcome = world.judged(moved)

    assert (outcome.verdict, outcome.code) == (Verdict.FOR_OFFICER, "signing-time-odd")


def test_nobody_on_the_lists_means_nobody_is_trusted():
    from pki import trust_lists

    empty = Trust(trust_lists.registry([])[0])

    assert world.judged(world.pades(), believing=empty).verdict is Verdict.REFUSED


JUNK = [
    b"",
    b"0",
    b"%PDF-",
    b"%PDF-1.7\n%%EOF",
    b"\x30\x82\xff\xff",
    b"\x30\x80\x00\x00",
    b"AAAA" * 99,
    bytes(range(256)) * 9,
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_is_refused_with_a_code(junk):
    outcome = world.judged(junk)

    assert outcome.verdict is Verdict.REFUSED
    assert outcome.code
