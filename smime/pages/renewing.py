"""*Rinnova*: on the page of an order whose certificate ends soon, the way to the order that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cms.models import User
from smime import policy_renewal, queries
from smime.models import Order, Slot
from smime.pages import frame
from smime.services import renewing
from smime.states import KeyOrigin


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page says of a renewal: it goes on already, can begin with `slot`, or wants an activation first."""

    under_way: Order | None
    slot: Slot | None


@require_POST
@frame.for_customers
def renew(request: HttpRequest, *, uid: UUID, buyer: User, now: datetime) -> HttpResponse:
    """Begin the order that follows, or go on with the one that has begun."""
    old = queries.order_of(uid, buyer)
    order = renewing.renew_order(uid, buyer=buyer, now=now, language=get_language() or "it")
    if order.created_at == now:
        messages.success(request, _said(old))
    return redirect("smime:order", uid=order.uid)


def offer_of(order: Order, buyer: User, now: datetime) -> Offer | None:
    """What is offered on the order's page; None where there is nothing to renew yet."""
    under_way = queries.renewal_of(order)
    if under_way is None and not policy_renewal.is_due(order, next(iter(order.certificates.all()), None), now):
        return None
    return Offer(under_way, None if under_way else queries.free_slot_like(order, buyer))


def _said(old: Order) -> str:
    said = _("Abbiamo ripreso i dati della pratica precedente: li controlli prima di avviare la verifica.")
    if old.key_origin != KeyOrigin.CSR:
        return said
    return said + " " + _("Se vuole usare di nuovo una chiave Sua, carichi un nuovo CSR tra le opzioni avanzate.")
