"""A unit of stock reserved under an order's slot, as the purchase leaves it."""

from __future__ import annotations

from cms.actors import SYSTEM
from cms.models import Stock
from cms.services import stock
from smime.models import Order
from smime.policy_slots import stock_type


def stocked(order: Order) -> Order:
    """Buy one unit of the order's type and reserve it for its slot."""
    scope = {"centre_id": order.centre_id, "service_id": order.service_id}
    kind = stock_type(order.validation)
    stock.purchase(**scope, type_=kind, quantity=1, reference=order.slot.code, actor=SYSTEM, at=order.created_at)
    stock.reserve(**scope, types=[kind], case_code=order.slot.code, actor=SYSTEM, at=order.created_at)
    assert Stock.objects.get(**scope, type=kind).reserved >= 1
    return order
