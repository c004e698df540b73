"""Reads that the API needs as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from cms.services.registration import pinned_issuer_of
from cms.states import RequestState
from renewals import errors, policy, queries
from renewals.models import RenewalCase, RenewalForm
from renewals.states import CaseState

_RELATED = ("holder", "card", "centre", "service", "issuing_service", "campaign", "old_pair", "new_pair")


@dataclass(frozen=True, slots=True)
class IssuedHalf:
    """A certificate to be installed."""

    type: str
    der: bytes
    chain: tuple[bytes, ...]


def case(case_id: int) -> RenewalCase:
    """A case with what its view shows."""
    return RenewalCase.objects.select_related(*_RELATED).get(pk=case_id)


def form_of(case_id: int) -> RenewalForm:
    """The rendered form, or `form-missing`."""
    form = RenewalForm.objects.filter(case_id=case_id).first()
    if form is None:
        raise errors.FormMissing
    return form


def signing_fingerprint(row: RenewalCase) -> str:
    """Which certificate signs the form."""
    half = policy.signing_certificate(row.old_halves)
    return half.fingerprint if half else ""


def issued_certificates(case_id: int) -> list[IssuedHalf]:
    """All new certificates, or none while one is missing. Refused issuance is said, not waited for."""
    row = RenewalCase.objects.select_related("issuing_service", "new_pair").get(pk=case_id)
    if row.state not in {CaseState.AWAITING_INSTALLATION, CaseState.COMPLETED}:
        raise errors.StepNotOpen if row.is_open else errors.CaseEnded
    requests = queries.issue_requests(row)
    if not requests or row.new_pair is None:
        raise errors.StepNotOpen
    if any(request.state == RequestState.REFUSED for request in requests):
        raise errors.IssuanceRefused
    halves = list(row.new_pair.certificates.select_related("body").order_by("type"))
    if len(halves) < len(row.types):
        return []
    return [IssuedHalf(half.type, bytes(half.body.der), pinned_issuer_of(half)) for half in halves]
