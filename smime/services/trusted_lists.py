"""Trusted lists (ETSI TS 119 612): loaded with their signatures verified, never backwards, used while in force.

The list of lists is believed for the sake of pinned certificates, a country's list for the sake of the list of lists.
A list beyond its next update trusts nobody any more: signatures that need it wait, and the watchmen raise an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import structlog
from asn1crypto import pem
from django.conf import settings
from django.db import connection
from pyhanko.sign.validation.qualified.tsp import TSPRegistry

from cms.errors import DomainError
from pki import trust_lists
from pki.errors import BadSignature, PkiError
from pki.qualified_revocation import Everywhere, Trust
from pki.trust_lists import EUROPE, ListHeader, Pointer, VerifiedList
from runtime.transactions import use_case
from smime.errors.signature import (
    TrustedListBackwards,
    TrustedListOutdated,
    TrustedListRefused,
    TrustedListUnknown,
)
from smime.models import TrustedList
from smime.services import list_downloads, revocation_lists
from smime.services.fetching import WEB, Web
from smime.services.list_downloads import PIVOT

log = structlog.get_logger(__name__)

SIGNERS = "signers.pem"
FIRST = "IT"
EVERY_HOURS = 6
LAST_DAY = timedelta(days=1)
_LOCK = 119_612  # one loader at a time, so that no list goes backwards between look and write


@dataclass(frozen=True, slots=True)
class InForce:
    """What may be trusted at an instant: services, countries in doubt, and the rows that it rests on."""

    services: TSPRegistry
    uncertain: frozenset[str]
    is_complete: bool
    rows: tuple[TrustedList, ...]

    def trust(self, now: datetime, answers: tuple[bytes, ...] = ()) -> Trust:
        """As validation takes it, with the revocation lists known at `now`, and what responders have answered."""
        uncertain = self.uncertain if self.is_complete else Everywhere()
        return Trust(self.services, uncertain, lambda names: revocation_lists.known(names, now), answers)


@use_case
def load(xml: bytes, *, at: datetime, source: str = "") -> TrustedList:
    """Verify and store a list of lists or a country's list; the same bytes again are the row that is there.

    Raises `TrustedListRefused` for a wrong signature or structure, `TrustedListOutdated`, `TrustedListBackwards`,
    `TrustedListUnknown` for a country that the list of lists in force does not name.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    digest = trust_lists.digest_of(xml)
    try:
        claimed = trust_lists.claimed_header(xml)
        signers = _expected_signers(xml, claimed, at)
        header = trust_lists.verify_list(xml, signers).header
    except PkiError as wrong:
        raise TrustedListRefused from wrong
    if header.is_list_of_lists != (header.territory == EUROPE):
        raise TrustedListRefused
    known = TrustedList.objects.filter(territory=header.territory, sha256=digest).first()
    if known is not None:
        return known
    return _store(xml, header, digest, at=at, source=source)


def refresh(*, at: datetime, web: Web = WEB) -> int:
    """Bring all lists up to date, from the folder where one is set, else from where the list of lists points to.

    Returns how many new ones were stored. What cannot be had or is refused is logged, and stops none of the others; the
    last one that was had stays in force until its next update.
    """
    folder = settings.SMIME.trusted_lists_folder
    if folder:
        return _from_folder(Path(folder), at)
    stored = _take_list_of_lists(web, at)
    rows = _newest()
    known = _pointers(rows[EUROPE]) if EUROPE in rows else {}
    for pointer in sorted(known.values(), key=lambda each: (each.territory != FIRST, each.territory)):
        row = rows.get(pointer.territory)
        if row is None or _is_turn(row, at):
            stored += _take(pointer.location, row, web, at)
    return stored


def in_force(now: datetime) -> InForce:
    """Say whom the newest lists trust at `now`. Without a list of lists in force: nobody, and all is in doubt."""
    rows = _newest()
    europe = rows.get(EUROPE)
    if europe is None or not _is_in_force(europe, now):
        return InForce(TSPRegistry(), frozenset(), is_complete=False, rows=())
    pointers = _pointers(europe)
    usable = tuple(rows[each] for each in sorted(pointers) if each in rows and _is_in_force(rows[each], now))
    services, doubted = _services(europe.sha256, tuple(row.sha256 for row in usable))
    uncertain = frozenset(pointers) - {row.territory for row in usable} | doubted
    return InForce(services, uncertain, is_complete=bool(pointers), rows=(europe, *usable))


def outdated(now: datetime) -> list[TrustedList]:
    """Return the newest list of each country, and of all, that is beyond its next update; for the watchmen."""
    return [row for row in _newest().values() if not _is_in_force(row, now)]


def _expected_signers(xml: bytes, claimed: ListHeader, at: datetime) -> Sequence[bytes]:
    """Who must have signed a list that claims to be this one."""
    if claimed.is_list_of_lists:
        return list_downloads.signers(xml, anchors())
    europe = _newest().get(EUROPE)
    pointer = _pointers(europe).get(claimed.territory) if europe is not None and _is_in_force(europe, at) else None
    if pointer is None:
        raise TrustedListUnknown
    return pointer.signers


