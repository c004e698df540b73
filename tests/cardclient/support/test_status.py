"""Chain and status of a certificate: only the issuer is believed, and what cannot be asked is said."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from cardclient.support.status import LARGEST, Chain, HttpWeb, Status, standing
from tests.cardclient.support.authority import DER, NOW, MemoryWeb, PublishingAuthority

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def authority():
    return PublishingAuthority()


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue(KEY.public_key())


def found(certificate, web, *known, now=NOW):
    return standing(certificate, known, web, now=now)


def test_a_good_certificate_is_good_by_ocsp_and_its_issuer_is_fetched(authority, certificate):
    web = MemoryWeb(ca_cer=authority.certificate.public_bytes(DER), ocsp=authority.ocsp(certificate))
    told = found(certificate, web)
    assert (told.chain, told.status, told.told_by, told.issuer) == (Chain.COMPLETE, Status.GOOD, "ocsp", "Prova CA 2")
    assert told.stands
    assert web.asked == ["http://ca.example.org/ca.cer", "http://ca.example.org/ocsp application/ocsp-request"]


def test_an_issuer_on_the_card_is_not_fetched(authority, certificate):
    web = MemoryWeb(ocsp=authority.ocsp(certificate))
    assert found(certificate, web, authority.certificate).status is Status.GOOD
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (ocsp.OCSPCertStatus.REVOKED, None, Status.REVOKED),
        (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.key_compromise, Status.REVOKED),
        (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.certificate_hold, Status.HELD),
    ],
)
def test_revoked_and_held_are_told_apart_by_ocsp(authority, certificate, status, reason, told):
    web = MemoryWeb(ocsp=authority.ocsp(certificate, status=status, reason=reason))
    answer = found(certificate, web, authority.certificate)
    assert answer.status is told
    assert not answer.stands


def test_an_unknown_certificate_is_unknown_unless_the_list_knows_better(authority, certificate):
    unknown = authority.ocsp(certificate, status=ocsp.OCSPCertStatus.UNKNOWN)
    assert found(certificate, MemoryWeb(ocsp=unknown), authority.certificate).status is Status.UNREACHABLE
    listed = MemoryWeb(**{"ocsp": unknown, "2026_crl": authority.crl()})
    assert found(certificate, listed, authority.certificate).status is Status.GOOD


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (None, Status.REVOKED),
        (x509.ReasonFlags.superseded, Status.REVOKED),
        (x509.ReasonFlags.certificate_hold, Status.HELD),
    ],
)
def test_without_ocsp_the_list_is_read(authority, certificate, reason, told):
    web = MemoryWeb(**{"2026_crl": authority.crl((certificate.serial_number, reason))})
    answer = found(certificate, web, authority.certificate)
    assert (answer.status, answer.told_by) == (told, "crl")


def test_a_delegated_responder_is_believed(authority, certificate):
    web = MemoryWeb(ocsp=authority.ocsp(certificate, signer=authority.responder()))
    assert found(certificate, web, authority.certificate).status is Status.GOOD


def test_nobody_else_is_believed(authority, certificate):
    other = PublishingAuthority("Altra CA")
    answers = [
        authority.ocsp(certificate, signer=authority.responder(usage=ExtendedKeyUsageOID.CLIENT_AUTH)),
        authority.ocsp(certificate, signer=(other.key, other.certificate)),
        authority.ocsp(certificate, signer=other.responder()),
        authority.ocsp(certificate, at=NOW - timedelta(days=3)),
        authority.ocsp(certificate, at=NOW + timedelta(days=3)),
        authority.ocsp(authority.issue(KEY.public_key())),
        b"<html>",
    ]
    for answer in answers:
        web = MemoryWeb(**{"ocsp": answer, "2026_crl": authority.crl(key=other.key)})
        told = found(certificate, web, authority.certificate)
        assert (told.status, told.stands) == (Status.UNPROVEN, True)


def test_an_old_list_is_no_proof(authority, certificate):
    web = MemoryWeb(**{"2026_crl": authority.crl(at=NOW - timedelta(days=9))})
    assert found(certificate, web, authority.certificate).status is Status.UNPROVEN


def test_what_cannot_be_reached_is_said_and_speaks_against_nothing(authority, certificate):
    told = found(certificate, MemoryWeb(), authority.certificate)
    assert (told.chain, told.status, told.stands) == (Chain.COMPLETE, Status.UNREACHABLE, True)


def test_without_an_issuer_nothing_is_asked(certificate):
    web = MemoryWeb()
    assert found(certificate, web).chain is Chain.INCOMPLETE
    assert web.asked == ["http://ca.example.org/ca.cer"]


def test_a_certificate_of_another_hand_breaks_the_chain(authority):
    forged = authority.issue(KEY.public_key(), signed_by=KEY)
    told = found(forged, MemoryWeb(), authority.certificate)
    assert (told.chain, told.stands) == (Chain.BROKEN, False)


def test_a_certificate_that_names_no_place_is_said_to(authority):
    silent = authority.issue(KEY.public_key(), ocsp_at=False, crl_at=False, aia=False)
    assert found(silent, MemoryWeb(), authority.certificate).status is Status.NOT_TOLD


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(302, headers={"Location": "http://other.example.org/"}),
        httpx.Response(200, content=b"x" * (LARGEST + 1)),
    ],
)
def test_the_web_takes_plain_answers_of_bearable_size_only(answer):
    web = HttpWeb(httpx.MockTransport(lambda _request: answer))
    assert web.get("http://ca.example.org/ca.cer") is None
    web.close()


def test_the_web_speaks_http_only_and_survives_a_dead_line():
    def dead(_request):
        raise httpx.ConnectError("no")

    web = HttpWeb(httpx.MockTransport(dead))
    assert web.get("http://ca.example.org/ca.cer") is None
    assert web.post("ldap://ca.example.org/", b"", "x") is None
    assert web.get("file:///etc/passwd") is None
    web.close()
