"""Chain and status of a certificate, asked where the certificate says: AIA, OCSP (RFC 6960), CRL (RFC 5280).

Serves the card's check only: it tells, it decides nothing. What cannot be reached is said to be unreachable, and an
answer counts only when it bears the issuer's signature and is of these days.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

LOG = logging.getLogger("cardclient.support")
LARGEST = 32 * 1024 * 1024  # bytes; a national card's list is large
LONGEST_CHAIN = 5
TIMEOUT = httpx.Timeout(15.0, connect=10.0)
SKEW = timedelta(minutes=10)  # how far the authority's clock may be ahead of ours
BROKEN = (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm)


class Chain(enum.StrEnum):
    """How far a certificate's issuers could be followed; whether the root is to be trusted is not judged here."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"  # an issuer was not found, or not reached
    BROKEN = "broken"  # an issuer was found, and has not signed it


class Status(enum.StrEnum):
    """What the authority says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    HELD = "held"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    UNPROVEN = "unproven"  # answered, but not by the issuer, or not for today
    NOT_TOLD = "not-told"  # the certificate names neither OCSP nor CRL


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found of one certificate; `told_by` is `ocsp`, `crl` or empty."""

    chain: Chain
    issuer: str
    status: Status
    told_by: str

    @property
    def stands(self) -> bool:
        """Whether nothing speaks against the certificate; what could not be asked does not."""
        return self.chain is not Chain.BROKEN and self.status not in {Status.REVOKED, Status.HELD, Status.UNKNOWN}


class Web(Protocol):
    """Where authorities publish. Each call returns the body of a 200 answer, or None."""

    def get(self, address: str) -> bytes | None:
        """Fetch a certificate or a list."""

    def post(self, address: str, body: bytes, kind: str) -> bytes | None:
        """Send a question with its content type."""


class HttpWeb:
    """The web through the client's own transport (proxies, trust); follows no redirect, sends only the question."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        """Use the transport that reaches the office too."""
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False)

    def get(self, address: str) -> bytes | None:
        """See `Web.get`."""
        return self._ask("GET", address, None, {})

    def post(self, address: str, body: bytes, kind: str) -> bytes | None:
        """See `Web.post`."""
        return self._ask("POST", address, body, {"Content-Type": kind})

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _ask(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> bytes | None:
        if not address.startswith(("http://", "https://")):
            return None
        content = bytearray()
        try:
            with self._http.stream(method, address, content=body, headers=headers) as answer:
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST:
                        return None
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            LOG.info("%s of an authority failed: %s", method, type(problem).__name__)
            return None
        return bytes(content) if answer.status_code == httpx.codes.OK else None


def standing(certificate: x509.Certificate, known: Sequence[x509.Certificate], web: Web, *, now: datetime) -> Standing:
    """Follow a certificate's issuers (among those known, else by AIA) and ask for its status."""
    issuers, chain = _follow(certificate, known, web)
    if not issuers or chain is Chain.BROKEN:
        return Standing(chain, _title(certificate.issuer), Status.UNPROVEN, "")
    told_by, status = "", Status.NOT_TOLD
    for way, asked in (("ocsp", _by_ocsp), ("crl", _by_crl)):
        answer = asked(certificate, issuers[0], web, now)
        if answer is not Status.NOT_TOLD:
            told_by, status = way, answer
        if answer in {Status.GOOD, Status.REVOKED, Status.HELD}:
            break
    return Standing(chain, _title(certificate.issuer), status, told_by)


def _follow(
    certificate: x509.Certificate, known: Sequence[x509.Certificate], web: Web
) -> tuple[list[x509.Certificate], Chain]:
    issuers: list[x509.Certificate] = []
    subject = certificate
    while subject.issuer != subject.subject:
        candidates = [each for each in known if each.subject == subject.issuer] or list(_published(subject, web))
        if not candidates or len(issuers) == LONGEST_CHAIN:
            return issuers, Chain.INCOMPLETE
        signed = next((each for each in candidates if _has_issued(each, subject)), None)
        if signed is None:
            return issuers, Chain.BROKEN
        issuers.append(signed)
        subject = signed
    return issuers, Chain.COMPLETE


