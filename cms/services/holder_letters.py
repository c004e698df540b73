"""Mails and events about a person as such, in no renewal: which centre answers for him follows from his newest pair."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import Actor
from cms.models import Centre, Holder, Pair, Registration
from notifications import services as notifications
from notifications.catalog import Message
from notifications.services import Draft


@sensitive_variables("secrets")
def post(
    holder: Holder,
    message: Message,
    *,
    key: str,
    at: datetime,
    centre: Centre | None = None,
    case_code: str = "",
    secrets: Mapping[str, str] | None = None,
    **context: Any,
) -> None:
    """Write to the registered mailbox, in the caller's transaction; nothing for a person who has none.

    `centre`: who answers questions; without it the centre of the newest pair, or the one that registered the person.
    """
    pair = newest_pair(holder.pk)
    answers = centre or _centre_of(holder.pk, pair)
    if not holder.email or answers is None:
        return
    draft = Draft(
        key=key,
        message=message,
        to=holder.email,
        context={
            "holder_name": holder.full_name,
            "centre_name": answers.name,
            "centre_email": answers.email,
            "centre_phone": answers.phone,
            "case_code": case_code,
            **context,
        },
        secrets=secrets or {},
        case_code=case_code,
        holder_id=holder.pk,
        language=holder.language,
        centre_id=answers.pk,
        service_id=pair.service_id if pair else None,
    )
    # A code or a link that cannot be sent must not be issued; any other fact stands whether it can be told or not.
    (notifications.post_all if secrets else notifications.post_each)([draft], at=at)


def record(
    verb: str, holder: Holder, *, actor: Actor, at: datetime, centre_id: int | None = None, case_code: str = ""
) -> None:
    """Append an event about a person; the centre of his newest pair sees it, unless another one is named."""
    pair = newest_pair(holder.pk)
    home = (pair.centre_id if pair else None) if centre_id is None else centre_id
    service_id = pair.service_id if pair and pair.centre_id == home else None
    events.record(
        verb, actor=actor, at=at, centre_id=home, service_id=service_id, holder_id=holder.pk, case_code=case_code
    )


def newest_pair(holder_id: int) -> Pair | None:
    """The certificates made last for a person, with their centre."""
    return Pair.objects.select_related("centre").filter(holder_id=holder_id).order_by("-pk").first()


def centre_of(holder_id: int) -> Centre | None:
    """Which centre a person turns to."""
    return _centre_of(holder_id, newest_pair(holder_id))


def _centre_of(holder_id: int, pair: Pair | None) -> Centre | None:
    if pair is not None:
        return pair.centre
    newest = Registration.objects.select_related("centre").filter(holder_id=holder_id).order_by("-pk").first()
    return newest.centre if newest else None
