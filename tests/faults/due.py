"""A register in which every sweep and every other task of the schedule has something to do now, by the machine's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from authority.gateway import EmbeddedGateway
from authority.models import UnpublishedChange
from cms.actors import SYSTEM
from cms.models import CaRequest, Event, Pair
from cms.services import certificates, requests
from cms.states import HoldCause
from notifications.models import OutboxMessage
from renewals import queries, sweeps
from renewals.models import DigestDay
from tests.authority.founding import found
from tests.renewals import quick
from tests.renewals.test_time_rules import clock_in_italy
from tests.renewals.world import World

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
# What the tasks have to do, in all.
TOLD = {
    "renewal-notice": 2 + 4 + 3 + 2 + 3,
    "renewal-reminder": 2,
    "case-expired": 4,
    "suspended": 2 + 3,
    "revoked": 2 + 1,
    "daily-digest": 1,
    "low-stock": 1,
}


def everything_due(now: datetime) -> World:
    """Make it. Numbers of cases are those of `TOLD`; the CA has been asked nothing yet of what is due."""
    found(at=now - 150 * DAY)
    world = World(EmbeddedGateway(), now - 150 * DAY)
    world.agreement.low_stock_threshold = 10
    world.agreement.save()
    for number in (1, 2):  # suspended, until yesterday
        quick.completed(world, number, not_after=now - 122 * DAY)
    pair = quick.registered(world, 3, not_after=now + 300 * DAY)  # held by its holder, until yesterday
    _hold(pair, now - 122 * DAY)
    sweeps.suspend_unauthorised(now=now - 122 * DAY + MINUTE)
    requests.carry_out_due(at=now - 122 * DAY + MINUTE)

    world.now = now - 40 * DAY
    for number in (11, 12, 13):  # expired yesterday
        quick.opened(world, number, not_after=now - DAY)
    quick.signed(world, 14, not_after=now - DAY)
    for number in (21, 22, 23):  # not authorised by yesterday
        quick.completed(world, number, not_after=now - DAY)
    for number in (31, 32):  # to be reminded since yesterday
        quick.opened(world, number, not_after=now + 6 * DAY)
    for number in (41, 42):  # held by their holders an hour ago, the CA was not asked
        _hold(quick.registered(world, number, not_after=now + 300 * DAY), now - 60 * MINUTE)
    first = clock_in_italy(now - 3 * 365 * DAY + 31 * DAY).date()
    for number in (51, 52, 53):  # window open since a month
        quick.registered(world, number, not_after=now + 30 * DAY, first=first)
    return world


def _hold(pair: Pair, at: datetime) -> None:
    with transaction.atomic():
        for half in pair.certificates.select_for_update():
            certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=at)


def unfinished(now: datetime, *, sealed_until: datetime | None = None) -> list[str]:
    """What is still to be done; of the events, those that were there at an instant are to be sealed."""
    left = {
        "windows": queries.windows_to_open(now),
        "expiries": queries.cases_to_expire(now),
        "suspensions": queries.cases_to_suspend(now),
        "lapses": queries.cases_to_lapse(now),
        "holds": queries.holds_to_lapse(now),
        "notices": queries.notices_due(now),
        "warnings": queries.warnings_due(now),
        "wishes": CaRequest.objects.filter(state__in=["planned", "sent"]),
        "lists": UnpublishedChange.objects.all(),
        "mails": OutboxMessage.objects.filter(state="queued"),
        "seals": Event.objects.filter(seal__isnull=True, recorded_at__lte=sealed_until or now),
    }
    undone = [name for name, rows in left.items() if rows.exists()]
    return undone if DigestDay.objects.exists() else [*undone, "digest"]
