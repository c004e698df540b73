"""The daily digest: what each centre has to decide, what the clock has done, what has failed, what runs out.

Once a day and service, from the morning on. A late beat tells the same day later; a killed run goes on where the keys
of the mails say; a day without anything to say brings no mail. Case codes only, no names (rules.md R24).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from cms import policy as register
from cms.models import Agreement, CaRequest, Event, Service, Stock
from cms.scope import Scope
from cms.states import CertificateType, RequestState
from notifications import services as outbox
from notifications.catalog import Message
from notifications.errors import NotificationError
from notifications.models import OutboxMessage
from notifications.states import MessageState
from renewals import policy, queries
from renewals.models import DigestDay, RenewalCase, SupportRequest
from renewals.states import SIGNED_STATES, Authorisation, SupportState
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

MOST_COUNTED = 10_000
MOST_CODES = 10
LONGEST_GAP = timedelta(days=7)
_DONE_BY_CLOCK = {
    "suspended": "case.suspension-due",
    "revoked": "case.revocation-due",
    "expired": "case.expired",
}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a digest tells of: from one morning (exclusive) to the next (inclusive)."""

    since: datetime
    until: datetime


def tell_day(*, now: datetime) -> int:
    """Post the digests of today unless they were; returns how many. Before the morning hour nothing happens."""
    day = register.rome_date(now)
    if now < _morning(day) or DigestDay.objects.filter(pk=day).exists():
        return 0
    span = Span(_last_told(day), _morning(day))
    agreements = (
        Agreement.objects.filter(centre__active=True).select_related("centre", "service__successor").order_by("pk")
    )
    posted = sum(_tell(agreement, day, span, now=now) for agreement in agreements)
    DigestDay.objects.get_or_create(day=day, defaults={"told_at": now})
    return posted


def _morning(day: date) -> datetime:
    """Aware, in Rome: on the nights when clocks change there is one morning as on any other."""
    return datetime.combine(day, time(settings.RENEWALS.digest_hour), tzinfo=register.ROME)


def _last_told(day: date) -> datetime:
    """The morning of the last digests, so that nothing falls between two; at most a week ago, at least one day."""
    before = DigestDay.objects.filter(day__lt=day).order_by("-day").values_list("day", flat=True).first()
    last = _morning(before or day - timedelta(days=1))
    return max(last, _morning(day - LONGEST_GAP))


@use_case
def _tell(agreement: Agreement, day: date, span: Span, *, now: datetime) -> int:
    centre, service = agreement.centre, agreement.service
    key = f"{Message.DAILY_DIGEST.value}:{centre.pk}:{service.pk}:{day:%Y-%m-%d}"
    told = _contents(agreement, span, now)
    if not any(told.values()) or OutboxMessage.objects.filter(key=key).exists():
        return 0
    context = told | {
        "centre_name": centre.name,
        "service_name": service.name,
        "day": f"{day:%Y-%m-%d}",
        "panel_url": f"{settings.BASE_URL}{reverse('admin:cases')}",
    }
    try:
        outbox.post(
            key=key,
            message=Message.DAILY_DIGEST,
            to=centre.email,
            context=context,
            at=now,
            centre_id=centre.pk,
            service_id=service.pk,
        )
    except NotificationError as refusal:
        # One centre's address keeps no other centre's mail.
        log.error("digest.refused", centre=centre.pk, error=str(refusal))  # noqa: TRY400 - a trace could show values
        return 0
    return 1


def _contents(agreement: Agreement, span: Span, now: datetime) -> dict[str, Any]:
    scope = Scope(frozenset({agreement.centre_id}), frozenset({agreement.service_id}))
    waiting = queries.waiting_for_decision(scope)
    urged = queries.in_scope(scope).filter(
        authorisation=Authorisation.PENDING, state__in=SIGNED_STATES, urged_at__isnull=False
    )
    told: dict[str, Any] = {}
    told |= _listed("waiting", waiting, lambda case: _deadline(case, now))
    told |= _listed("urged", urged.order_by("urged_at", "id"), lambda case: (case.urged_at, ""))
    for name, verb in _DONE_BY_CLOCK.items():
        told |= _done(name, verb, agreement, span)
    told |= _asking_for_help(agreement)
    told["failures"] = [*_refused_requests(agreement, span), *_undelivered(agreement, span)]
    told["stock"] = _low_stock(agreement)
    return told


def _listed(name: str, rows: QuerySet[RenewalCase], said: Any) -> dict[str, Any]:
    first = list(rows[: settings.RENEWALS.digest_most])
    return {
        name: [_entry(case.code, *said(case)) for case in first],
        f"{name}_total": len(first) if len(first) < settings.RENEWALS.digest_most else rows[:MOST_COUNTED].count(),
    }


