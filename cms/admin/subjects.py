"""Pages that can be narrowed to cards or people: the search by POST, the ids in the address, the words of the chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.admin.desk import Desk, at
from cms.admin.paging import number
from cms.admin.search import LONGEST, MOST_CARDS, MOST_HOLDERS, find_cards, find_holders
from cms.contacts import CONTROL
from cms.models import Card, Holder, Pair


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a page was narrowed to, of what the operator may see. `is_named` although nothing of it is in scope."""

    cards: list[Card] = field(default_factory=list)
    holders: list[Holder] = field(default_factory=list)
    is_named: bool = False

    @property
    def words(self) -> str:
        """Words of the chip."""
        return said(self.cards) or said_of(self.holders)


def typed(request: HttpRequest) -> str:
    """What was typed into the search, without the control characters that no text of the register has."""
    return " ".join(CONTROL.sub(" ", request.POST.get("q", "")).split())[:LONGEST]


def ids_of(text: str, desk: Desk) -> Mapping[str, list[int]]:
    """What to narrow a page to: cards by a whole code or serial, else people by a fragment; empty for nothing."""
    cards = find_cards(text, desk.scope)
    if cards:
        return {"carta": cards}
    holders = find_holders(text, desk.scope)
    return {"titolare": holders} if holders else {}


def led_to(request: HttpRequest, url_name: str) -> HttpResponse | None:
    """Redirect to the page narrowed to what was typed; None for nothing found. The address holds ids only."""
    found = ids_of(typed(request), at(request))
    return redirect(f"{reverse(url_name)}{address_of(found)}") if found else None


def address_of(ids: Mapping[str, list[int]]) -> str:
    """Write ids into a query string."""
    query = QueryDict(mutable=True)
    for name, values in ids.items():
        query.setlist(name, [str(value) for value in values])
    return f"?{query.urlencode()}"


def of_address(desk: Desk, query: QueryDict) -> Subject:
    """Read cards and people that the address names."""
    return Subject(
        cards=cards_of(desk, query) if "carta" in query else [],
        holders=holders_of(desk, query) if "titolare" in query else [],
        is_named="carta" in query or "titolare" in query,
    )


def cards_of(desk: Desk, query: QueryDict) -> list[Card]:
    """Cards named in the address that lie in scope, whatever ids were typed there."""
    visible = _visible(desk).filter(card_id__in=numbers(query, "carta", MOST_CARDS))
    return list(Card.objects.filter(pk__in=visible.values("card_id")).select_related("holder").order_by("pk"))


def holders_of(desk: Desk, query: QueryDict) -> list[Holder]:
    """People named in the address of whom the scope holds certificates."""
    visible = _visible(desk).filter(holder_id__in=numbers(query, "titolare", MOST_HOLDERS))
    return list(Holder.objects.filter(pk__in=visible.values("holder_id")).order_by("surname", "given_name", "pk"))


def numbers(query: QueryDict, name: str, most: int) -> set[int]:
    """Ids that the address gives for a name; what is no number is left out."""
    return {pk for text in query.getlist(name)[:most] if (pk := number(text)) is not None}


def said(cards: list[Card]) -> str:
    """Words of the chip for cards."""
    if len(cards) == 1:
        return _("Carta %(serial)s · %(holder)s") % {"serial": cards[0].serial, "holder": cards[0].holder}
    if len({card.holder_id for card in cards}) == 1:
        return _("Titolare: %(holder)s") % {"holder": cards[0].holder}
    return _("%(count)d carte") % {"count": len(cards)} if cards else ""


def said_of(holders: list[Holder]) -> str:
    """Words of the chip for people."""
    if len(holders) == 1:
        return _("Titolare: %(holder)s") % {"holder": holders[0]}
    return ngettext("%d titolare", "%d titolari", len(holders)) % len(holders) if holders else ""


def _visible(desk: Desk) -> QuerySet[Pair]:
    return Pair.objects.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)
