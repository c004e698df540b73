"""Enroll and Extend as policy objects: window, target date, steps. Chosen by the service, never by the client."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Protocol

from cms import policy
from cms.models import Card, Service
from cms.policy import ROME
from cms.states import Flow
from renewals.errors import CampaignOver
from renewals.states import Step, TextKind


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

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:
        """From when on a renewal is possible; None: at any time."""
        ...

    def new_not_after(self, old_not_after: datetime, service: Service) -> datetime:
        """Until when the new certificate is valid (UTC, inclusive)."""
        ...

    def require_card(self, card: Card, service: Service) -> None:
        """Refuse cards that this flow excludes by their own dates."""
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

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:
        """So many calendar months before the old expiry."""
        return policy.months_before(old_not_after, service.window_months)

    def new_not_after(self, old_not_after: datetime, service: Service) -> datetime:
        """Old expiry plus the term in calendar years."""
        return policy.years_after(old_not_after, service.term_years)

    def require_card(self, card: Card, service: Service) -> None:
        """Enroll looks at the device's age only (`renewals.policy.require_device_lives`)."""


class ExtendPolicy:
    """Extension of a TS-CNS to a campaign's date: terms and privacy only, no form, no contacts, no window."""

    steps = (Step.DIAGNOSIS, Step.ACCEPTANCE, Step.REQUESTS, Step.CERTIFICATES, Step.INSTALLATION)
    texts = (TextKind.CONTRACT, TextKind.PRIVACY)

    def opens_at(self, old_not_after: datetime, service: Service) -> datetime | None:  # noqa: ARG002 - the port's shape
        """No window: any card that is not expired."""
        return None

    def new_not_after(self, old_not_after: datetime, service: Service) -> datetime:  # noqa: ARG002 - the port's shape
        """Last second of the campaign's target day in Italy."""
        if service.campaign_target_on is None:
            raise CampaignOver
        return datetime.combine(service.campaign_target_on, time(23, 59, 59), tzinfo=ROME).astimezone(UTC)

    def require_card(self, card: Card, service: Service) -> None:
        """The cut-off is the card's own expiry, inclusive (rules.md R18)."""
        if (
            service.campaign_cutoff_on is None
            or card.expires_on is None
            or card.expires_on > service.campaign_cutoff_on
        ):
            raise CampaignOver


POLICIES: dict[str, FlowPolicy] = {Flow.ENROLL: EnrollPolicy(), Flow.EXTEND: ExtendPolicy()}
