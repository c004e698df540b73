"""A town with a campaign of extension: TS-CNS cards with an authentication certificate, and a stock of their own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from cms.models import Campaign, Holder, Service
from cms.services import holders
from cms.states import ApprovalMode, Flow
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import TestCard, World, tax_code

AUTHENTICATION = ("authentication",)
CARD_EXPIRY = date(2026, 12, 30)
TARGET = date(2026, 12, 31)
TARGET_END = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)
"""Last second of the target day in Italy."""


class Extension:
    """The service of the cards, the campaign with its own issuing service and stock; cards in the hands of holders."""

    def __init__(self, world: World, *, stock: int = 5, **dates: Any) -> None:
        """Offer the service, agree on both, open the campaign from the first of February 2026 on."""
        self.world = world
        self.service = Service.objects.create(
            code="ts-cns", name="TS-CNS", types=list(AUTHENTICATION), flow=Flow.EXTEND
        )
        self.issuing = Service.objects.create(
            code="ts-cns-estensione", name="TS-CNS estensione", types=list(AUTHENTICATION), flow=Flow.EXTEND
        )
        # Both ask for an authorisation, which an extension does not.
        self.agreement = world.agree(world.centre, self.service)
        self.issuing_agreement = world.agree(world.centre, self.issuing, ApprovalMode.AUTHORISATION)
        if stock:
            world.buy(stock, self.issuing)
        self.campaign = self.open_campaign(**dates)

    def open_campaign(self, code: str = "estensione", **changed: Any) -> Campaign:
        """Another campaign of the same service."""
        values: dict[str, Any] = {
            "code": code,
            "name": code.capitalize(),
            "service": self.service,
            "issuing_service": self.issuing,
            "opens_on": date(2026, 2, 1),
            "closes_on": None,
            "cutoff_on": CARD_EXPIRY,
            "target_on": TARGET,
        }
        return Campaign.objects.create(**{**values, **changed})

    def card(self, number: int = 1, *, expires_on: date | None = CARD_EXPIRY, **changed: Any) -> TestCard:
        """A TS-CNS: one authentication certificate, first issued ten years ago, never renewed."""
        values: dict[str, Any] = {
            "types": AUTHENTICATION,
            "agreement": self.agreement,
            "first_issued_on": date(2016, 12, 30),
            "expires_on": expires_on,
        }
        return self.world.card(number, **{**values, **changed})

    def silent_holder(self, number: int) -> Holder:
        """A person of whom the register knows neither mailbox nor telephone."""
        return holders.register_holder(
            tax_code=tax_code(number), given_name="Mario", surname="Rossi", centre=self.world.centre, contacts=None,
            at=self.world.now,
        )  # fmt: skip

    def enrolment(self, number: int = 1, **changed: Any) -> Enrolment:
        """The holder of a new card at home."""
        return Enrolment(self.card(number, **changed))
