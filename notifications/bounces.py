"""What becomes of a mail after the server took it: the provider's signed reports, stored once each, then settled.

Storing and settling are two steps: a return may be reported before our own mark of the sending is committed, and the
case it concerns belongs to a package above this one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.conf import settings

from notifications.errors import ReportUnreadable, ReportUnsigned
from notifications.models import BounceReport, OutboxMessage
from notifications.states import BounceKind, MessageState

SIGNED_WITHIN = timedelta(minutes=5)
OLDEST_REPORT = timedelta(days=60)
"""A provider tries a mail for days; what is reported later than this is not about a mail of ours."""
_SIGNATURE_PREFIX = "sha256="
_FIELDS: Mapping[str, re.Pattern[str]] = {
    "reference": re.compile(r"[!-~]{1,120}"),
    "message_id": re.compile(r"<[!-;=?-~]{1,99}@[!-;=?-~]{1,98}>"),
    "kind": re.compile("|".join(BounceKind.values)),
    "status": re.compile(r"|[245]\.\d{1,3}\.\d{1,3}"),  # RFC 3463
    "reported_at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One report as the provider sent it."""

    reference: str
    message_id: str
    kind: BounceKind
    status: str
    reported_at: datetime


def signature_of(body: bytes, *, timestamp: str, secret: bytes) -> str:
    """Sign a report: HMAC-SHA256 over the timestamp, a full stop and the bytes of the body."""
    return _SIGNATURE_PREFIX + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def require_signed(body: bytes, *, timestamp: str, signature: str, at: datetime) -> None:
    """Refuse a report that no secret of ours signed, or that was signed more than five minutes from now.

    Every secret is compared, in constant time. Raises ReportUnsigned.
    """
    given = signature.encode("ascii", "replace")
    secrets = settings.NOTIFICATIONS.webhook_secrets
    stamp = timestamp if re.fullmatch(r"[0-9]{1,12}", timestamp) else ""
    fits = [
        hmac.compare_digest(signature_of(body, timestamp=stamp, secret=secret).encode(), given) for secret in secrets
    ]
    if not stamp or not any(fits) or abs(at.timestamp() - int(stamp)) > SIGNED_WITHIN.total_seconds():
        raise ReportUnsigned


def parsed(body: bytes, *, at: datetime) -> Report:
    """Read a signed body: one flat JSON object of exactly our fields, each said once. Raises ReportUnreadable."""
    try:
        said = json.loads(body.decode(), object_pairs_hook=_said_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ReportUnreadable("body") from None
    if not isinstance(said, dict) or set(said) != set(_FIELDS):
        raise ReportUnreadable("fields")
    for name, pattern in _FIELDS.items():
        if not isinstance(said[name], str) or not pattern.fullmatch(said[name]):
            raise ReportUnreadable(name)
    reported_at = _instant(said["reported_at"], at)
    return Report(said["reference"], said["message_id"], BounceKind(said["kind"]), said["status"], reported_at)


def store_report(report: Report, *, at: datetime) -> bool:
    """Keep the report; False when its reference was told before. Unknown mails and good news are settled at once."""
    message = OutboxMessage.objects.filter(message_id=report.message_id).only("pk").first()
    waits = message is not None and report.kind == BounceKind.HARD
    row = BounceReport(
        reference=report.reference,
        message=message,
        kind=report.kind,
        status=report.status,
        reported_at=report.reported_at,
        received_at=at,
        settled_at=None if waits else at,
    )
    before = BounceReport.objects.filter(reference=report.reference).exists()
    BounceReport.objects.bulk_create([row], ignore_conflicts=True)  # of a hundred at once, one is stored
    return not before


def settle_returns(*, at: datetime, most: int = 200) -> list[BounceReport]:
    """Mark the mails that came back, in the caller's transaction; return the reports that changed one.

    A mail that is still queued (the server has it, our mark is not committed yet) is left for the next time.
    """
    waiting = BounceReport.objects.filter(settled_at__isnull=True).exclude(message__state=MessageState.QUEUED)
    reports = list(
        waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("message")
        .defer("message__sealed_context", "message__context")
        .order_by("pk")[:most]
    )
    BounceReport.objects.filter(pk__in=[report.pk for report in reports]).update(settled_at=at)
    first = {report.message_id: report for report in reversed(reports) if report.message_id}
    sent = OutboxMessage.objects.filter(pk__in=first, state=MessageState.SENT).select_for_update(no_key=True)
    rows = list(sent.order_by("pk").only("pk"))
    for row in rows:
        row.state, row.bounced_at = MessageState.BOUNCED, min(first[row.pk].reported_at, at)
    OutboxMessage.objects.bulk_update(rows, ["state", "bounced_at"])
    return [first[row.pk] for row in rows]


def _instant(text: str, at: datetime) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ReportUnreadable("reported_at") from None
    if not at - OLDEST_REPORT <= instant <= at + timedelta(days=1):
        raise ReportUnreadable("reported_at")
    return instant


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ReportUnreadable("fields")
    return dict(pairs)


def _refuse_constant(_name: str) -> NoReturn:
    raise ReportUnreadable("body")
