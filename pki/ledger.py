"""Reading a CA's own record in slices, for CAs that can; the others are asked one by one.

A port of its own, as `pki.published` is: a gateway offers it by having the methods.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pki.gateway import CertificateGateway, CertificateRef, CertificateStatus, LedgerLine


@runtime_checkable
class LedgerReader(Protocol):
    """A CA whose record can be read from any place on, and asked about many certificates at once."""

    def statuses(self, refs: Sequence[CertificateRef]) -> Mapping[CertificateRef, CertificateStatus]:
        """Say what the record says now of each; a serial that was never issued is not in the answer."""
        ...

    def ledger_after(self, position: int, size: int) -> Sequence[tuple[int, LedgerLine]]:
        """Give up to `size` lines behind a position (0: from the first), in order of issuance, each with its own."""
        ...


def statuses(gateway: CertificateGateway, refs: Sequence[CertificateRef]) -> Mapping[CertificateRef, CertificateStatus]:
    """Ask about many; what a CA never issued is missing, or of kind `UNKNOWN`."""
    if isinstance(gateway, LedgerReader):
        return gateway.statuses(refs)
    return {ref: gateway.status(ref) for ref in refs}


def ledger_after(gateway: CertificateGateway, position: int, size: int) -> Sequence[tuple[int, LedgerLine]]:
    """Read on; a CA that knows no positions is walked from its first line each time."""
    if isinstance(gateway, LedgerReader):
        return gateway.ledger_after(position, size)
    return list(itertools.islice(enumerate(gateway.ledger(), start=1), position, position + size))
