"""Who took data out of the trail stands in the trail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cms import events
from cms.actors import operator as operator_actor
from cms.models import User
from runtime.transactions import use_case


@use_case
def record_export(*, centre_ids: Collection[int], service_id: int, filters: str, operator: User, now: datetime) -> None:
    """Tell each centre that this operator exported its events; `filters` are ids and slugs, as in the address."""
    actor = operator_actor(operator)
    events.record_many(
        [
            events.built(
                "events.exported",
                actor=actor,
                at=now,
                centre_id=centre_id,
                service_id=service_id,
                facts={"filters": filters},
            )
            for centre_id in sorted(centre_ids)
        ]
    )
