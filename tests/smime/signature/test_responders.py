"""Where a CA offers a responder (OCSP): what it answers decides, when it is fresh, genuine and about this certificate."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from config.demo import trust_scheme
from config.demo.trust_scheme import Wish
from pki import qualified_validation
from pki.qualified_validation import Form, Outcome
from smime.models import RevocationSource
from smime.services import signature_verdicts, status_answers, trusted_lists
from smime.states import Verdict
from tests.smime.signature import orders, responder, web, world
from tests.smime.signature.responder import Said

committed = pytest.mark.usefixtures("committed")
ONLY_OCSP = Wish(revocation_list="", responder=responder.ADDRESS)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
LATER = world.NOW + timedelta(days=30)


def signer():
    return world.signer(ONLY_OCSP)


def judged_with(*answers: bytes) -> Outcome:
    believing = replace(world.trust(), revocation_lists=lambda _: (), answers=answers)
    return world.judged(world.pades(by=signer()), believing=believing)


def test_the_question_names_the_certificate_and_goes_to_the_address_in_it():
    outcome = judged_with()

    (question,) = outcome.questions
    read = ocsp.load_der_ocsp_request(question.body)
    assert (outcome.verdict.value, outcome.code, outcome.wanted) == ("pending", "revocation-unknown", ())
    assert question.responder == responder.ADDRESS
    assert read.serial_number == signer().certificate.serial_number
    assert isinstance(read.hash_algorithm, hashes.SHA1)


def delegated(**how) -> Said:
    made = responder.delegate(**how)
    return Said(by=made, carried=(made,))


def stranger():
    return trust_scheme.found(world.NOW)


ANSWERS = {
    "good": (Said, "accepted"),
    "good, by the CA's delegate": (delegated, "accepted"),
    "good, a moment younger than the work on it": (lambda: Said(since=world.NOW + timedelta(seconds=40)), "accepted"),
    "good, without a next update, just now": (lambda: Said(since=world.NOW, until=None), "accepted"),
    "revoked": (lambda: Said(REVOKED, x509.ReasonFlags.key_compromise), "refused"),
    "on hold": (lambda: Said(REVOKED, x509.ReasonFlags.certificate_hold), "refused"),
    "unknown": (lambda: Said(UNKNOWN), "pending"),
    "outdated": (lambda: Said(until=world.NOW - timedelta(minutes=1)), "pending"),
    "eight days old, for a month": (lambda: Said(since=world.NOW - timedelta(days=8), until=LATER), "pending"),
    "two hours old without a next update": (
        lambda: Said(since=world.NOW - timedelta(hours=2), until=None),
        "pending",
    ),
    "of tomorrow": (lambda: Said(since=world.NOW + timedelta(days=1), until=LATER), "pending"),
    "forged by a stranger of the same name": (lambda: Said(by=stranger().authority), "pending"),
    "forged, with the stranger's certificate": (
        lambda: Said(by=(other := stranger().authority), carried=(other,)),
        "pending",
    ),
    "by a delegate who may not answer": (lambda: delegated(purpose=ExtendedKeyUsageOID.CLIENT_AUTH), "pending"),
    "by a delegate whose time is over": (lambda: delegated(life=timedelta(days=1)), "pending"),
    "by a delegate of another CA": (lambda: delegated(issuer=stranger().authority), "pending"),
    "by another holder of the same CA": (
        lambda: Said(by=(other := world.signer(Wish(given_name="Anna"))), carried=(other,)),
        "pending",
    ),
    "about the same number of another CA": (
        lambda: Said(issuer=world.scheme().supervisor, by=world.scheme().authority),
        "pending",
    ),
}


@pytest.mark.parametrize(("said", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_counts_when_it_is_fresh_and_genuine(said, verdict):
    outcome = judged_with(responder.answer(signer(), said()))

    assert outcome.verdict.value == verdict
    if verdict == "refused":
        assert outcome.code == "certificate-revoked"
    if verdict == "pending":
        assert outcome.questions


def _with_another_signature() -> bytes:
    der = bytearray(responder.answer(signer()))
    der[-1] ^= 1
    return bytes(der)


NONE = {
    "another's": lambda: responder.answer(world.signer()),
    "a broken signature": _with_another_signature,
    "try later": lambda: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
        Encoding.DER
    ),
    "a page": lambda: b"<html>ok</html>",
    "nothing": lambda: b"",
    "half of it": lambda: responder.answer(signer())[:200],
    "something behind it": lambda: responder.answer(signer()) + b"\0",
}


@pytest.mark.parametrize("made", NONE.values(), ids=NONE)
def test_what_is_no_answer_decides_nothing(made):
    assert judged_with(made()).verdict is qualified_validation.Verdict.PENDING


def test_revoked_counts_beside_any_number_of_other_answers():
    good, revoked = responder.answer(signer()), responder.answer(signer(), Said(REVOKED, since=world.NOW))

    assert judged_with(good, revoked).code == "certificate-revoked"


def test_the_report_keeps_the_answer():
    given = responder.answer(signer())
    layer = judged_with(given).report["layers"][0]

    assert [base64.b64decode(each) for each in layer["status_answers"]] == [given]


def test_an_unlisted_issuers_responder_is_not_asked():
    someone = stranger().signer(ONLY_OCSP, at=world.ISSUED_AT)

    outcome = world.judged(world.pades(by=someone))

    assert (outcome.code, outcome.questions) == ("issuer-unlisted", ())


def test_both_layers_of_a_file_are_asked_about():
    other = world.scheme().signer(ONLY_OCSP, at=world.ISSUED_AT)
    form = Form(world.form_pdf(), world.MARKERS, world.CREATED_AT, world.NOW)
    content = world.cades(world.pades(by=signer()), by=other)
    believing = replace(world.trust(), revocation_lists=lambda _: ())

    outcome = qualified_validation.validate(content, form, world.PERSON, believing, at=world.NOW)

    asked = {ocsp.load_der_ocsp_request(each.body).serial_number for each in outcome.questions}
    assert asked == {signer().certificate.serial_number, other.certificate.serial_number}


@pytest.fixture
def lists(tmp_path, settings):
    """Lists in force, and nobody's revocation list."""
    world.scheme().write(tmp_path, at=world.NOW - timedelta(hours=1))
    (tmp_path / "firma.crl").unlink()
    settings.SMIME = settings.SMIME.model_copy(update={"trusted_lists_folder": str(tmp_path)})
    trusted_lists.refresh(at=world.NOW)


