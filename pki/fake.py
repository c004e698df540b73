"""A certification authority in memory, with real certificates and switchable weather; for tests and demonstrations."""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki import profiles, smime_profiles
from pki.assembly import HOLD, SignatureAlgorithm, assemble, to_be_signed
from pki.batch import Order, OrderKind, Outcome
from pki.csr import read_request
from pki.errors import (
    GatewayConflict,
    GatewayNotAllowed,
    GatewayPending,
    GatewayRefused,
    GatewayUnavailable,
    OutcomeUnknown,
    PkiError,
)
from pki.gateway import (
    Capabilities,
    CertificateRef,
    CertificateStatus,
    IssuedCertificate,
    IssueRequest,
    LedgerLine,
    Profile,
    RevocationReason,
    StatusKind,
    Validity,
)
from pki.keys import require_new_key

_LIFE = Validity(datetime(2010, 1, 1, tzinfo=UTC), datetime(2160, 1, 1, tzinfo=UTC) - timedelta(seconds=1))
_ALGORITHM = SignatureAlgorithm.ECDSA_P256_SHA256
_ADDRESS = "http://fake-ca.example.org"
_ORGANIZATION = {"organization": "Sigillo Fake S.p.A.", "organization_identifier": "VATIT-00000000000"}
_MAIL = "Sigillo Fake CA S/MIME"
_ISSUER_OF = {
    Profile.CNS_AUTHENTICATION: "Sigillo Fake CA Autenticazione",
    Profile.QUALIFIED_SIGNATURE: "Sigillo Fake CA Firma",
    **dict.fromkeys(smime_profiles.POLICIES, _MAIL),
}
_EVERYTHING = Capabilities(
    hold=True,
    release=True,
    hold_then_revoke=True,
    find_by_request_id=True,
    find_by_public_key=True,
    enumerate=True,
    batch=True,
)


@dataclass(frozen=True, slots=True)
class _Issuer:
    key: ec.EllipticCurvePrivateKey
    certificate: bytes

    @property
    def facts(self) -> profiles.IssuerFacts:
        return profiles.issuer_facts(self.certificate, ocsp_url=f"{_ADDRESS}/ocsp", ca_url=f"{_ADDRESS}/ca/issuer.crt")

    def sign(self, builder: x509.CertificateBuilder) -> bytes:
        unsigned = to_be_signed(builder, _ALGORITHM)
        return assemble(unsigned, self.key.sign(unsigned.tbs, ec.ECDSA(hashes.SHA256())))


