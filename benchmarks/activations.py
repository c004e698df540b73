"""Orders ready to be issued, for the benchmark of S/MIME: one buyer, one unit of stock and one slot each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from authority.services import ceremony
from cms.actors import SYSTEM
from cms.models import Centre, Service, User
from cms.services import stock
from pki.caa import Answer
from runtime import clock
from smime.codes import new_order_code, new_slot_code
from smime.models import CaOrder, Check, Order, Slot
from smime.policy_slots import stock_type
from smime.services import admission, checks, issuance

VALIDATION = "mv"
CA_AGE = timedelta(days=365)


class Willing:
    """No name has CAA records: what the network would cost is not this benchmark's."""

    def caa(self, _domain: str) -> Answer:
        """Say so, as a resolver that validates."""
        return Answer(secure=True, ttl=300)


@contextmanager
def founded() -> Iterator[None]:
    """Found the CA with RSA-4096 keys, as an installation does, and let the resolver above answer inside the block."""
    at = clock.now()
    ceremony.hold_ceremony(valid_from=at - CA_AGE, at=at)
    with admission.asking(Willing()):
        yield


def prepared(count: int, number: int) -> Sequence[int]:
    """Store so many orders whose checks have passed; ids of what is to be asked of the CA."""
    at = clock.now()
    centre, _ = Centre.objects.get_or_create(code="bench", defaults={"name": "Bench", "email": "bench@example.org"})
    service, _ = Service.objects.get_or_create(
        code="smime", defaults={"name": "S/MIME", "flow": "smime", "types": [stock_type(VALIDATION)]}
    )
    scope = {"centre_id": centre.pk, "service_id": service.pk}
    kind = stock_type(VALIDATION)
    stock.purchase(**scope, type_=kind, quantity=count, reference=f"bench-{number}", actor=SYSTEM, at=at)
    return [_ready(f"{number}-{each}", scope, kind) for each in range(count)]


def issue(ca_order_id: int) -> None:
    """Carry one order out, as the worker does; whatever does not end well ends the run."""
    row = issuance.carry_out(ca_order_id, at=clock.now())
    if row.state != "done":
        message = f"the CA's order ended as {row.state}: {row.last_error}"
        raise AssertionError(message)


def _ready(name: str, scope: dict[str, int], kind: str) -> int:
    at = clock.now()
    buyer = User.objects.create_user(f"buyer-{name}@example.org", full_name="Cliente di prova")
    slot = Slot.objects.create(code=new_slot_code(), owner=buyer, credited_at=at, validation=VALIDATION, **scope)
    stock.reserve(**scope, types=[kind], case_code=slot.code, actor=SYSTEM, at=at)
    person = {"given_name": "Anna", "surname": "Prova", "mailbox": f"anna-{name}@example.org"}
    order = Order.objects.create(
        code=new_order_code(),
        slot=slot,
        buyer=buyer,
        validation=VALIDATION,
        recipient_is_buyer=True,
        created_at=at,
        **scope,
        **person,
    )
    order.submit(at=at)
    order.save()
    checks.open_checks(order, at=at)
    checks.pass_check(Check.objects.get(order=order, kind="mailbox"), at=at, method="benchmark")
    return CaOrder.objects.values_list("pk", flat=True).get(order=order)
