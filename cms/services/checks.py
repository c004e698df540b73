"""The check from outside: registers, CA, lists and OCSP compared, certificate by certificate, every night.

A check is walked in slices that any worker takes up; killed anywhere, the next goes on at the last position. What
disagrees is looked at again after the publication lag, and counts only if it still does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F

from cms import events, registers
from cms.actors import operator as operator_actor
from cms.models import StatusCheck, StatusDifference, User
from cms.outside import HttpWire, Outside, Wire
from cms.policy import ROME, require_administrator, rome_date
from cms.registers import Known, Register
from cms.services.comparing import Comparison
from pki.errors import GatewayError
from runtime import claims, nudge
from runtime.clock import Watch
from runtime.transactions import use_case

log = structlog.get_logger(__name__)

TASK = "cms.tasks.check_statuses"
LEASE = timedelta(seconds=120)
TURN = timedelta(seconds=45)
"""How long one task walks; with one slow slice on top it ends before the tasks' time limit."""
PAUSE = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
"""A night's check that could not begin for so long is left to the next night: days are for people."""
SLICE, RECHECKED_SLICE = 1000, 100
LEDGER, LISTS, RECHECK = "ledger", "lists", "recheck"
"""What a walk looks at after the registers, each of which is a stage of its own name."""
_CHECKING = 0xC4EC
"""Number of the advisory lock that lets one check begin at a time."""
_KEY = ("issuer_key_id", "serial", "address", "kind")


@use_case
def start_check(*, operator: User, now: datetime) -> StatusCheck:
    """Begin a check at an administrator's wish; while one is under way, that one is returned."""
    require_administrator(operator)
    check, is_new = _begun(now, operator.pk)
    if is_new:
        events.record("status-check.started", actor=operator_actor(operator), at=now, facts={"check": str(check.uid)})
        nudge.after_commit(TASK)
    return check


@use_case
def begin_check(*, now: datetime) -> StatusCheck:
    """Begin a check for the command line; while one is under way, that one is returned."""
    return _begun(now, None)[0]


@use_case
def begin_nightly(*, now: datetime) -> StatusCheck | None:
    """Begin the check of this night, if it is due and has not begun: once a night, also when clocks change."""
    due = due_tonight(now)
    if not due <= now < due + LONGEST_DELAY or StatusCheck.objects.filter(started_at__gte=due).exists():
        return None
    check, is_new = _begun(now, None, since=due)
    return check if is_new else None


def due_tonight(now: datetime) -> datetime:
    """When the check of this day in Italy begins: of an hour that comes twice, the first time.

    Of an hour that is left out, at the instant that it would have been.
    """
    return datetime.combine(rome_date(now), settings.CMS.status_check_at, tzinfo=ROME)


def carry_out_due(*, at: datetime) -> int:
    """Begin the night's check when it is due, and walk on with what is under way. Returns how many were taken up."""
    begin_nightly(now=at)
    due = StatusCheck.objects.filter(finished_at__isnull=True, next_attempt_at__lte=at).order_by("next_attempt_at")
    ids = [pk for pk, until in due.values_list("pk", "claimed_until") if until is None or until <= at]
    for pk in ids:
        carry_out(pk, at=at)
    return len(ids)


def carry_out(
    check_id: int, *, at: datetime, wire: Wire | None = None, told: Callable[[StatusCheck], None] | None = None
) -> None:
    """Walk until the check ends or this turn is over; claimed by another or ended, nothing happens.

    `told` hears how it stands after each slice. Raises RuntimeError inside a transaction.
    """
    fence = claims.claim(StatusCheck, check_id, at=at, lease=LEASE)
    if fence is None:
        return
    with closing(HttpWire()) as http:
        watch = Watch(at)
        try:
            _Turn(check_id, fence, wire or http, watch).walk(told)
        except (DatabaseError, GatewayError) as busy:
            log.warning("check.interrupted", check=check_id, error=type(busy).__name__)
            claims.release(StatusCheck, check_id, fence, next_attempt_at=watch.now() + PAUSE)


