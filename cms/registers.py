"""The registers of certificates that this installation keeps; each holds what certain issuers of the CA have made.

The register of cards is here. A package above adds its own (`include`), so that the comparison with the CA, which
knows none of them, walks them all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Manager, Min, QuerySet
from django.urls import reverse

from cms import ca
from cms.models import CaRequest, Certificate, CertificateBody
from cms.states import RequestState
from pki.gateway import CertificateRef
from pki.x509 import subject_key_id

_COLUMNS = ("pk", "issuer_key_id", "serial", "status")
_OPEN = (RequestState.PLANNED, RequestState.SENT)


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate as its register knows it; `status` is empty for one that only the CA knows."""

    pk: int | None
    issuer_key_id: str
    serial: str
    status: str

    @property
    def ref(self) -> CertificateRef:
        """Its name at the CA."""
        return CertificateRef(bytes.fromhex(self.issuer_key_id), int(self.serial, 16))


@dataclass(frozen=True, slots=True)
class Register:
    """A register by its tables. Their columns bear the same names and values as the register of cards'.

    `stage` names it in the rows of checks (at most 16 letters), `noun` what it holds in lines for operators; `issuers`
    gives the certificates (DER) of the issuers whose work it holds; `page` is the address, by name, of the panel's page
    of a certificate, and the column that it wants.
    """

    stage: str
    noun: str
    certificates: Manager[Any]
    bodies: Manager[Any]
    requests: Manager[Any]
    issuers: Callable[[], list[bytes]]
    page: tuple[str, str]

    def own(self) -> dict[str, bytes]:
        """Its issuers by the identifier of their key."""
        return {subject_key_id(der).hex(): der for der in self.issuers()}

    def rows_after(self, position: int, size: int) -> list[Known]:
        """Read on behind an id."""
        rows = self.certificates.filter(pk__gt=position).order_by("pk")
        return [Known(*row) for row in rows.values_list(*_COLUMNS)[:size]]

    def rows_of(self, issuer_key_id: str, serials: Collection[str]) -> list[Known]:
        """Read those of one issuer's numbers that it has."""
        rows = self.certificates.filter(issuer_key_id=issuer_key_id, serial__in=serials)
        return [Known(*row) for row in rows.values_list(*_COLUMNS)]

    def busy(self, ids: Sequence[int]) -> set[int]:
        """Certificates about which the CA is being asked something at this moment."""
        return set(self.open_requests().filter(certificate_id__in=ids).values_list("certificate_id", flat=True))

    def awaits(self, request_id: UUID) -> bool:
        """Whether what was issued on this request is just about to be stored."""
        return self.open_requests().filter(uid=request_id).exists()

    def ders(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Read certificates (DER) by id."""
        return {pk: bytes(der) for pk, der in self.bodies.filter(pk__in=ids).values_list("pk", "der")}

    def samples(self, issuer_key_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """One certificate (DER) for each issuer and year: together they name every list."""
        years = self.certificates.filter(issuer_key_id__in=issuer_key_ids).values("issuer_key_id", "not_before__year")
        for row in years.annotate(first=Min("pk")).order_by("issuer_key_id", "first"):
            for der in self.ders([row["first"]]).values():
                yield row["issuer_key_id"], der

    def pages(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Say where the panel shows certificates, named by issuer and serial number: those that the person may see."""
        keys, serials = {key_id for key_id, _ in names}, {serial for _, serial in names}
        rows = self.certificates.filter(issuer_key_id__in=keys, serial__in=serials)
        address, column = self.page
        named = rows.values_list("issuer_key_id", "serial", column)
        return {(key_id, serial): reverse(address, args=[value]) for key_id, serial, value in named}

    def open_requests(self) -> QuerySet[Any]:
        """What the CA is to be asked, or was asked without an answer yet."""
        return self.requests.filter(state__in=_OPEN)


CARDS = Register(
    stage="register",
    noun="certificate",
    certificates=Certificate.objects,
    bodies=CertificateBody.objects,
    requests=CaRequest.objects,
    issuers=ca.card_issuers,
    page=("admin:pair", "pair__public_id"),
)
_kept = [CARDS]


def include(register: Register) -> None:
    """Let a register of a package above be walked too, once at the start of each process."""
    _kept.append(register)


def every() -> Sequence[Register]:
    """All registers of this installation, that of cards first."""
    return tuple(_kept)
