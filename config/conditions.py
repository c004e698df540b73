"""What the watchmen look for: conditions under which a person must look at the installation now.

Each function reads a few rows by an index and returns what it found, or None when all is well. Thresholds are those of
docs/operating.md; an effect that may take a moment is no alarm before `LATE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from authority import queries as authority
from cms.models import CaRequest, SealCheck, StatusCheck
from cms.states import RequestKind, RequestState
from config.models import Canary
from notifications import queries as outbox
from notifications.alarm_words import MOST
from renewals import queries as renewals
from smime import queries_ca as mail_ca
from smime import queries_idp as idp
from smime import queries_trust as smime

LATE = timedelta(minutes=5)
UNKNOWN = timedelta(minutes=10)
LONGEST_MAIL_WAIT = timedelta(minutes=15)
LONGEST_JUDGEMENT = timedelta(hours=1)
LONGEST_IDENTIFICATION = timedelta(minutes=30)
REFUSALS_SHOWN = timedelta(days=1)
LONGEST_SILENCE = timedelta(minutes=2, seconds=30)
"""Of beat and canary. With the watchmen's 30 seconds between two looks the alarm stands after three minutes."""
CRL_MARGIN = timedelta(minutes=10)
"""The publisher renews a list when half its life is over: only this much later is it late."""

SCHEDULE, BEAT, WATCH, WATCH_SINCE = "schedule", "beat", "watch", "watch-since"
"""Canaries: written by a task (beat, broker, worker and database work); by the process of beat about its own loop; by
the watchmen at each look; and at their first look after nobody had looked for a while."""
_OPEN = (RequestState.PLANNED, RequestState.SENT)


@dataclass(frozen=True, slots=True)
class Finding:
    """How much of it there is (up to `MOST`; 1 where nothing is counted), and since when it has been so."""

    count: int
    since: datetime | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """As an alarm stores it."""
        return {"count": self.count, "since": self.since.isoformat() if self.since else None}


def overdue_suspensions(now: datetime) -> Finding | None:
    """Cases that the sweep should have suspended, and suspensions that the CA has not carried out."""
    late = now - LATE
    wished = _either(_wishes(RequestKind.HOLD, late), _of(mail_ca.open_holds(late), "asked_at"))
    return _either(_of(renewals.cases_to_suspend(late), "due_at"), wished)


def overdue_revocations(now: datetime) -> Finding | None:
    """Revocations of day 121 that are late, unless a stop is or was in force; and those that the CA has not made."""
    late = now - LATE
    wished = _either(_wishes(RequestKind.REVOKE, late), _of(mail_ca.late_revocations(late, now), "asked_at"))
    if renewals.stop_in_force(now) or renewals.stop_in_force(late):
        return wished  # afterwards the sweep has its five minutes again
    due = _either(_of(renewals.cases_to_lapse(late), "due_at"), _of(renewals.holds_to_revoke(late), "lapses_at"))
    return _either(due, wished)


def silent_canary(now: datetime) -> Finding | None:
    """No task of the schedule has ended for a while: broker, workers or beat stand still."""
    return _silence(SCHEDULE, now)


def silent_beat(now: datetime) -> Finding | None:
    """Beat does not say that it is alive."""
    return _silence(BEAT, now)


def old_lists(now: datetime) -> Finding | None:
    """A list of revocations whose half life is over, and which the publisher should have renewed."""
    published = [age for age in authority.list_ages() if age.this_update is not None]
    old = [age for age in published if age.used_up(now - CRL_MARGIN) >= 0.5]
    return Finding(len(old), min(age.this_update for age in old if age.this_update)) if old else None


def unpublished_changes(now: datetime) -> Finding | None:
    """A suspension, reactivation or revocation that no list shows yet."""
    since = authority.oldest_unpublished()
    return Finding(1, since) if since is not None and since <= now - LATE else None


def unknown_outcomes(now: datetime) -> Finding | None:
    """The CA was asked, and nobody knows what it did."""
    return _either(_asked(RequestState.SENT, now), _of(mail_ca.unanswered(now - UNKNOWN), "asked_at"))


def unasked_requests(now: datetime) -> Finding | None:
    """The CA was not even asked."""
    return _either(_asked(RequestState.PLANNED, now), _of(mail_ca.unasked(now - UNKNOWN), "next_attempt_at"))


def refused_requests(now: datetime) -> Finding | None:
    """The CA has refused something for good within the last day."""
    since = now - REFUSALS_SHOWN
    refused = CaRequest.objects.filter(state=RequestState.REFUSED, settled_at__gt=since)
    return _either(_of(refused, "settled_at"), _of(mail_ca.refused(since), "settled_at"))


