"""What must be true at any moment: register = CA ledger = stock = outbox. Reads everything, writes nothing.

Run after every fault test and, by the operator of the installation, nightly and after a restore
(`manage.py invariants`). docs/operating.md explains each id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from cms import ca, registers
from cms import policy as register
from cms.models import CaRequest, Certificate, Event, Stock, StockMovement
from cms.registers import Register
from cms.states import CertificateStatus, Flow, MovementKind, RequestState
from notifications.models import OutboxMessage
from pki.gateway import CertificateRef, LedgerLine, StatusKind
from renewals import policy, queries
from renewals.models import RenewalCase
from renewals.services import notices
from renewals.states import CaseState, Due, Notice

LAG = timedelta(minutes=5)
UNKNOWN_LIMIT = timedelta(minutes=10)
_OPEN = [RequestState.PLANNED, RequestState.SENT]
_AT_CA = {
    CertificateStatus.ISSUED: StatusKind.GOOD,
    CertificateStatus.ACTIVE: StatusKind.GOOD,
    CertificateStatus.HELD: StatusKind.HELD,
    CertificateStatus.REVOKED: StatusKind.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that is not as it must be."""

    invariant: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.detail}"


def breaches(*, now: datetime) -> list[Breach]:
    """Every breach, in the order of the checks; an empty list is the only good answer."""
    checks = (_stock_sums, _stock_of_cases, _ledger, _overdue, _plans, _events_of_cases, _outbox, _warnings, _unsettled)
    return [breach for check in checks for breach in check(now)]


def _stock_sums(_now: datetime) -> Iterator[Breach]:
    summed = Stock.objects.annotate(
        moved_free=Coalesce(Sum("movements__free_change"), 0),
        moved_reserved=Coalesce(Sum("movements__reserved_change"), 0),
    )
    for row in summed.exclude(free=F("moved_free"), reserved=F("moved_reserved")):
        yield Breach("I2", f"stock {row.pk}", f"{row.free}/{row.reserved} is not {row.moved_free}/{row.moved_reserved}")


def _stock_of_cases(_now: datetime) -> Iterator[Breach]:
    """A waiting case holds one reservation a type; a completed one was debited once; the rest hold nothing."""
    for case in RenewalCase.objects.filter(signed_at__isnull=False).select_related("issuing_service").iterator():
        kinds = list(StockMovement.objects.filter(case_code=case.code).values_list("kind", flat=True))
        types = len(case.types)
        settled = kinds.count(MovementKind.DEBIT) + kinds.count(MovementKind.RELEASE)
        waits = case.state == CaseState.AWAITING_INSTALLATION
        if kinds.count(MovementKind.RESERVATION) != types or settled != (0 if waits else types):
            yield Breach("I2", case.code, f"{case.state} with movements {sorted(kinds)}")
        if case.completed_at is not None and kinds.count(MovementKind.DEBIT) != types:
            yield Breach("I2", case.code, "completed without one debit a type")


def _ledger(_now: datetime) -> Iterator[Breach]:
    """The CA's own ledger and the register agree, but for what is still being asked."""
    at_ca: dict[CertificateRef, LedgerLine] = {}
    for line in ca.gateway().ledger():
        at_ca[line.ref] = line
    seen: set[CertificateRef] = set()
    for each in registers.every():
        yield from _registered(each, at_ca, seen)
    yield from _orphans(at_ca, seen)


def _registered(kept: Register, at_ca: dict[CertificateRef, LedgerLine], seen: set[CertificateRef]) -> Iterator[Breach]:
    """Hold one register against the CA; `seen` takes in what was looked at."""
    asked = set(kept.open_requests().values_list("certificate_id", flat=True))
    issuers = {ref.issuer_key_id for ref in at_ca}
    for row in kept.certificates.only("pk", "issuer_key_id", "serial", "spki_sha256", "status").iterator():
        ref = CertificateRef(bytes.fromhex(row.issuer_key_id), int(row.serial, 16))
        seen.add(ref)
        known, subject = at_ca.get(ref), f"{kept.noun} {row.pk}"
        if known is None:
            if ref.issuer_key_id in issuers:
                yield Breach("I3", subject, "is not in the CA's ledger")
        elif known.spki_sha256.hex() != row.spki_sha256:
            yield Breach("I14", subject, "has another key at the CA")
        elif row.pk not in asked and known.status.kind != _AT_CA[CertificateStatus(row.status)]:
            yield Breach("I6", subject, f"is {row.status} here, {known.status.kind} at the CA")


