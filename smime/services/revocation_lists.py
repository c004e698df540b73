"""Revocation lists of CAs on trusted lists: wanted by a signature that waits, fetched by a job, kept as evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from pki.errors import MalformedInput
from pki.revocation_lists import LARGEST, read_revocation_list
from runtime import claims, nudge
from runtime.transactions import use_case
from smime import policy_signature
from smime.models import RevocationList, RevocationSource
from smime.services import fetching
from smime.services.fetching import DocumentAway, Fetch

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=3)
MOST_AT_ONCE = 20
MOST_PER_ISSUER = 8
FETCH = "smime.tasks.fetch_revocation_lists"
WANTED_FOR = timedelta(days=7)
READ_WITHIN = timedelta(hours=6)


def known(issuers: frozenset[str], now: datetime) -> list[bytes]:
    """Give the newest list (DER) of each source of these CAs (SHA-256 of the name); which of them count shows later.

    Only of sources that were read in the last hours: a list may be good for a week, and the CA has said since that a
    card was stolen. Where none was, the validation finds nothing known, and they are wanted again.
    """
    rows = RevocationList.objects.filter(
        issuer_sha256__in=issuers, this_update_at__lte=now, source__read_at__gte=now - READ_WITHIN
    )
    newest = rows.order_by("source", "-this_update_at", "-pk").distinct("source")
    return [bytes(der) for der in newest.values_list("der", flat=True)[:MOST_PER_ISSUER]]


@use_case
def want(addresses: Iterable[str], *, at: datetime) -> None:
    """Have these fetched at once; the addresses must come from certificates that a listed CA has signed."""
    for address in addresses:
        if len(address) <= 500:
            source, _ = RevocationSource.objects.get_or_create(address=address, defaults={"wanted_at": at})
            RevocationSource.objects.filter(pk=source.pk).update(wanted_at=at, next_attempt_at=at)
    nudge.after_commit(FETCH)


def fetch_due(*, at: datetime, fetch: Fetch = fetching.download) -> int:
    """Fetch what is wanted and due; what cannot be had is tried again, for a week. Returns how many arrived."""
    due = RevocationSource.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at")
    return sum(_fetch(pk, at, fetch) for pk in list(due.values_list("pk", flat=True)[:MOST_AT_ONCE]))


def take_file(name: str, content: bytes, *, at: datetime) -> None:
    """Store a list that lies in the folder of trusted lists."""
    source, _ = RevocationSource.objects.get_or_create(address=f"file:{name}"[:500], defaults={"wanted_at": at})
    try:
        _store(source.pk, content, at)
    except MalformedInput as wrong:
        log.warning("trust.crl-refused", source=source.pk, code=wrong.code)


def _fetch(pk: int, at: datetime, fetch: Fetch) -> bool:
    fence = claims.claim(RevocationSource, pk, at=at, lease=LEASE)
    if fence is None:
        return False
    source = RevocationSource.objects.get(pk=pk)
    try:
        is_new = _store(pk, fetch(source.address, LARGEST), at)
        problem = ""
    except (DocumentAway, MalformedInput) as error:
        is_new, problem = False, str(error)[:40]
        log.warning("trust.crl-away", source=pk, code=problem)
    RevocationSource.objects.filter(pk=pk).update(last_error=problem)
    if problem and at < source.wanted_at + WANTED_FOR:
        claims.release(RevocationSource, pk, fence, next_attempt_at=policy_signature.retry_at(source.attempts, at))
    else:
        claims.settle(RevocationSource, pk, fence)
    return is_new


def _store(source: int, content: bytes, at: datetime) -> bool:
    """Keep the list unless it is there already; True when it is new."""
    facts = read_revocation_list(content)
    RevocationSource.objects.filter(pk=source).update(read_at=at)
    _, is_new = RevocationList.objects.get_or_create(
        source_id=source,
        sha256=facts.sha256,
        defaults={
            "issuer_sha256": facts.issuer_sha256,
            "der": facts.der,
            "this_update_at": facts.this_update_at,
            "next_update_at": facts.next_update_at,
            "fetched_at": at,
        },
    )
    return is_new