def _begun(now: datetime, started_by: int | None, since: datetime | None = None) -> tuple[StatusCheck, bool]:
    """Store a new check unless one is under way, or has begun since an instant; one at a time asks this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHECKING])
    standing = StatusCheck.objects.filter(finished_at__isnull=True).order_by("pk").first()
    if standing is None and since is not None:
        standing = StatusCheck.objects.filter(started_at__gte=since).first()
    if standing is not None:
        return standing, False
    return StatusCheck.objects.create(started_at=now, next_attempt_at=now, started_by=started_by), True


class _Turn:
    """One worker's walk through some slices of one check."""

    def __init__(self, check_id: int, fence: int, wire: Wire, watch: Watch) -> None:
        """Read the check and what the one before it has seen."""
        self._fence, self._watch, self._wire = fence, watch, wire
        self._check = StatusCheck.objects.get(pk=check_id)
        self._comparison = self._outside_now()

    @property
    def now(self) -> datetime:
        """The door's instant and the time that has passed."""
        return self._watch.now()

    def walk(self, told: Callable[[StatusCheck], None] | None) -> None:
        """Fetch the lists, then do slice after slice."""
        self._keep(self._comparison.fetch_lists(at=self.now), position=self._check.position, checked=0)
        steps: dict[str, Callable[[], bool]] = {each.stage: partial(self._register, each) for each in registers.every()}
        steps |= {LEDGER: self._ledger, LISTS: self._lists, RECHECK: self._recheck}
        while self._check.finished_at is None and self._check.claimed_until is not None:
            if self._watch.elapsed() > TURN:
                claims.release(StatusCheck, self._check.pk, self._fence, next_attempt_at=self.now)
                nudge.send(TASK)
                return
            if not steps[self._check.stage]():
                return
            if told is not None:
                told(self._check)

    def _register(self, register: Register) -> bool:
        """Look at the next certificates of a register; behind its last one comes the next register, or the ledger."""
        rows = register.rows_after(self._check.position, SLICE)
        if not rows:
            stages = [*(each.stage for each in registers.every()), LEDGER]
            return self._go_to(stages[stages.index(register.stage) + 1])
        found = self._comparison.differences(rows, asks_ocsp=self._has_its_night, at=self.now)
        return self._keep(found, position=rows[-1].pk or 0, checked=len(rows))

    def _ledger(self) -> bool:
        """Look in the CA's record for what no register knows."""
        position, strangers = self._comparison.strangers_after(self._check.position, SLICE)
        if position is None:
            return self._go_to(LISTS)
        return self._keep(self._seen_closely(strangers), position=position, checked=0)

    def _lists(self) -> bool:
        """Look on the lists for what neither a register nor the CA knows; one list is one slice."""
        listings = [each for _, each in sorted(self._comparison.outside.lists.items()) if each.listing is not None]
        if self._check.position >= len(listings):
            return self._go_to(RECHECK)
        fetched = listings[self._check.position]
        serials = [f"{int.from_bytes(each, 'big'):x}" for each in fetched.listing.reasons] if fetched.listing else []
        found: list[StatusDifference] = []
        for start in range(0, len(serials), SLICE):
            names = [(fetched.issuer_key_id, serial) for serial in serials[start : start + SLICE]]
            found += self._seen_closely(self._comparison.unknown(names))
        return self._keep(found, position=self._check.position + 1, checked=0)

    def _recheck(self) -> bool:
        """Look again at what was seen long enough ago; wait for the rest; without any the check is done."""
        waiting = self._check.differences.filter(confirmed_at__isnull=True)
        lag = timedelta(seconds=settings.CMS.status_lag_seconds)
        ripe = list(waiting.filter(found_at__lte=self.now - lag).order_by("pk")[:RECHECKED_SLICE])
        if ripe:
            return self._settle(ripe)
        oldest = waiting.order_by("found_at").values_list("found_at", flat=True).first()
        if oldest is None:
            return self._finish()
        claims.release(StatusCheck, self._check.pk, self._fence, next_attempt_at=oldest + lag)
        self._check.refresh_from_db()
        return False

    def _settle(self, ripe: Sequence[StatusDifference]) -> bool:
        """What still disagrees, read anew from everybody, is confirmed; the rest was a change under way."""
        comparison = self._outside_now()
        again = {_name(each): each for each in comparison.fetch_lists(at=self.now)}
        rows = comparison.known((each.issuer_key_id, each.serial) for each in ripe if each.serial)
        for each in comparison.differences(rows, asks_ocsp=lambda _row: True, at=self.now):
            again[_name(each)] = each
        self._confirm(ripe, again)
        return True

    @use_case
    def _confirm(self, ripe: Sequence[StatusDifference], again: dict[tuple[str, ...], StatusDifference]) -> None:
        if not claims.still_mine(StatusCheck, self._check.pk, self._fence):
            return
        for each in ripe:
            same = again.get(_name(each))
            if same is None:
                each.delete()
                continue
            for column in ("certificate_id", "register_status", "ca_status", "crl_status", "ocsp_status"):
                setattr(each, column, getattr(same, column))
            each.confirmed_at = self.now
            each.save()
        StatusCheck.objects.filter(pk=self._check.pk).update(claimed_until=self.now + LEASE)

    def _seen_closely(self, strangers: Sequence[Known]) -> list[StatusDifference]:
        if not strangers:
            return []
        return self._comparison.differences(strangers, asks_ocsp=lambda _row: True, at=self.now)

    def _has_its_night(self, row: Known) -> bool:
        """Whether OCSP is asked about a plainly good certificate: about all where they are few, else in turn."""
        nights = -(-self._check.total // settings.CMS.status_ocsp_most) or 1
        return ((row.pk or 0) + self._check.pk) % nights == 0

    def _outside_now(self) -> Comparison:
        before = StatusCheck.objects.filter(finished_at__isnull=False, pk__lt=self._check.pk).order_by("-pk").first()
        numbers = {address: each["number"] for address, each in before.lists.items()} if before else {}
        return Comparison(Outside(self._wire, self.now, numbers))

    def _go_to(self, stage: str) -> bool:
        return self._write(stage=stage, position=0)

    def _finish(self) -> bool:
        found = self._check.differences.count()
        log.info("check.finished", check=self._check.pk, checked=self._check.checked, differences=found)
        return self._write(finished_at=self.now, next_attempt_at=None, claimed_until=None)

    @use_case
    def _keep(self, found: Sequence[StatusDifference], *, position: int, checked: int) -> bool:
        """Store what a slice has found together with how far it came: a killed worker leaves both or neither."""
        if not claims.still_mine(StatusCheck, self._check.pk, self._fence):
            return False
        for each in found:
            each.check_run = self._check
        StatusDifference.objects.bulk_create(found, ignore_conflicts=True)
        if not self._check.total:
            self._check.total = sum(each.certificates.count() for each in registers.every())
        self._check.lists = {**self._check.lists, **_seen(self._comparison.outside)}
        return self._write(
            position=position, checked=F("checked") + checked, total=self._check.total, lists=self._check.lists
        )

    @use_case
    def _write(self, **columns: object) -> bool:
        """Write how far the check is, while the claim stands; False when another has it."""
        mine = StatusCheck.objects.filter(pk=self._check.pk, fence=self._fence)
        is_mine = bool(mine.update(**{"claimed_until": self.now + LEASE, **columns}))
        self._check.refresh_from_db()
        return is_mine


def _seen(outside: Outside) -> dict[str, dict[str, object]]:
    """What is remembered of the lists."""
    return {
        each.address: {
            "number": each.listing.number,
            "this_update": each.listing.this_update.isoformat(),
            "next_update": each.listing.next_update.isoformat(),
            "entries": len(each.listing.reasons),
        }
        for each in outside.lists.values()
        if each.listing is not None
    }


def _name(difference: StatusDifference) -> tuple[str, ...]:
    return tuple(str(getattr(difference, column)) for column in _KEY)