def _orphans(at_ca: dict[CertificateRef, LedgerLine], seen: set[CertificateRef]) -> Iterator[Breach]:
    pending = {uid for each in registers.every() for uid in each.open_requests().values_list("uid", flat=True)}
    for ref, line in at_ca.items():
        if ref not in seen and line.request_id not in pending:
            yield Breach("I3", f"serial {ref.serial:x}", "is at the CA and unknown here")


def _overdue(now: datetime) -> Iterator[Breach]:
    late = now - LAG
    # What a stop holds back is not overdue, and not at once when it has ended.
    is_stopped = any(queries.stop_in_force(instant) for instant in (now, late))
    overdue = RenewalCase.objects.filter(due_at__lt=late).exclude(due_kind=Due.REVOKE if is_stopped else "")
    for code, kind in overdue.values_list("code", "due_kind"):
        yield Breach("I4", code, f"{kind} is overdue")
    for code in queries.withdrawn_and_alive().values_list("code", flat=True):
        yield Breach("I4", code, "has no clock, and a certificate that nobody revokes")
    held = queries.standing_holds().filter(queries.unexpired(late), lapses_at__lt=late)
    alive = held.none() if is_stopped else held.exclude(certificate__status=CertificateStatus.REVOKED)
    for pk in alive.values_list("pk", flat=True):
        yield Breach("I4", f"hold {pk}", "has lapsed and its certificate is not revoked")
    standing = Q(holds__lifted_at__isnull=True, holds__ended_at__isnull=True, holds__isnull=False)
    counted = Certificate.objects.annotate(standing=Count("holds", filter=standing), asked=_asked())
    # A hold that outlives its certificate ends without a revocation: such a half stays held, for nothing.
    wrong = counted.filter(asked=0, not_after__gt=now - register.ONE_SECOND).filter(
        Q(status=CertificateStatus.HELD, standing=0) | Q(status=CertificateStatus.ACTIVE, standing__gt=0)
    )
    for row in wrong:
        yield Breach("I4", f"certificate {row.pk}", f"is {row.status} with {row.standing} standing holds")


def _asked() -> Count:
    return Count("ca_requests", filter=Q(ca_requests__state__in=_OPEN), distinct=True)


def _plans(_now: datetime) -> Iterator[Breach]:
    """The stored next automatic action is what the rule says from the row's own facts."""
    for case in RenewalCase.objects.iterator():
        kind, due_at = policy.next_automatic(case)
        if (case.due_kind, case.due_at) != (kind, due_at):
            yield Breach("I13", case.code, f"plans {case.due_kind} {case.due_at}, the rule says {kind} {due_at}")
        kind, notice_at = policy.next_notice(case)
        if (case.notice_kind, case.notice_at) != (kind, notice_at):
            told = f"plans the notice {case.notice_kind} {case.notice_at}, the rule says {kind} {notice_at}"
            yield Breach("I13", case.code, told)
    for hold in queries.standing_holds():
        if hold.notice_at != register.next_warning(hold, settings.CMS.notice_days):
            yield Breach("I13", f"hold {hold.pk}", f"plans a warning on {hold.notice_at}, the rule says otherwise")


_EXPECTED_EVENTS = {
    "case.opened": Q(),
    "case.signed": Q(flow=Flow.ENROLL, signed_at__isnull=False),  # an extension has case.terms-accepted
    "case.completed": Q(completed_at__isnull=False),
    "case.approved": Q(authorisation="approved"),
    "case.cancelled": Q(state=CaseState.CANCELLED) & ~Q(close_reason="refused"),
    "case.expired": Q(state=CaseState.EXPIRED, close_reason="old-certificate-expired"),
    "case.revocation-due": Q(state=CaseState.EXPIRED, close_reason="approval-lapsed"),
    "case.suspension-due": Q(suspended_at__isnull=False),
}


