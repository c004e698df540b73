"""Fetching trusted lists: asked for only where another version lies there, and the lists that changed Europe's signers.

Which version is known is remembered in the cache: losing it costs a download, and never a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache

from pki import trust_lists
from pki.errors import PkiError
from pki.trust_lists import LARGEST_LIST
from smime.models import TrustedList
from smime.services.fetching import DocumentAway, Stamps, Web

log = structlog.get_logger(__name__)

PIVOT = "EU-PIVOT"
"""Stands as the territory of a list of lists that is kept because it named other signers; it is never in force."""
_REMEMBERED_SECONDS = int(timedelta(days=30).total_seconds())


def fetch(address: str, known: TrustedList | None, web: Web) -> bytes | None:
    """Get a list, or None where it is away or still the `known` one, whose bytes the server's stamps belong to."""
    try:
        found = web.get(address, LARGEST_LIST, _stamps(address, known))
    except DocumentAway as away:
        log.warning("trust.list-away", address=address, code=str(away))
        return None
    if found is None:
        return None
    facts = (trust_lists.digest_of(found.content), found.stamps.etag, found.stamps.modified)
    cache.set(_key(address), facts, _REMEMBERED_SECONDS)
    return found.content


def signers(xml: bytes, pinned: Sequence[bytes]) -> Sequence[bytes]:
    """Say who signs this list of lists: those who are pinned, or whom they have named since, step by step.

    The list names the older ones that changed its signers. Each that is known and signed by those of its time puts the
    next ones in their place; one from before the pinned ones' time is signed by nobody of them, and passed over.
    """
    known = {row.source: row for row in TrustedList.objects.filter(territory=PIVOT)}
    for address in trust_lists.claimed_pivots(xml):
        row = known.get(address)
        if row is not None:
            pinned = _named_by(bytes(row.xml), pinned) or pinned
    return pinned


def fetch_pivots(xml: bytes, pinned: Sequence[bytes], web: Web, *, at: datetime) -> None:
    """Fetch what a list of lists says has changed its signers, the oldest first; for one that the known ones deny.

    Nobody has signed these addresses yet, so only those on the list's own server are gone to.
    """
    own = urlsplit(settings.SMIME.trusted_lists_url).hostname
    current = pinned
    for address in trust_lists.claimed_pivots(xml):
        row = TrustedList.objects.filter(territory=PIVOT, source=address).first()
        if row is None and urlsplit(address).hostname == own and len(address) <= 300:
            row = _pivot(address, current, web, at)
        if row is not None:
            current = _named_by(bytes(row.xml), current) or current


def _pivot(address: str, current: Sequence[bytes], web: Web, at: datetime) -> TrustedList | None:
    xml = fetch(address, None, web)
    if xml is None or not _named_by(xml, current):
        return None
    header = trust_lists.claimed_header(xml)
    log.info("trust.signers-changed", sequence=header.sequence)
    row, _ = TrustedList.objects.get_or_create(
        territory=PIVOT,
        sha256=trust_lists.digest_of(xml),
        defaults={
            "sequence": header.sequence,
            "issued_at": header.issued_at,
            "next_update_at": header.next_update_at or header.issued_at,
            "xml": xml,
            "source": address,
            "loaded_at": at,
        },
    )
    return row


def _named_by(xml: bytes, current: Sequence[bytes]) -> Sequence[bytes]:
    """Give whom this list of lists names as its signers, if one of the current ones has signed it."""
    try:
        found = trust_lists.verify_list(xml, current)
    except PkiError:
        return ()
    return trust_lists.successors(found) if found.header.is_list_of_lists else ()


def _stamps(address: str, known: TrustedList | None) -> Stamps:
    """Give the stamps of the known version; those of other bytes would hide what we do not have."""
    digest, etag, modified = cache.get(_key(address)) or ("", "", "")
    return Stamps(etag, modified) if known is not None and known.sha256 == digest else Stamps()


def _key(address: str) -> str:
    return f"trust.stamps.{hashlib.sha256(address.encode()).hexdigest()}"
