"""Asking a CA's responder about one certificate (OCSP, RFC 6960), and which answers are worth looking at.

Whether an answer is genuine is the validation's question, which follows the path to the issuer; here it is only read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asn1crypto import algos, core, ocsp, x509

from pki.qualified_files import sha256

LARGEST = 256 * 1024
MEDIA_TYPE = "application/ocsp-request"
SKEW = timedelta(minutes=5)
"""What is dated so little into the future is a clock's fault, not a lie."""
OLDEST_ASKED = timedelta(days=7)
"""An answer that was asked for counts until its next update, and no longer than this."""
OLDEST_EMBEDDED = timedelta(hours=24)
"""An answer or list that the signed file brings along: the signer has chosen it, so it has to be of the last day."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which responder (http or https address)."""

    responder: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """For when an answer or list speaks; without an end it invites to ask again at any time."""

    since: datetime
    until: datetime | None

    def is_fresh(self, at: datetime, oldest: timedelta) -> bool:
        """Tell whether it may be used at this instant, being no older than `oldest`."""
        return at - oldest <= self.since <= at + SKEW and (self.until is None or at <= self.until)


def questions_about(certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[Question, ...]:
    """Ask each responder that the certificate names. No nonce: stored answers serve, and their dates are looked at.

    The certificate is named with SHA-1, as RFC 5019 §2.1.1 wants: many responders know no other. Nothing rests on it
    but the choice of the answer, which is compared with the issuer's name, key and the serial number again.
    """
    urls = [str(url) for url in certificate.ocsp_urls if str(url).startswith(("http://", "https://"))]
    body = _request(certificate, issuer)
    return tuple(Question(url, body) for url in dict.fromkeys(urls))


def readable(answers: Iterable[bytes], at: datetime, oldest: timedelta) -> tuple[ocsp.OCSPResponse, ...]:
    """Keep the answers that are successful and fresh in every part; junk, errors and old ones are no answers."""
    return tuple(found for each in answers if (found := _loaded(each)) is not None and _is_fresh(found, at, oldest))


def digests(answers: Iterable[ocsp.OCSPResponse]) -> list[str]:
    """Identify answers in reports."""
    return [sha256(each.dump()) for each in answers]


def _request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    named = ocsp.CertId(
        {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha1", "parameters": core.Null()}),
            "issuer_name_hash": certificate.issuer.sha1,
            "issuer_key_hash": issuer.public_key.sha1,
            "serial_number": certificate.serial_number,
        }
    )
    request = ocsp.TBSRequest({"request_list": [ocsp.Request({"req_cert": named})]})
    encoded: bytes = ocsp.OCSPRequest({"tbs_request": request}).dump()
    return encoded


def _loaded(encoded: bytes) -> ocsp.OCSPResponse | None:
    try:
        answer = ocsp.OCSPResponse.load(encoded, strict=True)
        if answer["response_status"].native != "successful" or not _spans(answer):
            return None
    except (ValueError, TypeError, KeyError):
        return None
    return answer


def _is_fresh(answer: ocsp.OCSPResponse, at: datetime, oldest: timedelta) -> bool:
    return all(span.is_fresh(at, oldest) for span in _spans(answer))


def _spans(answer: ocsp.OCSPResponse) -> list[Span]:
    single = answer["response_bytes"]["response"].parsed["tbs_response_data"]["responses"]
    return [Span(each["this_update"].native, each["next_update"].native) for each in single]
