"""Two months of a centre with much to do, on top of the town with one of everything."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.db.models import F

from cms.actors import SYSTEM
from cms.models import Agreement, CampaignEntry, Pair
from cms.services.seals import seal_events
from cms.services.stock import purchase
from cms.states import ApprovalMode
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services.cases import cancel_case, expire_case
from tests.panel.town import NOW, tax_code

SURNAMES = (
    "Amato Barbieri Caruso Donati Fabbri Ferri Gatti Grassi Leone Lombardi Marchetti Martini Moretti Negri Palumbo"
)
SURNAMES += " Parisi Pellegrini Rinaldi Riva Rizzi Sala Santoro Serra Sorrentino Testa Valentini Vitale Zanella"
GIVEN_NAMES = "Alessia Bruno Carla Dario Enrica Fabio Gaia Ivo Laura Marco Nadia Piero Rita Sandro Teresa Vito"


def busy(town: Any) -> None:
    """Two months of a centre with much to do, for pictures: the chart has its weeks, the forecast its shortage."""
    dice = random.Random(7)
    town.buy(town.centre, town.eidas, 58)
    _campaign_under_way(town)
    surnames, given_names = SURNAMES.split(), GIVEN_NAMES.split()
    for number in range(84):
        person = town.person(surnames[number % len(surnames)], given_names[number % len(given_names)])
        _case(town, town.case(person, days_left=dice.triangular(-27, 59, 20)), dice)
    card = town.cases[0].card
    agreement = Agreement.objects.get(centre=town.centre, service=town.service)
    Pair.objects.bulk_create(
        Pair(
            card=card,
            holder=card.holder,
            agreement=agreement,
            centre=town.centre,
            service=town.service,
            window_opens_at=NOW + timedelta(hours=dice.randint(2, 24 * 30)),
            created_at=NOW,
        )
        for _ in range(66)
    )
    delivered = {"state": "sent", "sent_at": F("created_at") + timedelta(seconds=4), "next_attempt_at": None}
    OutboxMessage.objects.filter(state="queued").update(**delivered, sealed_context=None)
    seal_events(at=NOW)


def _campaign_under_way(town: Any) -> None:
    """A list of those who may take part, and units for them."""
    issuing = town.campaign.issuing_service
    who = {"centre_id": town.centre.pk, "service_id": issuing.pk, "type_": "authentication"}
    purchase(**who, quantity=420, reference="ordine-estensione", actor=SYSTEM, at=NOW - timedelta(days=29))
    people = [tax_code("VRDNNA", number) for number in range(400, 760)]
    CampaignEntry.objects.bulk_create(CampaignEntry(campaign=town.campaign, tax_code=code) for code in people)


def _case(town: Any, case: RenewalCase, dice: random.Random) -> None:
    days_left = (case.old_not_after - NOW).days
    fate = dice.random()
    if days_left < 0 and fate < 0.12:
        expire_case(case.pk, now=case.old_not_after + timedelta(minutes=1))
    elif fate < 0.16:
        reason = "holder-declines"
        cancel_case(case.pk, reason=reason, actor=SYSTEM, at=min(NOW, case.old_not_after) - timedelta(days=1))
    elif days_left < 0 or fate < 0.55 + (20 - days_left) / 60:
        mode = ApprovalMode.AUTOMATIC if days_left < 0 or fate < 0.5 else ApprovalMode.AUTHORISATION
        town.completed(case, mode, days_ago=1 + 4 * dice.random())
    elif fate > 0.9:
        town.signed(case, ApprovalMode.AUTHORISATION, days_ago=0.4)