def _published(certificate: x509.Certificate, web: Web) -> Iterator[x509.Certificate]:
    for address in _addresses(certificate, AuthorityInformationAccessOID.CA_ISSUERS):
        body = web.get(address)
        if body:
            try:
                yield x509.load_der_x509_certificate(body)
            except BROKEN:
                LOG.info("an issuer's certificate is unreadable")


def _by_ocsp(certificate: x509.Certificate, issuer: x509.Certificate, web: Web, now: datetime) -> Status:
    addresses = _addresses(certificate, AuthorityInformationAccessOID.OCSP)
    if not addresses:
        return Status.NOT_TOLD
    names = hashes.SHA1()  # noqa: S303 - names the issuer, protects nothing; every responder knows it (RFC 5019 §2.1.1)
    question = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, names).build()
    body = web.post(addresses[0], question.public_bytes(serialization.Encoding.DER), "application/ocsp-request")
    if body is None:
        return Status.UNREACHABLE
    try:
        answer = ocsp.load_der_ocsp_response(body)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Status.UNREACHABLE
        _require_responder(answer, issuer)
        _require_about(answer, certificate, now)
    except BROKEN:
        return Status.UNPROVEN
    return _told(answer)


def _require_about(answer: ocsp.OCSPResponse, certificate: x509.Certificate, now: datetime) -> None:
    of_today = _is_of_today(answer.this_update_utc, answer.next_update_utc, now)
    if answer.serial_number != certificate.serial_number or not of_today:
        raise ValueError("an answer to another question")


def _told(answer: ocsp.OCSPResponse) -> Status:
    if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        return Status.HELD if answer.revocation_reason is x509.ReasonFlags.certificate_hold else Status.REVOKED
    return Status.GOOD if answer.certificate_status is ocsp.OCSPCertStatus.GOOD else Status.UNKNOWN


def _require_responder(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> None:
    """The answer is signed by the issuer, or by a responder that the issuer named for it (RFC 6960 §4.2.2.2)."""
    signer = issuer
    for each in answer.certificates:
        if each != issuer:
            each.verify_directly_issued_by(issuer)
            usages = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
                raise ValueError("no responder")
            signer = each
    algorithm = answer.signature_hash_algorithm
    if algorithm is None:
        raise ValueError("no digest")
    public = signer.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
    else:
        raise ValueError("unknown key")  # noqa: TRY004 - a broken answer like the others


def _by_crl(certificate: x509.Certificate, issuer: x509.Certificate, web: Web, now: datetime) -> Status:
    addresses = _distribution_points(certificate)
    if not addresses:
        return Status.NOT_TOLD
    body = next((each for each in map(web.get, addresses) if each), None)
    if body is None:
        return Status.UNREACHABLE
    try:
        found = x509.load_der_x509_crl(body)
        proven = found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        if not proven or not _is_of_today(found.last_update_utc, found.next_update_utc, now):
            return Status.UNPROVEN
        entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return Status.GOOD if entry is None else _reason(entry)
    except BROKEN:
        return Status.UNPROVEN


def _reason(entry: x509.RevokedCertificate) -> Status:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return Status.REVOKED
    return Status.HELD if reason is x509.ReasonFlags.certificate_hold else Status.REVOKED


def _is_of_today(since: datetime, until: datetime | None, now: datetime) -> bool:
    return since <= now + SKEW and (until is None or now <= until + SKEW)


def _has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except BROKEN:
        return False
    return True


def _addresses(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> list[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    places = [each.access_location for each in access if each.access_method == method]
    return [place.value for place in places if isinstance(place, x509.UniformResourceIdentifier)]


def _distribution_points(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    names = [name for point in points for name in point.full_name or ()]
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]


def _title(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
