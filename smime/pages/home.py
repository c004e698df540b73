"""The dashboard: what was bought and can be activated, what goes on, and who must act."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from django.views.i18n import set_language

from cms.models import User
from smime import queries
from smime.pages import frame, order_words
from smime.states import OPEN_STATES, OrderState


@require_GET
@frame.for_customers
def dashboard(request: HttpRequest, *, buyer: User, now: datetime) -> HttpResponse:
    """Show the activations that can be started, the orders that go on, and the certificates."""
    rows = list(queries.orders_of(buyer).filter(state__in=[*OPEN_STATES, OrderState.ISSUED])[: queries.MOST_SHOWN])
    return frame.show(
        request,
        "dashboard.html",
        section="dashboard",
        slots=queries.free_slots_of(buyer),
        going=[order_words.line_of(order, now) for order in rows if order.state in OPEN_STATES],
        is_protected=is_mfa_enabled(buyer),
        issued=[order_words.line_of(order, now) for order in rows if order.state == OrderState.ISSUED],
        now=now,
    )


@require_GET
@frame.for_customers
def orders(request: HttpRequest, *, buyer: User, now: datetime) -> HttpResponse:
    """Show all orders, those that have ended too."""
    rows = queries.orders_of(buyer)[: queries.MOST_SHOWN]
    return frame.show(
        request, "orders.html", section="orders", lines=[order_words.line_of(order, now) for order in rows], now=now
    )


# Without a CSRF token, so that reading a page leaves no cookie: whoever forges this changes a language, no more.
language = csrf_exempt(set_language)