def _events_of_cases(_now: datetime) -> Iterator[Breach]:
    """Exactly one event for each change of state."""
    for verb, condition in _EXPECTED_EVENTS.items():
        told = dict(
            Event.objects.filter(verb=verb).values_list("case_code").annotate(times=Count("id")).order_by("case_code")
        )
        meant = set(RenewalCase.objects.filter(condition).values_list("code", flat=True))
        for code in meant | set(told):
            if told.get(code, 0) != (1 if code in meant else 0):
                yield Breach("I8", code, f"{verb} was told {told.get(code, 0)} times")


# Extensions sign no form and invite nobody (rules.md R29).
_EXPECTED_MAILS = {
    "signed-form": Q(flow=Flow.ENROLL, signed_at__isnull=False),
    "renewal-notice": Q(flow=Flow.ENROLL),
}


def _outbox(_now: datetime) -> Iterator[Breach]:
    """Each due notice has its row; a sent one has kept no secret."""
    for kind, condition in _EXPECTED_MAILS.items():
        posted = set(OutboxMessage.objects.filter(kind=kind).values_list("case_code", flat=True))
        reachable = RenewalCase.objects.filter(condition, holder__email__isnull=False)
        for code in reachable.exclude(code__in=posted).values_list("code", flat=True):
            yield Breach("I7", code, f"no {kind} was posted")
    done = Q(kind__in=["renewal-done", "renewal-done-to-authorise"])
    posted = set(OutboxMessage.objects.filter(done).values_list("case_code", flat=True))
    completed = RenewalCase.objects.filter(completed_at__isnull=False, holder__email__isnull=False)
    for code in completed.exclude(code__in=posted).values_list("code", flat=True):
        yield Breach("I7", code, "no mail told the user code")
    for key in OutboxMessage.objects.filter(state="sent", sealed_context__isnull=False).values_list("key", flat=True):
        yield Breach("I9", key, "was sent and still holds its secret")


def _warnings(now: datetime) -> Iterator[Breach]:
    """Each threshold that has passed was told, once, or a nearer one; and what is told has its reason."""
    late = now - LAG
    for code, kind in RenewalCase.objects.filter(notice_at__lt=late).values_list("code", "notice_kind"):
        yield Breach("I7", code, f"{kind} is overdue")
    for pk in queries.standing_holds().filter(notice_at__lt=late).values_list("pk", flat=True):
        yield Breach("I7", f"hold {pk}", "its warning is overdue")
    told = RenewalCase.objects.exclude(notice_kind="").filter(noticed_at__isnull=False, holder__email__isnull=False)
    for case in told.select_related("holder"):
        counted = policy.countdown(case)
        if counted is None or case.noticed_at is None or case.noticed_at < _began(case, counted.kind):
            continue
        kind = notices.MESSAGE_OF[counted.kind]
        if not OutboxMessage.objects.filter(case_code=case.code, kind=kind, created_at=case.noticed_at).exists():
            yield Breach("I7", case.code, f"no {kind} was posted at {case.noticed_at}")


def _began(case: RenewalCase, kind: Notice) -> datetime:
    """Since when the case counts down to its present end; what was told before concerned another."""
    since = {Notice.SUSPENSION: case.completed_at, Notice.REVOCATION: case.suspended_at}.get(kind)
    return since or case.opened_at


def _unsettled(now: datetime) -> Iterator[Breach]:
    """Nothing asked of the CA stays open for long without somebody seeing it."""
    late = CaRequest.objects.filter(state__in=_OPEN, asked_at__lt=now - UNKNOWN_LIMIT)
    for key in late.values_list("natural_key", flat=True):
        yield Breach("I13", key, "is unsettled for more than ten minutes")