@functools.cache
def _authorities() -> tuple[_Issuer, dict[str, _Issuer]]:
    """Make a root and its issuers by name, once per process; P-256 is quick."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    name = profiles.authority_name("Sigillo Fake Root", **_ORGANIZATION)
    root = _Issuer(root_key, b"")
    root = replace(root, certificate=root.sign(profiles.build_root(name, _spki(root_key), _LIFE, _serial())))
    return root, {name: _issuing_ca(root, name) for name in dict.fromkeys(_ISSUER_OF.values())}


def _issuing_ca(root: _Issuer, common_name: str) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = profiles.authority_name(common_name, **_ORGANIZATION)
    address, purposes = f"{_ADDRESS}/crl/root.crl", smime_profiles.PURPOSES if common_name == _MAIL else ()
    builder = profiles.build_issuing_ca(name, _spki(key), _LIFE, _serial(), root.facts, address, purposes=purposes)
    return _Issuer(key, root.sign(builder))


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _serial() -> int:
    return 1 << 158 | secrets.randbits(158)


@dataclass(slots=True)
class _Line:
    request: IssueRequest
    issued: IssuedCertificate
    spki_sha256: bytes
    status: CertificateStatus = field(default_factory=lambda: CertificateStatus(StatusKind.GOOD))


@dataclass(slots=True)
class _Order:
    """A stored intent: what it wanted, what it found when it came first, whether it was carried out."""

    ref: CertificateRef
    wanted: StatusKind
    found: StatusKind
    is_done: bool = False


class FakeAuthority:
    """A CA that keeps its word, in the weather that a test chooses.

    `is_away`: nothing is reached and nothing done. `drops_answers`: everything is done and the answer lost.
    `loses_requests`: nothing is done, and nobody can tell. `is_pending`: requests are accepted; the certificates come
    when it is switched off. `refuses`: policy says no. `is_forbidden`: our credentials are not accepted.
    `before_each` is called before every call with its name: to count, to block, to forbid an open transaction.
    Safe to be called by several threads.
    """

    def __init__(
        self, capabilities: Capabilities = _EVERYTHING, *, before_each: Callable[[str], None] | None = None
    ) -> None:
        """Start with an empty ledger in fair weather."""
        self.capabilities = capabilities
        self.before_each = before_each or (lambda _name: None)
        self.is_away = self.drops_answers = self.loses_requests = False
        self.is_pending = self.refuses = self.is_forbidden = False
        self.calls: list[str] = []
        self._lines: dict[UUID, _Line] = {}
        self._by_ref: dict[CertificateRef, _Line] = {}
        self._waiting: dict[UUID, IssueRequest] = {}
        self._orders: dict[UUID, _Order] = {}
        self._lock = threading.RLock()

    @property
    def issued(self) -> list[IssuedCertificate]:
        """All certificates in order of issuance: the oracle for tests, above all weather."""
        return [line.issued for line in self._lines.values()]

    def issue(self, request: IssueRequest, *, at: datetime) -> IssuedCertificate:
        """See the port. The certificate is real; its issuer is in `issuers`."""
        with self._acting("issue"):
            known = self._lines[request.id].request if request.id in self._lines else self._waiting.get(request.id)
            if known is not None and known != request:
                raise GatewayConflict("this request id has another content", code="request-id-reused")
            if request.validity.not_after < at:
                raise GatewayRefused("the certificate would be expired when issued", code="validity-over")
            if self.is_pending and request.id not in self._lines:
                self._waiting[request.id] = request
                raise GatewayPending("the certificate will come later")
            return self._issued(request)

    def find_issued(
        self, *, request_id: UUID | None = None, spki_sha256: bytes | None = None, ref: CertificateRef | None = None
    ) -> IssuedCertificate | None:
        """See the port. While a request waits, looking it up by its id says so."""
        if [request_id, spki_sha256, ref].count(None) != 2:
            raise GatewayRefused("look a certificate up by exactly one key", code="lookup-ambiguous")
        with self._reading("find_issued"):
            self._settle_waiting()
            if request_id in self._waiting:
                raise GatewayPending("the certificate will come later")
            wanted = (request_id, spki_sha256, ref)
            for line in reversed(self._lines.values()):
                if any(ours == asked for ours, asked in zip(_keys_of(line), wanted, strict=True) if asked is not None):
                    return line.issued
            return None

    def status(self, ref: CertificateRef) -> CertificateStatus:
        """See the port."""
        with self._reading("status"):
            line = self._line(ref)
            return CertificateStatus(StatusKind.UNKNOWN) if line is None else line.status

    def hold(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:
        """See the port."""
        with self._acting("hold"):
            self._order(ref, request_id, CertificateStatus(StatusKind.HELD, HOLD, at))

    def release(self, ref: CertificateRef, *, request_id: UUID, at: datetime) -> None:  # noqa: ARG002 (the port's)
        """See the port."""
        with self._acting("release"):
            self._order(ref, request_id, CertificateStatus(StatusKind.GOOD))

    def revoke(self, ref: CertificateRef, *, reason: RevocationReason, request_id: UUID, at: datetime) -> None:
        """See the port."""
        with self._acting("revoke"):
            self._order(ref, request_id, CertificateStatus(StatusKind.REVOKED, RevocationReason(reason).value, at))

    def change_many(self, orders: Sequence[Order], *, at: datetime) -> Sequence[Outcome]:
        """See the port. One call, whatever the number of orders."""
        if self.refuses:
            return [Outcome(order.request_id, GatewayRefused("the CA's policy refuses")) for order in orders]
        with self._acting("change_many"):
            return [self._outcome(order, at) for order in orders]

    def issuers(self) -> tuple[bytes, ...]:
        """See the port."""
        return tuple(issuer.certificate for issuer in _authorities()[1].values())

    def trust_anchors(self) -> tuple[bytes, ...]:
        """See the port."""
        return (_authorities()[0].certificate,)

    def ledger(self) -> Iterator[LedgerLine]:
        """See the port."""
        with self._reading("ledger"):
            self._settle_waiting()
            lines = list(self._lines.values())
        for line in lines:
            yield LedgerLine(line.request.id, line.issued.ref, line.spki_sha256, line.status)

    def _issued(self, request: IssueRequest) -> IssuedCertificate:
        self._waiting.pop(request.id, None)
        if request.id not in self._lines:
            line = self._lines[request.id] = _certified(request)
            self._by_ref[line.issued.ref] = line
        return self._lines[request.id].issued

    def _settle_waiting(self) -> None:
        if not self.is_pending:
            for request in list(self._waiting.values()):
                self._issued(request)

    def _line(self, ref: CertificateRef) -> _Line | None:
        return self._by_ref.get(ref)

    def _order(self, ref: CertificateRef, request_id: UUID, wanted: CertificateStatus) -> None:
        """Carry an order out once; the same id again gets the same answer and changes nothing."""
        line = self._line(ref)
        if line is None:
            raise GatewayRefused("this CA never issued such a certificate", code="certificate-unknown")
        known = self._orders.setdefault(request_id, _Order(ref, wanted.kind, line.status.kind))
        if (known.ref, known.wanted) != (ref, wanted.kind):
            raise GatewayConflict("this request id was used for something else", code="request-id-reused")
        if wanted.kind is StatusKind.HELD and not line.request.profile.may_be_held:
            raise GatewayRefused("a strict S/MIME certificate cannot be suspended", code="hold-not-allowed")
        if known.found is StatusKind.REVOKED and wanted.kind is not StatusKind.REVOKED:
            raise GatewayConflict("revoked is final", code="certificate-revoked")
        if not known.is_done and wanted.kind is not known.found:
            line.status = wanted
        known.is_done = True

    def _outcome(self, order: Order, at: datetime) -> Outcome:
        wanted = {
            OrderKind.HOLD: CertificateStatus(StatusKind.HELD, HOLD, at),
            OrderKind.RELEASE: CertificateStatus(StatusKind.GOOD),
            OrderKind.REVOKE: CertificateStatus(StatusKind.REVOKED, order.reason, at),
        }
        try:
            self._order(order.ref, order.request_id, wanted[order.kind])
        except (GatewayRefused, GatewayConflict) as failure:
            return Outcome(order.request_id, failure)
        return Outcome(order.request_id)

    @contextmanager
    def _acting(self, name: str) -> Iterator[None]:
        """Stand between the caller and an act, where the weather is."""
        with self._reading(name):
            if self.refuses:
                raise GatewayRefused("the CA's policy refuses")
            if self.loses_requests:
                raise OutcomeUnknown("no answer came")
            yield
            if self.drops_answers:
                raise OutcomeUnknown("the answer was lost")

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        self.before_each(name)
        with self._lock:
            self.calls.append(name)
            if self.is_away:
                raise GatewayUnavailable("the CA is away")
            if self.is_forbidden:
                raise GatewayNotAllowed("the CA does not know us")
            yield


def _keys_of(line: _Line) -> tuple[UUID, bytes, CertificateRef]:
    return line.request.id, line.spki_sha256, line.issued.ref


def _certified(request: IssueRequest) -> _Line:
    """Gate, build and sign, as a CA would; whatever is wrong with the request is a refusal."""
    issuer = _authorities()[1][_ISSUER_OF[request.profile]]
    if not _LIFE.not_before <= request.validity.not_before < request.validity.not_after <= _LIFE.not_after:
        raise GatewayRefused("the validity does not lie within the CA's", code="validity-outside-issuer")
    serial, shard = _serial(), f"{_ADDRESS}/crl/{request.validity.not_before.year}.crl"
    try:
        asked = read_request(request.csr)
        require_new_key(asked.spki_der)
        builder = profiles.build_leaf(
            request.profile, request.subject, asked.spki_der, request.validity, serial, issuer.facts, shard
        )
    except PkiError as refusal:
        raise GatewayRefused(str(refusal), code=refusal.code) from refusal
    ref = CertificateRef(issuer.facts.key_id, serial)
    issued = IssuedCertificate(request.id, ref, issuer.sign(builder), (issuer.certificate,))
    return _Line(request, issued, asked.spki_sha256)
