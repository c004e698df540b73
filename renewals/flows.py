"""Enroll and Extend as policy objects: window, target date, steps. Chosen by the service, never by the client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Protocol

from cms import policy
from cms.models import Campaign, Service
from cms.policy import ROME
from cms.states import HALVES, CertificateType, Flow
from renewals.errors import CampaignOver
from renewals.states import Step, TextKind

if TYPE_CHECKING:
    from renewals.models import RenewalCase


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose dates and stock a renewal has: the issuing service and, of an extension, its campaign."""

    service: Service
    campaign: Campaign | None = None


def terms_of(case: RenewalCase) -> Terms:
    """The terms that a case was opened under; what has been set since moves no open case."""
    return Terms(case.issuing_service, case.campaign)


class FlowPolicy(Protocol):
    """What differs between the two flows."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Steps of the client, in order."""
        ...

    @property
    def texts(self) -> tuple[TextKind, ...]:
        """Texts that the holder accepts."""
        ...

    @property
    def types(self) -> tuple[CertificateType, ...]:
        """Halves of a pair that the flow renews; the others stay as they are."""
        ...

    @property
    def replaces(self) -> bool:
        """Whether the old keys leave the card, where the card's family says nothing else."""
        ...

    @property
    def ends_with_device(self) -> bool:
        """Whether the new certificate may not outlive the device (rules.md R7, R18)."""
        ...

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:
        """From when on a renewal is possible; None: at any time."""
        ...

    def new_not_after(self, old_not_after: datetime, terms: Terms) -> datetime:
        """Until when the new certificate is valid (UTC, inclusive)."""
        ...


class EnrollPolicy:
    """Renewal: window, contacts, contracts, signed form; the term starts at the old expiry, so no day is lost."""

    steps = (
        Step.DIAGNOSIS,
        Step.CONTACTS,
        Step.ACCEPTANCE,
        Step.FORM_SIGNATURE,
        Step.REQUESTS,
        Step.CERTIFICATES,
        Step.INSTALLATION,
    )
    texts = (TextKind.CONTRACT, TextKind.CLAUSES, TextKind.PRIVACY, TextKind.ENCRYPTION_WARNING)
    types = HALVES
    replaces = True
    ends_with_device = True

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:
        """So many calendar months before the old expiry."""
        return policy.window_opens_at(service, old_not_after)

    def new_not_after(self, old_not_after: datetime, terms: Terms) -> datetime:
        """Old expiry plus the term in calendar years."""
        return policy.years_after(old_not_after, terms.service.term_years)


class ExtendPolicy:
    """Extension of a TS-CNS to a campaign's date: terms and privacy only, no form, no contacts, no window."""

    steps = (Step.DIAGNOSIS, Step.ACCEPTANCE, Step.REQUESTS, Step.CERTIFICATES, Step.INSTALLATION)
    texts = (TextKind.CONTRACT, TextKind.PRIVACY)
    types = (CertificateType.AUTHENTICATION,)
    replaces = False
    # The law itself prolongs these cards beyond their six years, and no qualified signature is at stake.
    ends_with_device = False

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:
        """No window: any card that is not expired."""
        return policy.window_opens_at(service, old_not_after)

    def new_not_after(self, old_not_after: datetime, terms: Terms) -> datetime:  # noqa: ARG002 - the port's shape
        """Last second of the campaign's target day in Italy."""
        if terms.campaign is None:
            raise CampaignOver
        return last_second(terms.campaign)


def last_second(campaign: Campaign) -> datetime:
    """Until when certificates of the campaign are valid: the last second of its target day in Italy (UTC)."""
    return datetime.combine(campaign.target_on, time(23, 59, 59), tzinfo=ROME).astimezone(UTC)


POLICIES: dict[str, FlowPolicy] = {Flow.ENROLL: EnrollPolicy(), Flow.EXTEND: ExtendPolicy()}
