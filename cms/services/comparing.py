"""Register, CA, lists and OCSP side by side: what each says of some certificates, and where they disagree.

The register is held against the CA's record, and what the CA publishes against its record too: so each kind of
difference says who is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cms import ca, registers
from cms.models import Issuer, StatusDifference
from cms.outside import Outside
from cms.registers import Known, Register
from cms.states import CertificateStatus, DifferenceKind
from pki import ledger, relying
from pki.errors import MalformedInput
from pki.gateway import CertificateRef, StatusKind
from pki.gateway import CertificateStatus as AtCa
from pki.relying import Addresses
from pki.x509 import read_certificate, subject_key_id

AT_CA = {
    CertificateStatus.ISSUED: StatusKind.GOOD,
    CertificateStatus.ACTIVE: StatusKind.GOOD,
    CertificateStatus.HELD: StatusKind.HELD,
    CertificateStatus.REVOKED: StatusKind.REVOKED,
}
_GOOD_HERE = frozenset({CertificateStatus.ISSUED.value, CertificateStatus.ACTIVE.value})
NOWHERE = Addresses((), "")


@dataclass(frozen=True, slots=True)
class Sight:
    """What each says; empty where one was not asked."""

    known: Known
    at_ca: str
    crl: str
    ocsp: str

    def kinds(self) -> list[DifferenceKind]:
        """Where they disagree."""
        is_at_ca = self.at_ca != StatusKind.UNKNOWN
        found = []
        if self.known.status and not is_at_ca:
            return [DifferenceKind.UNKNOWN_TO_CA]
        if self.known.status and AT_CA[CertificateStatus(self.known.status)] != self.at_ca:
            found = [DifferenceKind.LEDGER]
        elif not self.known.status and is_at_ca:
            found = [DifferenceKind.UNKNOWN_TO_REGISTER]
        published = ((self.crl, DifferenceKind.CRL), (self.ocsp, DifferenceKind.OCSP))
        return [*found, *(kind for said, kind in published if said and said != self.at_ca)]


class Comparison:
    """Looks at certificates in slices, with what was read from outside once for all of them."""

    def __init__(self, outside: Outside) -> None:
        """Take the outside; read the issuers that are pinned, and those that the CA says are its own, by register."""
        self.outside = outside
        self.issuers = {row.key_id: bytes(row.certificate) for row in Issuer.objects.all()}
        self._register_of: dict[str, Register] = {}
        for register in registers.every():
            own = register.own()
            self.issuers |= own
            self._register_of |= dict.fromkeys(own, register)
        self._responders: dict[str, str] = {}

    def fetch_lists(self, *, at: datetime) -> list[StatusDifference]:
        """Fetch every list that a certificate names, the complete ones beside them, the root's; say what is wrong."""
        for key_id, addresses in self._sampled():
            self._responders[key_id] = addresses.responder
            for address in addresses.lists:
                self.outside.fetch(address, key_id, self.issuers[key_id])
                complete = f"{address.rpartition('/')[0]}.crl"
                self.outside.fetch(complete, key_id, self.issuers[key_id], may_be_absent=True)
        revoked = [key_id for key_id in self._responders if self._is_revoked(key_id)]
        faulty = [fetched for fetched in self.outside.lists.values() if fetched.fault]
        return [
            *(_of_list(each.issuer_key_id, each.address, each.fault, at) for each in faulty),
            *(_of_list(key_id, "", StatusKind.REVOKED.value, at) for key_id in revoked),
        ]

    def strangers_after(self, position: int, size: int) -> tuple[int | None, list[Known]]:
        """Read the CA's record on: the last position, None at its end, and what no register knows."""
        lines = ledger.ledger_after(ca.gateway(), position, size)
        names = [(line.ref.issuer_key_id.hex(), f"{line.ref.serial:x}") for _, line in lines]
        return (lines[-1][0] if lines else None), self.unknown(names)

    def unknown(self, names: Iterable[tuple[str, str]]) -> list[Known]:
        """Keep what the issuer's register has no row for."""
        return [each for each in self.known(names) if each.pk is None]

    def known(self, names: Iterable[tuple[str, str]]) -> list[Known]:
        """Read from the registers what issuer and serial number name; without id and status what is in none."""
        by_issuer: dict[str, set[str]] = {}
        for key_id, serial in names:
            by_issuer.setdefault(key_id, set()).add(serial)
        found = []
        for key_id, serials in by_issuer.items():
            register = self._register_of.get(key_id)
            rows = {row.serial: row for row in register.rows_of(key_id, serials)} if register else {}
            found += [rows.get(serial) or Known(None, key_id, serial, "") for serial in sorted(serials)]
        return found

    def differences(
        self, rows: Sequence[Known], *, asks_ocsp: Callable[[Known], bool], at: datetime
    ) -> list[StatusDifference]:
        """Compare; what is just being changed is no difference. `asks_ocsp`: also about one that is plainly good."""
        still = [row for register, own in self._by_register(rows) for row in _still(register, own)]
        said = ledger.statuses(ca.gateway(), [row.ref for row in still])
        closer = [row for row in still if asks_ocsp(row) or not self._is_plain(row, said.get(row.ref))]
        addresses = self._addresses(closer)
        sights = [self._sight(row, said.get(row.ref), addresses[row.ref]) for row in closer if row.ref in addresses]
        return [difference for sight in sights for difference in self._written(sight, at)]

    def _by_register(self, rows: Sequence[Known]) -> Iterator[tuple[Register, list[Known]]]:
        """Sort by register; what other CAs have issued is left out."""
        for register in registers.every():
            own = [row for row in rows if self._register_of.get(row.issuer_key_id) is register]
            if own:
                yield register, own

    def _is_plain(self, row: Known, status: AtCa | None) -> bool:
        """Good here, good at the CA, and on none of its lists: of these a night's sample asks OCSP."""
        if status is None or status.kind != StatusKind.GOOD or row.status not in _GOOD_HERE:
            return False
        octets = relying.octets(row.ref.serial)
        lists = self.outside.lists_of(row.issuer_key_id)
        return not any(each.listing is not None and octets in each.listing.reasons for each in lists)

    def _sight(self, row: Known, status: AtCa | None, addresses: Addresses) -> Sight:
        at_ca = (StatusKind.UNKNOWN if status is None else status.kind).value
        issuer, responder = self.issuers[row.issuer_key_id], addresses.responder
        for address in addresses.lists:
            self.outside.fetch(address, row.issuer_key_id, issuer)
        ocsp = self.outside.answered(responder, issuer, row.ref.serial) if responder else ""
        return Sight(row, at_ca, self._listed(row, at_ca, addresses.lists), ocsp)

    def _listed(self, row: Known, at_ca: str, own: Sequence[str]) -> str:
        """What the lists say: those that the certificate names must hold it, the complete one too, no other may."""
        said = []
        for each in self.outside.lists_of(row.issuer_key_id):
            status = each.listing.status(row.ref.serial).value if each.listing is not None else ""
            speaks = not own or each.address in own or (each.listing is not None and not each.listing.points)
            if speaks or status != StatusKind.GOOD:
                said.append(status)
        if at_ca == StatusKind.UNKNOWN:
            return next((status for status in said if status != StatusKind.GOOD), "")
        return next((status for status in said if status != at_ca), at_ca if said else "")

    def _addresses(self, rows: Sequence[Known]) -> dict[CertificateRef, Addresses]:
        """Read in each certificate where its status is told; what is just being issued is left out."""
        found = {}
        for register, own in self._by_register(rows):
            ders = register.ders(_ids(own))
            for row in own:
                fallback = Addresses((), self._responders.get(row.issuer_key_id, ""))
                issued = None if row.pk is not None else ca.gateway().find_issued(ref=row.ref)
                if issued is not None and register.awaits(issued.request_id):
                    continue
                der = ders.get(row.pk or 0) or (issued.certificate if issued else b"")
                found[row.ref] = _read(der) if der else fallback
        return found

    def _sampled(self) -> Iterator[tuple[str, Addresses]]:
        """Read one certificate for each issuer and year: together they name every list."""
        for register in registers.every():
            issuers = [key_id for key_id, of in self._register_of.items() if of is register]
            for key_id, der in register.samples(issuers):
                yield key_id, _read(der)

    def _written(self, sight: Sight, at: datetime) -> Iterator[StatusDifference]:
        """Write a difference a kind; the row itself is named where it is one of the register of cards."""
        known = sight.known
        is_of_cards = self._register_of[known.issuer_key_id] is registers.CARDS
        for kind in sight.kinds():
            yield StatusDifference(
                certificate_id=known.pk if is_of_cards else None,
                kind=kind,
                issuer_key_id=known.issuer_key_id,
                serial=known.serial,
                register_status=known.status,
                ca_status=sight.at_ca,
                crl_status=sight.crl,
                ocsp_status=sight.ocsp,
                found_at=at,
            )

    def _is_revoked(self, key_id: str) -> bool:
        """Whether the root's list holds the issuer itself."""
        certificate = self.issuers[key_id]
        for anchor in ca.gateway().trust_anchors():
            for address in _read(certificate).lists:
                fetched = self.outside.fetch(address, subject_key_id(anchor).hex(), anchor)
                serial = read_certificate(certificate).serial
                if fetched.listing is not None and fetched.listing.status(serial) != StatusKind.GOOD:
                    return True
        return False


def _of_list(key_id: str, address: str, fault: str, at: datetime) -> StatusDifference:
    return StatusDifference(
        kind=DifferenceKind.LIST, issuer_key_id=key_id, serial="", address=address, crl_status=fault, found_at=at
    )


def _read(der: bytes) -> Addresses:
    try:
        return relying.addresses_of(der)
    except MalformedInput:
        return NOWHERE


def _still(register: Register, rows: Sequence[Known]) -> list[Known]:
    """Leave out what the CA is being asked about."""
    busy = register.busy(_ids(rows))
    return [row for row in rows if row.pk not in busy]


def _ids(rows: Sequence[Known]) -> list[int]:
    return [row.pk for row in rows if row.pk is not None]