def _entry(code: str, at: datetime | None, remark: str) -> dict[str, str]:
    return {"code": code, "at": at.isoformat() if at else "", "remark": remark}


def _deadline(case: RenewalCase, now: datetime) -> tuple[datetime | None, str]:
    """Until when an approval comes in time, and what has happened already."""
    if case.suspended_at is not None:
        return case.due_at, _("Certificati sospesi")
    if now > case.old_not_after:
        return case.due_at, _("Sospensione in corso")
    return policy.authorise_by(case), ""


def _done(name: str, verb: str, agreement: Agreement, span: Span) -> dict[str, Any]:
    """What the clock did to cases of this service; events name the issuing one (rules.md R14)."""
    issuing = {agreement.service.issuing.pk, *agreement.service.campaigns.values_list("issuing_service_id", flat=True)}
    acted = Event.objects.filter(
        centre_id=agreement.centre_id, service_id__in=issuing, verb=verb, at__gt=span.since, at__lte=span.until
    )
    codes = list(acted.order_by("-at", "-id").values_list("case_code", "at")[:MOST_COUNTED])
    if issuing != {agreement.service_id} or _is_issued_for_others(agreement.service):
        mine = set(_of_service(agreement, [code for code, _at in codes]))
        codes = [(code, at) for code, at in codes if code in mine]
    return {
        name: [_entry(code, at, "") for code, at in codes[: settings.RENEWALS.digest_most]],
        f"{name}_total": len(codes),
    }


def _is_issued_for_others(service: Service) -> bool:
    return service.predecessors.exists() or service.issuing_campaigns.exclude(service=service).exists()


def _asking_for_help(agreement: Agreement) -> dict[str, Any]:
    """Requests that are not closed, the oldest first, by number: whoever asks is not named in a mail."""
    asked = SupportRequest.objects.filter(centre_id=agreement.centre_id, service_id=agreement.service_id)
    waiting = asked.exclude(state=SupportState.CLOSED).order_by("opened_at", "id")
    first = list(waiting[: settings.RENEWALS.digest_most])
    taken = _("In carico")
    return {
        "support": [
            _entry(row.number, row.opened_at, taken if row.state == SupportState.ASSIGNED else "") for row in first
        ],
        "support_total": len(first) if len(first) < settings.RENEWALS.digest_most else waiting[:MOST_COUNTED].count(),
    }


def _of_service(agreement: Agreement, codes: Iterable[str]) -> QuerySet[RenewalCase, str]:
    mine = RenewalCase.objects.filter(service_id=agreement.service_id, code__in=list(codes))
    return mine.values_list("code", flat=True)


def _refused_requests(agreement: Agreement, span: Span) -> list[dict[str, Any]]:
    refused = CaRequest.objects.filter(
        centre_id=agreement.centre_id,
        service_id=agreement.service_id,
        state=RequestState.REFUSED,
        settled_at__gt=span.since,
        settled_at__lte=span.until,
    )
    return _failed("requests-refused", refused.order_by("settled_at"))


def _undelivered(agreement: Agreement, span: Span) -> list[dict[str, Any]]:
    """Mails that came back, that were refused, or that were given up after days of trying; the newest first."""
    patience = timedelta(days=settings.NOTIFICATIONS.give_up_days)
    ours = OutboxMessage.objects.filter(centre_id=agreement.centre_id, service_id=agreement.service_id)
    refused = Q(queued_at__gt=span.since, queued_at__lte=span.until)
    given_up = Q(queued_at__gt=span.since - patience, queued_at__lte=span.until - patience)
    failed = ours.filter(refused | given_up, state=MessageState.FAILED)
    bounced = ours.filter(state=MessageState.BOUNCED, bounced_at__gt=span.since, bounced_at__lte=span.until)
    return [
        *_failed("mails-undelivered", failed.order_by("-id")),
        *_failed("mails-bounced", bounced.order_by("-id")),
    ]


def _failed(code: str, rows: QuerySet[Any]) -> list[dict[str, Any]]:
    """One entry, or none; `notifications.digest_words` says it in the reader's language."""
    codes = list(rows.values_list("case_code", flat=True)[:MOST_COUNTED])
    if not codes:
        return []
    named = list(dict.fromkeys(code for code in codes if code))[:MOST_CODES]
    return [{"code": code, "count": len(codes), "cases": named}]


def _low_stock(agreement: Agreement) -> list[dict[str, Any]]:
    low = Stock.objects.filter(centre_id=agreement.centre_id, service_id=agreement.service_id)
    low = low.filter(free__lte=agreement.low_stock_threshold).order_by("type")
    threshold = agreement.low_stock_threshold
    return [{"type": CertificateType(row.type).label, "free": row.free, "threshold": threshold} for row in low]
