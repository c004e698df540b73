"""Search of the register's pages: a codice fiscale or the serial of a card or certificate leads to cards in scope."""

from __future__ import annotations

from django.db.models import Q

from cms.models import Pair
from cms.scope import Scope

LONGEST = 64
MOST_CARDS = 20


def find_cards(text: str, scope: Scope) -> list[int]:
    """Return ids of cards in scope that match exactly; certificate serials are read as hexadecimal or decimal."""
    typed = "".join(text.split())[:LONGEST]
    if not typed:
        return []
    serials = {typed.lower()} | ({f"{int(typed):x}"} if typed.isascii() and typed.isdigit() else set())
    pairs = Pair.objects.filter(
        Q(holder__tax_code=typed.upper())
        | Q(card__serial__in={typed, typed.upper()})
        | Q(certificates__serial__in=serials),
        centre_id__in=scope.centre_ids,
        service_id__in=scope.service_ids,
        card__isnull=False,
    )
    return sorted({card_id for card_id in pairs.values_list("card_id", flat=True)[:MOST_CARDS] if card_id})
