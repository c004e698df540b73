"""What operators act on: chosen halves of a pair, locked in order; and the letter that tells the holder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from cms import events, policy
from cms.actors import Actor
from cms.actors import operator as operator_actor
from cms.contacts import CONTROL
from cms.errors import CauseNotChosen, NotFound, WrongCentre
from cms.models import Certificate, Pair, User
from cms.services import deadlines
from cms.services.certificates import Announcement
from cms.states import HoldCause
from notifications.catalog import CATALOG, Message

LONGEST_NOTE = 300
_RELATED = ("agreement", "centre", "service", "holder", "card")


@dataclass(frozen=True, slots=True)
class Choice:
    """One or both certificates of a pair, as a page names them; `case_code` where the pair was born in a case."""

    pair_id: int
    certificate_ids: frozenset[int]
    case_code: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The same, read and locked."""

    pair: Pair
    halves: list[Certificate]
    case_code: str


def locked(choice: Choice, operator: User) -> Chosen:
    """Lock the chosen certificates by id; raise unless the operator works at the centre that they belong to."""
    pair = Pair.objects.select_related(*_RELATED).get(pk=choice.pair_id)
    if not policy.is_member(operator, pair.centre_id):
        raise WrongCentre(ELSEWHERE)
    policy.require_member(operator, pair.centre_id, policy.DECIDING_ROLES)
    return _locked(pair, choice)


def locked_of(choice: Choice, holder_id: int) -> Chosen:
    """Lock the chosen certificates by id; raise unless they belong to that holder."""
    pair = Pair.objects.select_related(*_RELATED).filter(pk=choice.pair_id, holder_id=holder_id).first()
    if pair is None:
        raise NotFound
    return _locked(pair, choice)


def _locked(pair: Pair, choice: Choice) -> Chosen:
    found = Certificate.objects.select_for_update(of=("self",), no_key=True).select_related("pair").order_by("pk")
    halves = list(found.filter(pair=pair, pk__in=choice.certificate_ids))
    if not halves or len(halves) != len(choice.certificate_ids):
        raise CauseNotChosen
    return Chosen(pair, halves, choice.case_code)


ELSEWHERE = _(
    "Il certificato appartiene a un altro CDRL: da qui non si può sospendere, riattivare o revocare. "
    "Il titolare si rivolga al CDRL che lo ha emesso."
)


def clean_note(text: str) -> str:
    """The note as it is kept: one line, without control characters."""
    return " ".join(CONTROL.sub(" ", text).split())[:LONGEST_NOTE]


def record(verb: str, chosen: Chosen, *, operator: User, at: datetime, reason: str, note: str = "") -> None:
    """Append one event for each half that an operator has acted on."""
    record_by(operator_actor(operator), verb, chosen, at=at, reason=reason, note=note)


def record_by(actor: Actor, verb: str, chosen: Chosen, *, at: datetime, reason: str, note: str = "") -> None:
    """Append one event for each half."""
    pair = chosen.pair
    for half in chosen.halves:
        facts = {"type": half.type} | ({"note": note} if note else {})
        events.record(
            verb,
            actor=actor,
            at=at,
            reason=reason,
            centre_id=pair.centre_id,
            service_id=pair.service_id,
            case_code=chosen.case_code,
            holder_id=pair.holder_id,
            card_id=pair.card_id,
            certificate_id=half.pk,
            facts=facts,
        )


def letter(chosen: Chosen, message: Message, *, at: datetime, **more: Any) -> Announcement | None:
    """What the holder is told once the CA has acted; None for a holder without a mailbox."""
    holder = chosen.pair.holder
    if not holder.email:
        return None
    return Announcement(
        key=f"{message.value}:pair-{chosen.pair.pk}:{at:%Y%m%dT%H%M%S%f}",
        message=message.value,
        to=holder.email,
        context=_context(chosen, message) | more,
        holder_id=holder.pk,
        centre_id=chosen.pair.centre_id,
        service_id=chosen.pair.service_id,
        language=holder.language,
    )


def suspension(chosen: Chosen, cause: HoldCause, *, at: datetime, days: int) -> dict[str, str]:
    """Until when halves suspended for this cause can be reactivated: the day of their revocation, or their own end."""
    lapses_at = policy.hold_lapses_at(at, days)
    ends = max((half.not_after for half in chosen.halves), default=lapses_at)
    said = {
        "suspended_at": at.isoformat(),
        "revoke_on": lapses_at.isoformat(),
        "entries": deadlines.entry(cause, lapses_at),
    }
    return said | ({"valid_until": ends.isoformat()} if ends < lapses_at else {})


def _context(chosen: Chosen, message: Message) -> dict[str, Any]:
    pair = chosen.pair
    known = {
        "holder_name": pair.holder.full_name,
        "case_code": chosen.case_code,
        "centre_name": pair.centre.name,
        "centre_email": pair.centre.email,
        "centre_phone": pair.centre.phone,
        "purchase_url": pair.centre.purchase_url,
        "service_name": pair.service.name,
        "card_serial": str(pair.card or pair.get_medium_display()),
        "certificate_types": types_of(chosen.halves),
    }
    return {name: known[name] for name in CATALOG[message].shapes if name in known}


def types_of(halves: Sequence[Certificate]) -> str:
    """Name the types of some certificates in a line."""
    return ", ".join(str(half.get_type_display()) for half in halves)


def said(sentence: str, note: str) -> str:
    """A reason as letters give it: what happened, then the operator's own words."""
    return f"{sentence}\n{note}" if note else sentence


def ids(halves: Collection[Certificate]) -> frozenset[int]:
    """Ids of some certificates."""
    return frozenset(half.pk for half in halves)
