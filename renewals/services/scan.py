"""What can be said of a card before anybody has logged in: a verdict for each certificate, nothing of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cms.errors import DomainError
from cms.models import Card, CardFamily, Certificate, Pair
from pki.errors import PkiError
from pki.x509 import read_certificate
from renewals import errors, policy, queries
from renewals.flows import POLICIES, Terms
from renewals.services.login import require_login

# Order in which the verdict of a card is told (rules.md R16): renewable, already renewed, expired, other.
_ORDER = ("renewable", "already-renewed", "expired", "not-renewable")
_VERDICT_OF = {"certificate-renewed": "already-renewed", "certificate-expired": "expired"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One certificate of a card, with the refusal that stands in its way, if any."""

    fingerprint: str
    certificate: Certificate | None
    not_after: datetime | None
    refusal: DomainError | None = None
    terms: Terms | None = None

    @property
    def verdict(self) -> str:
        """The verdict in the API's closed list."""
        if self.refusal is None:
            return "renewable"
        return _VERDICT_OF.get(self.refusal.reason_code, "not-renewable")


@dataclass(frozen=True, slots=True)
class Scan:
    """All findings of a card, the best verdict first."""

    findings: list[Finding]
    offers: list[dict[str, Any]] = field(default_factory=list)
    family: CardFamily | None = None
    purchase_url: str = ""

    @property
    def best(self) -> Finding | None:
        """The finding that decides the verdict of the card."""
        return min(self.findings, key=lambda finding: _ORDER.index(finding.verdict), default=None)


def scan_card(*, serial: str, atr: str, certificates: Sequence[bytes], now: datetime) -> Scan:
    """Judge what is publicly readable on a card. Unknown and unreadable certificates are findings, never errors."""
    findings = [_finding(der, serial, now) for der in certificates]
    known = [finding.certificate for finding in findings if finding.certificate is not None]
    pairs = {half.pair_id: half.pair for half in known}
    card = Card.objects.select_related("family").filter(serial=serial).first() if pairs else None
    return Scan(
        findings=findings,
        offers=[offer for pair in pairs.values() if (offer := _offer_of(pair, findings)) is not None],
        family=_family(card, atr),
        purchase_url=next((pair.centre.purchase_url for pair in pairs.values()), ""),
    )


def _finding(der: bytes, serial: str, now: datetime) -> Finding:
    try:
        facts = read_certificate(der)
    except PkiError:
        return Finding("", None, None, errors.CertificateUnknown())
    rows = Certificate.objects.select_related("pair__card__family", "pair__service__successor", "pair__centre", "body")
    certificate = rows.filter(fingerprint=facts.fingerprint.hex()).first()
    if certificate is None:
        return Finding(facts.fingerprint.hex(), None, None, errors.CertificateUnknown())
    try:
        terms = _terms(certificate, serial, now)
    except DomainError as refusal:
        return Finding(certificate.fingerprint, certificate, certificate.not_after, refusal)
    return Finding(certificate.fingerprint, certificate, certificate.not_after, terms=terms)


def _terms(certificate: Certificate, serial: str, now: datetime) -> Terms:
    """Under which terms this half is renewed now; raises what stands against it."""
    pair = certificate.pair
    policy.require_on_card(pair)
    halves = policy.in_renewal(pair, queries.halves(pair))
    if certificate not in halves:
        raise errors.CertificateNotExtended
    # The rule is the login's own: what is offered here can log in there.
    login = _with_body(policy.login_certificate(halves), certificate)
    return require_login(login, card_serial=serial, now=now).terms


def _with_body(login: Certificate, shown: Certificate) -> Certificate:
    if login.pk == shown.pk:
        return shown
    login.pair = shown.pair
    return login


def _offer_of(pair: Pair, findings: Sequence[Finding]) -> dict[str, Any] | None:
    """What can be done with a pair, if each of its halves that was found and that its flow renews can be renewed."""
    halves = policy.in_renewal(pair, queries.halves(pair))
    own = [finding for finding in findings if finding.certificate in halves]
    terms = next((finding.terms for finding in own), None)
    if terms is None or any(finding.refusal is not None for finding in own):
        return None
    return _offer(pair, halves, terms)


def _offer(pair: Pair, halves: list[Certificate], terms: Terms) -> dict[str, Any]:
    flow, signing = POLICIES[pair.service.flow], policy.signing_certificate(halves)
    return {
        "login_with": policy.login_certificate(halves).fingerprint,
        "sign_with": signing.fingerprint if signing else None,
        "flow": pair.service.flow,
        "service": pair.service.name,
        "old_not_after": policy.old_not_after(halves),
        "new_not_after": min(flow.new_not_after(half.not_after, terms) for half in halves),
        "replaces": policy.replaces_keys(pair),
        "campaign": terms.campaign.name if terms.campaign else None,
        "steps": [step.value for step in flow.steps],
    }


def _family(card: Card | None, atr: str) -> CardFamily | None:
    if card is not None:
        return card.family
    return CardFamily.objects.filter(atrs__contains=[atr.upper()]).first() if atr else None
