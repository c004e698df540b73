"""Many changes of status at once, for CAs that can; the others are asked one by one, so that callers need not care.

Each order keeps what it has alone: its id, its answer, and that repeating it changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeGuard
from uuid import UUID

from pki.errors import GatewayConflict, GatewayError, GatewayPending, GatewayRefused
from pki.gateway import CertificateGateway, CertificateRef, RevocationReason


class OrderKind(enum.StrEnum):
    """What an order wants, by the name of the call that does the same alone."""

    HOLD = "hold"
    RELEASE = "release"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Order:
    """One change of one certificate's status; a revocation alone has a reason, and must have one."""

    kind: OrderKind
    ref: CertificateRef
    request_id: UUID
    reason: RevocationReason | None = None

    def __post_init__(self) -> None:
        """Refuse a revocation without a reason and a reason without a revocation."""
        if (self.kind is OrderKind.REVOKE) != (self.reason is not None):
            raise ValueError("a revocation, and nothing else, has a reason")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. `failure` None: the certificate is as asked, since now or since before."""

    request_id: UUID
    failure: GatewayError | None = None


class BatchGateway(CertificateGateway, Protocol):
    """A CA that takes many orders in one call; it declares the capability `batch`."""

    def change_many(self, orders: Sequence[Order], *, at: datetime) -> Sequence[Outcome]:
        """Carry out each order as the single call would, in their order; answer in the same order.

        A refused order (`GatewayRefused`, `GatewayConflict` in its outcome) hinders no other. What concerns the line
        as a whole is raised, as by the single calls; then the orders are repeated with the same ids.
        """
        ...


def takes_batches(gateway: CertificateGateway) -> TypeGuard[BatchGateway]:
    """Say whether this CA has `change_many`."""
    return gateway.capabilities.batch


def change_many(gateway: CertificateGateway, orders: Sequence[Order], *, at: datetime) -> Sequence[Outcome]:
    """Carry the orders out in as few calls as the CA allows; raises where nothing is known of any of them."""
    if takes_batches(gateway):
        return gateway.change_many(orders, at=at)
    return list(_one_by_one(gateway, orders, at))


def change(gateway: CertificateGateway, order: Order, *, at: datetime) -> None:
    """Carry one order out by the call of its name; raises what the call raises."""
    if order.reason is not None:
        gateway.revoke(order.ref, reason=order.reason, request_id=order.request_id, at=at)
    elif order.kind is OrderKind.HOLD:
        gateway.hold(order.ref, request_id=order.request_id, at=at)
    else:
        gateway.release(order.ref, request_id=order.request_id, at=at)


def _one_by_one(gateway: CertificateGateway, orders: Sequence[Order], at: datetime) -> Iterator[Outcome]:
    """Ask for each; once the line itself has failed, the rest fares the same without being asked."""
    broken: GatewayError | None = None
    for order in orders:
        failure = broken
        if failure is None:
            try:
                change(gateway, order, at=at)
            except (GatewayRefused, GatewayConflict, GatewayPending) as answer:
                failure = answer
            except GatewayError as trouble:
                failure = broken = trouble
        yield Outcome(order.request_id, failure)