def overdue_notices(now: datetime) -> Finding | None:
    """Reminders and warnings that nobody has posted, and mails that nobody takes up although the server is there."""
    late = now - LATE
    lying = _of(outbox.left_lying(since=late), "next_attempt_at")
    due = [renewals.late_notices(late, now), renewals.late_warnings(late, now)]
    return _either(_either(_of(due[0], "notice_at"), _of(due[1], "notice_at")), lying)


def late_mails(now: datetime) -> Finding | None:
    """A mail waits for longer than a slow server explains."""
    waiting = outbox.oldest_waiting(at=now)
    return Finding(1, now - waiting) if waiting is not None and waiting > LONGEST_MAIL_WAIT else None


def status_differences(_now: datetime) -> Finding | None:
    """The last complete check from outside has found certificates about which not all agree."""
    last = StatusCheck.objects.filter(finished_at__isnull=False).order_by("-pk").first()
    return _of(last.differences.all(), "found_at") if last else None


def broken_chain(_now: datetime) -> Finding | None:
    """The last verification of the event trail did not hold."""
    last = SealCheck.objects.order_by("-pk").first()
    return Finding(last.findings, last.at) if last and last.findings else None


def old_trust(now: datetime) -> Finding | None:
    """A trusted list is beyond its next update, or signed forms wait for one, for a CRL or for the scanner."""
    lists = smime.outdated_lists(now)
    lapsed = Finding(len(lists), lists[0]) if lists else None
    return _either(lapsed, _of(smime.signatures_waiting(now - LONGEST_JUDGEMENT), "file__uploaded_at"))


def silent_provider(now: datetime) -> Finding | None:
    """People wait for the identification provider, which does not answer; or what it has announced is not fetched."""
    since = now - LONGEST_IDENTIFICATION
    announced = _either(_of(idp.unfetched(since), "final_told_at"), _of(idp.unread(since), "received_at"))
    waiting = _of(idp.waiting(since), "created_at")
    return announced if waiting is None or idp.has_answered(since) else _either(waiting, announced)


CONDITIONS: Mapping[str, Callable[[datetime], Finding | None]] = {
    "revocations-overdue": overdue_revocations,
    "suspensions-overdue": overdue_suspensions,
    "beat-silent": silent_beat,
    "schedule-silent": silent_canary,
    "crl-old": old_lists,
    "publication-late": unpublished_changes,
    "ca-outcome-unknown": unknown_outcomes,
    "ca-unasked": unasked_requests,
    "ca-refused": refused_requests,
    "notices-overdue": overdue_notices,
    "mail-late": late_mails,
    "status-differs": status_differences,
    "chain-broken": broken_chain,
    "trust-old": old_trust,
    "identification-silent": silent_provider,
}
"""What is looked at, the gravest first. The names are stored, logged and shown in `sigillo_alarm_open{kind}`."""


def age_of(canary: str, now: datetime) -> timedelta | None:
    """How long ago it sang; None where it never has."""
    sang_at = Canary.objects.filter(name=canary).values_list("sang_at", flat=True).first()
    return None if sang_at is None else max(now - sang_at, timedelta(0))


def _silence(canary: str, now: datetime) -> Finding | None:
    """After a time in which nobody watched, all had stopped: what starts again is given its whole time to sing."""
    ages = [age for age in (age_of(canary, now), age_of(WATCH_SINCE, now)) if age is not None]
    silent = min(ages, default=timedelta(0))
    return Finding(1, now - ages[0]) if silent > LONGEST_SILENCE else None


def _wishes(kind: RequestKind, late: datetime) -> Finding | None:
    return _of(CaRequest.objects.filter(state__in=_OPEN, kind=kind, asked_at__lte=late), "asked_at")


def _asked(state: RequestState, now: datetime) -> Finding | None:
    return _of(CaRequest.objects.filter(state=state, asked_at__lte=now - UNKNOWN), "asked_at")


def _of(rows: QuerySet[Any], since: str) -> Finding | None:
    """Count up to `MOST`, the oldest first, in one statement."""
    found = list(rows.order_by(since).values_list(since, flat=True)[:MOST])
    return Finding(len(found), found[0]) if found else None


def _either(one: Finding | None, other: Finding | None) -> Finding | None:
    if one is None or other is None:
        return one or other
    return Finding(min(one.count + other.count, MOST), min(filter(None, (one.since, other.since)), default=None))
