"""Warning a centre when a counter falls to its threshold.

A sweep finds it afterwards, so that reserving stays one statement.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from cms import events
from cms.actors import SYSTEM
from cms.models import Agreement, Stock
from cms.states import CertificateType
from notifications import services as outbox
from notifications.catalog import Message
from runtime.transactions import use_case

_OF = f"""
FROM {Agreement._meta.db_table} agreement
WHERE agreement.centre_id = counter.centre_id AND agreement.service_id = counter.service_id
"""
_RISEN = f"""
UPDATE {Stock._meta.db_table} counter SET low_since = NULL {_OF}
    AND counter.low_since IS NOT NULL AND counter.free > agreement.low_stock_threshold
"""  # noqa: S608 - the names are our models'
_FALLEN = f"""
UPDATE {Stock._meta.db_table} counter SET low_since = %(now)s {_OF}
    AND counter.low_since IS NULL AND counter.free <= agreement.low_stock_threshold
RETURNING counter.id
"""  # noqa: S608 - the names are our models'


@use_case
def warn_of_low_stock(*, now: datetime) -> int:
    """Mark counters that have fallen to their threshold and warn their centres, once per fall; returns how many fell.

    PostgreSQL decides on the locked row, so two sweeps at once mark a fall once. A counter that has risen again is
    ready for its next fall.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RISEN)
        cursor.execute(_FALLEN, {"now": now})
        fallen = [pk for (pk,) in cursor.fetchall()]
    counters = Stock.objects.filter(pk__in=fallen).select_related("centre", "service")
    ordered = counters.order_by("centre_id", "service_id", "type")
    for _, together in itertools.groupby(ordered, key=lambda counter: (counter.centre_id, counter.service_id)):
        _warn(list(together), now)
    return len(fallen)


def _warn(counters: list[Stock], now: datetime) -> None:
    """One mail for what fell together: half a pair does not come alone."""
    for counter in counters:
        events.record(
            "stock.low",
            actor=SYSTEM,
            at=now,
            centre_id=counter.centre_id,
            service_id=counter.service_id,
            facts={"type": counter.type, "free": counter.free},
        )
    centre, service = counters[0].centre, counters[0].service
    if not centre.active:
        return
    threshold = Agreement.objects.values_list("low_stock_threshold", flat=True).get(centre=centre, service=service)
    draft = outbox.Draft(
        key=f"{Message.LOW_STOCK.value}:{centre.pk}:{service.pk}:{now.isoformat()}",
        message=Message.LOW_STOCK,
        to=centre.email,
        context={
            "centre_name": centre.name,
            "service_name": service.name,
            "balances": said(counters),
            "threshold": str(threshold),
            "purchase_url": centre.purchase_url,
        },
        centre_id=centre.pk,
        service_id=service.pk,
    )
    outbox.post_each([draft], at=now)


def said(counters: Iterable[Stock]) -> str:
    """Say balances in one line: `Autenticazione CNS: 8 · Firma qualificata: 10`."""
    return " · ".join(f"{CertificateType(counter.type).label}: {counter.free}" for counter in counters)
