"""A signature is used again while nothing has changed; it never outlives the state that it was made for."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.x509 import ocsp

from authority import policy
from authority.services import ocsp as responder
from authority.services.ocsp import respond
from pki.gateway import RevocationReason
from tests.authority import asking
from tests.authority.asking import AT, later
from tests.authority.test_ocsp import question


def asked(der: bytes, at=AT) -> bytes:
    return respond("cns", der, at=at).der


def test_the_same_question_gets_the_same_answer_for_some_minutes(gateway, issued):
    first = asked(question(issued))

    assert asked(question(issued), later(seconds=1)) == first
    assert asked(question(issued), AT + policy.OCSP_KEPT - timedelta(seconds=1)) == first
    renewed = ocsp.load_der_ocsp_response(asked(question(issued), AT + policy.OCSP_KEPT))
    assert renewed.this_update_utc == AT + policy.OCSP_KEPT


def test_an_answer_from_the_future_is_not_given_when_the_clock_steps_back(gateway, issued):
    asked(question(issued), later(seconds=60))

    assert ocsp.load_der_ocsp_response(asked(question(issued))).this_update_utc == AT


def test_each_change_shows_at_once_also_the_way_back(gateway, issued):
    """The good of before the hold does not come back: its date lies before the hold."""
    asked(question(issued))
    seen = []
    for second, order in enumerate([gateway.hold, gateway.release, gateway.hold, gateway.release], start=1):
        order(issued.ref, request_id=uuid4(), at=later(seconds=second))
        seen.append(ocsp.load_der_ocsp_response(asked(question(issued), later(seconds=second))))

    good, revoked = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
    assert [answer.certificate_status for answer in seen] == [revoked, good, revoked, good]
    assert [answer.this_update_utc for answer in seen] == [later(seconds=second) for second in (1, 2, 3, 4)]


def test_a_hold_and_release_between_two_questions_leave_no_older_answer(gateway, issued):
    """As with two web processes, of which one was not asked while the certificate was on hold."""
    asked(question(issued))
    gateway.hold(issued.ref, request_id=uuid4(), at=later(seconds=1))
    gateway.release(issued.ref, request_id=uuid4(), at=later(seconds=2))

    answer = ocsp.load_der_ocsp_response(asked(question(issued), later(seconds=3)))

    assert answer.this_update_utc == later(seconds=3)


def test_a_nonce_is_always_signed_anew(gateway, issued):
    asked(question(issued))

    with_nonce = ocsp.load_der_ocsp_response(asked(question(issued, nonce=b"n" * 16), later(seconds=9)))

    assert with_nonce.this_update_utc == later(seconds=9)


def test_unknown_is_not_kept_and_becomes_good_with_the_issuance(gateway, issued):
    stranger = question(issued, serial=policy.new_serial())

    assert respond("cns", stranger, at=AT).kept is None


def test_answers_at_hand_are_bounded(gateway, issued, monkeypatch):
    monkeypatch.setattr(responder, "_SIGNED", responder._SignedAnswers(most=2))
    others = [gateway.issue(asking.request(), at=AT) for _ in range(3)]

    firsts = [asked(question(other)) for other in others]

    assert len(responder._SIGNED._answers) == 2
    gateway.revoke(others[2].ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT)
    assert asked(question(others[2])) != firsts[2]


@pytest.mark.parametrize("name", ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"])
def test_every_hash_that_a_request_may_use_is_answered(gateway, issued, name):
    from cryptography.hazmat.primitives import hashes

    from pki import lint

    der = asked(question(issued, getattr(hashes, name)()))

    assert ocsp.load_der_ocsp_response(der).certificate_status is ocsp.OCSPCertStatus.GOOD
    lint.require_clean_ocsp(der)