@pytest.fixture
def net():
    with web.net() as made:
        yield made


def replies(net, status=200, headers=None, *, made=None):
    """Let the responder answer over HTTP."""

    def page(asked):
        assert asked.headers["content-type"] == "application/ocsp-request"
        ocsp.load_der_ocsp_request(asked.body)
        return web.Reply(made() if made else responder.answer(signer()), status, headers or {})

    net.pages[responder.ADDRESS] = page


@committed
@pytest.mark.parametrize(("said", "verdict"), [(Said(), Verdict.ACCEPTED), (Said(REVOKED), Verdict.REFUSED)])
def test_a_form_is_judged_at_once_by_asking(net, lists, said, verdict):
    replies(net, made=lambda: responder.answer(signer(), said))
    report = orders.sent(order := orders.order_of("sv"), orders.signed(orders.form_of(order), signer()))

    signature_verdicts.validate(report.pk, at=orders.NOW, ask=net.web().post)

    report.refresh_from_db()
    assert report.verdict == verdict
    assert report.report["layers"][0]["status_answers"]
    assert net.addresses() == [responder.ADDRESS]


@committed
def test_a_form_waits_for_a_responder_that_is_away_and_asks_again(net, lists):
    replies(net, status=503)
    report = orders.sent(order := orders.order_of("sv"), orders.signed(orders.form_of(order), signer()))

    signature_verdicts.validate(report.pk, at=orders.NOW, ask=net.web().post)
    report.refresh_from_db()
    assert (report.verdict, report.code) == (Verdict.PENDING, "revocation-unknown")
    assert report.next_attempt_at == orders.NOW + timedelta(minutes=1)
    assert not RevocationSource.objects.filter(address=responder.ADDRESS).exists()

    replies(net)
    signature_verdicts.validate(report.pk, at=orders.NOW + timedelta(minutes=1), ask=net.web().post)
    report.refresh_from_db()
    assert report.verdict == Verdict.ACCEPTED


TROUBLE = {
    "an error": lambda: web.Reply(responder.answer(signer()), 500),
    "elsewhere": lambda: web.Reply(b"", 302, {"Location": responder.ADDRESS}),
    "far too much": lambda: web.Reply(b"\0" * 300_000),
    "cut short": lambda: web.Reply(b"\0", length=10),
}


@pytest.mark.parametrize("reply", TROUBLE.values(), ids=TROUBLE)
def test_trouble_with_one_responder_leaves_the_others_answers(net, reply):
    net.pages[responder.ADDRESS] = lambda _: reply()
    net.put("http://altro.example.org/", b"risposta")
    (question,) = judged_with().questions

    answers = status_answers.asked([question, replace(question, responder="http://altro.example.org/")], net.web().post)

    assert answers == (b"risposta",)
