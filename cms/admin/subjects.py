"""Pages that can be narrowed to some cards: the search by POST, the chip that says so."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from cms.admin.desk import Desk, at
from cms.admin.paging import number
from cms.admin.search import LONGEST, MOST_CARDS, find_cards
from cms.models import Card, Pair


def led_to(request: HttpRequest, url_name: str) -> HttpResponse | None:
    """Redirect to the page narrowed to what was typed; None for nothing found. The address holds ids only."""
    typed = request.POST.get("q", "")[:LONGEST]
    cards = find_cards(typed, at(request).scope)
    if not cards:
        return None
    query = QueryDict(mutable=True)
    query.setlist("carta", [str(card) for card in cards])
    return redirect(f"{reverse(url_name)}?{query.urlencode()}")


def cards_of(desk: Desk, query: QueryDict) -> list[Card]:
    """Cards named in the address that lie in scope, whatever ids were typed there."""
    ids = {pk for text in query.getlist("carta")[:MOST_CARDS] if (pk := number(text)) is not None}
    visible = Pair.objects.filter(
        card_id__in=ids, centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids
    )
    return list(Card.objects.filter(pk__in=visible.values("card_id")).select_related("holder").order_by("pk"))


def said(cards: list[Card]) -> str:
    """Words of the chip."""
    if len(cards) == 1:
        return _("Carta %(serial)s · %(holder)s") % {"serial": cards[0].serial, "holder": cards[0].holder}
    if len({card.holder_id for card in cards}) == 1:
        return _("Titolare: %(holder)s") % {"holder": cards[0].holder}
    return _("%(count)d carte") % {"count": len(cards)} if cards else ""