def anchors() -> tuple[bytes, ...]:
    """Give the pinned signers (DER) of the list of lists: those of the settings, the folder's, else the library's."""
    folder = settings.SMIME.trusted_lists_folder
    pinned = settings.SMIME.trusted_lists_signers or (str(Path(folder) / SIGNERS) if folder else "")
    if not pinned or not Path(pinned).is_file():
        return trust_lists.known_signers()
    return tuple(der for _, _, der in pem.unarmor(Path(pinned).read_bytes(), multiple=True))


def _store(xml: bytes, header: ListHeader, digest: str, *, at: datetime, source: str) -> TrustedList:
    newest = _newest().get(header.territory)
    if header.next_update_at is None or not header.is_in_force(at):
        raise TrustedListOutdated
    if newest is not None and (header.sequence <= newest.sequence or header.issued_at < newest.issued_at):
        raise TrustedListBackwards
    log.info("trust.list-loaded", territory=header.territory, sequence=header.sequence)
    return TrustedList.objects.create(
        territory=header.territory,
        sequence=header.sequence,
        issued_at=header.issued_at,
        next_update_at=header.next_update_at,
        sha256=digest,
        xml=xml,
        source=source[:300],
        loaded_at=at,
    )


def _from_folder(folder: Path, at: datetime) -> int:
    """Read what lies in the folder, the list of lists first: the others are verified against it."""
    files = {path: path.read_bytes() for path in sorted(folder.glob("*.xml"))}
    stored = 0
    for path in sorted(files, key=lambda each: (trust_lists.LIST_OF_LISTS.encode() not in files[each], each.name)):
        stored += _loaded(files[path], at, path.name)
    for path in sorted(folder.glob("*.crl")):
        revocation_lists.take_file(path.name, path.read_bytes(), at=at)
    return stored


def _take_list_of_lists(web: Web, at: datetime) -> int:
    """Fetch the list of lists; where its signers were changed meanwhile, first the lists that say so."""
    address = settings.SMIME.trusted_lists_url
    xml = list_downloads.fetch(address, _newest().get(EUROPE), web)
    if xml is None:
        return 0
    try:
        trust_lists.verify_list(xml, list_downloads.signers(xml, anchors()))
    except BadSignature:
        list_downloads.fetch_pivots(xml, anchors(), web, at=at)
    except PkiError:
        log.warning("trust.list-refused", source=address, code="list-malformed")
        return 0
    return _loaded(xml, at, address)


def _take(address: str, known: TrustedList | None, web: Web, at: datetime) -> int:
    xml = list_downloads.fetch(address, known, web)
    return 0 if xml is None else _loaded(xml, at, address)


def _is_turn(row: TrustedList, at: datetime) -> bool:
    """A list is looked for every six hours, on its last day and beyond at every refresh."""
    return at.hour % EVERY_HOURS == 0 or row.next_update_at - at <= LAST_DAY


def _loaded(xml: bytes, at: datetime, source: str) -> int:
    before = TrustedList.objects.exclude(territory=PIVOT).count()
    try:
        load(xml, at=at, source=source)
    except DomainError as refusal:
        log.warning("trust.list-refused", source=source, code=refusal.reason_code)
        return 0
    return TrustedList.objects.exclude(territory=PIVOT).count() - before


def _newest() -> dict[str, TrustedList]:
    """The newest row of each territory, without its XML."""
    lists = TrustedList.objects.exclude(territory=PIVOT)
    rows = lists.order_by("territory", "-sequence", "-pk").distinct("territory")
    return {row.territory: row for row in rows.defer("xml")}


def _is_in_force(row: TrustedList, now: datetime) -> bool:
    return row.issued_at <= now < row.next_update_at


def _pointers(row: TrustedList) -> Mapping[str, Pointer]:
    return _pointers_of(row.sha256, anchors())


@lru_cache(maxsize=2)
def _pointers_of(sha256: str, signers: tuple[bytes, ...]) -> Mapping[str, Pointer]:
    """Read once per process; signed by somebody who is pinned no longer, it points nowhere."""
    row = TrustedList.objects.exclude(territory=PIVOT).get(sha256=sha256)
    found = _verified(row, list_downloads.signers(bytes(row.xml), signers))
    return trust_lists.pointers(found) if found is not None else {}


@lru_cache(maxsize=2)
def _services(europe: str, lists: tuple[str, ...]) -> tuple[TSPRegistry, frozenset[str]]:
    """Put the services of these lists together, and name the countries whose signer is listed no longer.

    Verifying all of Europe takes its time, so each process does it once per set of lists.
    """
    pointers = _pointers_of(europe, anchors())
    rows = TrustedList.objects.exclude(territory=PIVOT).filter(sha256__in=lists)
    verified = {row.territory: _verified(row, pointers[row.territory].signers) for row in rows}
    doubted = frozenset(territory for territory, found in verified.items() if found is None)
    services, left_out = trust_lists.registry([found for found in verified.values() if found is not None])
    for territory, count in left_out.items():
        log.warning("trust.services-left-out", territory=territory, count=count)
    return services, doubted


def _verified(row: TrustedList, signers: Sequence[bytes]) -> VerifiedList | None:
    try:
        return trust_lists.verify_list(bytes(row.xml), signers)
    except PkiError:
        log.exception("trust.signer-gone", territory=row.territory, sequence=row.sequence)
        return None
