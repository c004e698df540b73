"""Signatures made to last (B-LT, B-LTA): accepted as the plain ones are, and no stamp lets a forged one through."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import core, x509

from config.demo import trust_scheme
from pki.qualified_validation import Outcome, Verdict
from tests.smime.signature import long_life, mutations, responder, world
from tests.smime.signature.long_life import archived, chain, in_cms, revocation_values, stamped, stored, unsigned
from tests.smime.signature.responder import Said

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STALE = world.NOW - 2 * DAY


def alone(content: bytes) -> Outcome:
    """Judged by somebody who knows nothing of revocation himself."""
    return world.judged(content, believing=replace(world.trust(), revocation_lists=lambda _: ()))


def test_the_form_alone_does_not_say_whether_its_certificate_is_revoked():
    assert alone(world.pades()).verdict is Verdict.PENDING
    assert alone(world.cades()).verdict is Verdict.PENDING


def test_a_newer_list_in_the_file_that_revokes_counts_more_than_ours_that_does_not():
    stolen = world.scheme().signer(at=world.ISSUED_AT)
    content = stored(lists=(long_life.revocation_list(stolen),))(world.pades(by=stolen))

    assert world.judged(world.pades(by=stolen)).verdict is Verdict.ACCEPTED
    outcome = world.judged(content)
    assert (outcome.verdict, outcome.code) == (Verdict.REFUSED, "certificate-revoked")


def signer():
    return world.signer(long_life.responder_wish())


def fresh() -> tuple[bytes, ...]:
    return (long_life.revocation_list(),)


def answers() -> tuple[bytes, ...]:
    return (responder.answer(signer()),)


LASTING = {
    "PAdES with a stored list": lambda: stored(lists=fresh())(world.pades()),
    "PAdES with a stored answer": lambda: stored(answers=answers())(world.pades(by=signer())),
    "PAdES, stored and stamped": lambda: archived(world.pades()),
    "PAdES, stored, stamped, stored and stamped": lambda: archived(archived(world.pades())),
    "PAdES, stamped, then stored": lambda: stored(lists=fresh())(stamped(world.pades())),
    "PAdES with a note of the stamping program among its properties": lambda: chain(
        mutations.updated(mutations.title), archived
    )(world.pades()),
    "CAdES with a list": lambda: in_cms(lists=fresh())(world.cades()),
    "CAdES with an answer": lambda: in_cms(answers=answers())(world.cades(by=signer())),
    "CAdES with a bare answer": lambda: in_cms(answers=answers(), kind="bare")(world.cades(by=signer())),
    "CAdES with a list among its attributes": lambda: unsigned(revocation_values(lists=fresh()))(world.cades()),
    "CAdES with an answer among its attributes": lambda: unsigned(revocation_values(answers=answers()))(
        world.cades(by=signer())
    ),
    "CAdES around PAdES, both with lists": lambda: in_cms(lists=fresh())(
        world.cades(stored(lists=fresh())(world.pades()))
    ),
}


@pytest.mark.parametrize("made", LASTING.values(), ids=LASTING)
def test_what_the_file_brings_along_answers_where_nobody_else_does(made):
    outcome = alone(made())

    assert (outcome.verdict, outcome.code) == (Verdict.ACCEPTED, "signature-qualified")


@pytest.mark.parametrize("step", [stamped, stored(), chain(stored(), stamped)], ids=["stamped", "stored", "both"])
def test_our_own_list_serves_a_lasting_signature_too(step):
    assert world.judged(step(world.pades())).verdict is Verdict.ACCEPTED


OF_NO_USE = {
    "older than a day": lambda: stored(lists=(long_life.revocation_list(at=STALE),))(world.pades()),
    "outdated": lambda: stored(lists=(long_life.revocation_list(at=world.NOW - HOUR, days=0),))(world.pades()),
    "of a stranger": lambda: stored(lists=(trust_scheme.found(world.NOW).revocation_list(at=world.NOW - HOUR),))(
        world.pades()
    ),
    "an answer older than a day": lambda: stored(answers=(long_life.good(STALE),))(world.pades(by=signer())),
    "an answer about another": lambda: stored(answers=(responder.answer(world.signer()),))(world.pades(by=signer())),
    "an answer of a stranger": lambda: stored(
        answers=(responder.answer(signer(), Said(by=trust_scheme.found(world.NOW).authority)),)
    )(world.pades(by=signer())),
    "in CAdES, older than a day": lambda: in_cms(lists=(long_life.revocation_list(at=STALE),))(world.cades()),
    "in CAdES, an answer of a stranger": lambda: in_cms(
        answers=(responder.answer(signer(), Said(by=trust_scheme.found(world.NOW).authority)),)
    )(world.cades(by=signer())),
    "junk among the attributes": lambda: unsigned((long_life.REVOCATION_VALUES, core.Integer(7)))(world.cades()),
}


@pytest.mark.parametrize("made", OF_NO_USE.values(), ids=OF_NO_USE)
def test_what_is_old_or_forged_answers_nothing_and_is_asked_for(made):
    outcome = alone(made())

    assert (outcome.verdict, outcome.code) == (Verdict.PENDING, "revocation-unknown")
    assert outcome.wanted or outcome.questions


def test_a_list_in_the_file_that_names_the_signer_refuses_him():
    revoked = long_life.revocation_list(world.signer())

    assert alone(stored(lists=(revoked,))(world.pades())).code == "certificate-revoked"
    assert alone(in_cms(lists=(revoked,))(world.cades())).code == "certificate-revoked"


def test_our_own_list_stands_above_the_answer_that_the_signer_has_chosen():
    content = stored(lists=fresh(), answers=answers())(world.pades(by=signer()))

    outcome = world.judged(content, believing=world.trust(revoked=(signer(),)))

    assert outcome.code == "certificate-revoked"


def test_a_time_stamp_saves_no_certificate_that_was_revoked_or_has_expired_since():
    revoked = world.judged(archived(world.pades()), believing=world.trust(revoked=(world.signer(),)))
    expired = world.judged(archived(world.pades()), at=world.NOW + 1000 * DAY)

    assert revoked.code == "certificate-revoked"
    assert expired.verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize("change", long_life.FORGED.values(), ids=long_life.FORGED)
def test_no_archive_lets_a_forged_document_through(change):
    outcome = world.judged(change(world.pades()))

    assert outcome.verdict in {Verdict.REFUSED, Verdict.FOR_OFFICER}
    assert outcome.code


def test_each_of_them_starts_from_what_is_accepted():
    assert world.judged(archived(world.pades())).verdict is Verdict.ACCEPTED
    assert len(long_life.FORGED) >= 25


STAMPS = (long_life.SIGNATURE_STAMP, long_life.ARCHIVE_STAMP)


@pytest.mark.parametrize("kind", STAMPS, ids=["signature", "archive"])
@pytest.mark.parametrize("imprint", [b"questo", b"altro"], ids=["one", "another"])
def test_stamps_in_a_cms_prove_nothing(kind, imprint):
    stamp = long_life.time_stamp(hashlib.sha256(imprint).digest())
    with_stamp = unsigned((kind, stamp))

    assert world.judged(with_stamp(world.cades())).verdict is Verdict.ACCEPTED
    for name in ("a byte of the document", "another digest", "without the document"):
        assert world.judged(mutations.CMS[name](with_stamp(world.cades()))).verdict is Verdict.REFUSED


def test_certificates_among_the_attributes_complete_a_path_and_are_no_trust():
    stranger = trust_scheme.found(world.NOW)
    values = core.SequenceOf([x509.Certificate.load(stranger.authority.der)], spec=x509.Certificate)
    content = world.cades(by=stranger.signer(at=world.ISSUED_AT))

    outcome = world.judged(unsigned((long_life.CERTIFICATE_VALUES, values))(content))

    assert outcome.verdict is Verdict.REFUSED
