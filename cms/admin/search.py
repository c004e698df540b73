"""Search of the register's pages: what was typed leads to cards or people in scope, and to nobody else.

Whole codes and serials match exactly; names and the beginning of a codice fiscale by the words of `find_holders`.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Q, QuerySet

from cms.models import Card, Certificate, Holder, Pair
from cms.scope import Scope

LONGEST = 64
MOST_CARDS = 20
MOST_HOLDERS = 25
# People whom the centre knows are more than those with certificates of the chosen service.
_CANDIDATES = 400
SHORTEST_NAME = 2


def find_cards(text: str, scope: Scope) -> list[int]:
    """Return ids of cards in scope that match exactly; certificate serials are read as hexadecimal or decimal."""
    return _by_key("".join(text.split())[:LONGEST], scope, "card_id", MOST_CARDS)


def find_holders(text: str, scope: Scope) -> list[int]:
    """Return ids of people in scope: a whole codice fiscale or serial, else the beginnings of names or of the code."""
    typed = " ".join(text.split())[:LONGEST]
    exact = _by_key("".join(typed.split()), scope, "holder_id", MOST_HOLDERS)
    if exact or len(typed) < SHORTEST_NAME:
        return exact
    with connection.cursor() as cursor:
        cursor.execute("SELECT find_holders(%s, %s, %s)", [sorted(scope.centre_ids), typed, _CANDIDATES])
        known = [row[0] for row in cursor.fetchall()]
    pairs = _in_scope(scope).filter(holder_id__in=known).values("holder_id")
    people = Holder.objects.filter(pk__in=pairs).order_by("surname", "given_name", "pk")
    return list(people.values_list("pk", flat=True)[:MOST_HOLDERS])


def _by_key(typed: str, scope: Scope, wanted: str, most: int) -> list[int]:
    """One look-up by index for each kind of key, and not one condition over three tables, which no index answers."""
    if not typed:
        return []
    keys = (
        Q(holder__in=Holder.objects.filter(tax_code=typed.upper())),
        Q(card__in=Card.objects.filter(serial__in={typed, typed.upper()})),
        Q(pk__in=Certificate.objects.filter(serial__in=_serials(typed)).values("pair_id")),
    )
    found: set[int] = set()
    for key in keys:
        found.update(pk for pk in _in_scope(scope).filter(key).values_list(wanted, flat=True)[:most] if pk)
    return sorted(found)[:most]


def _in_scope(scope: Scope) -> QuerySet[Pair]:
    return Pair.objects.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)


def _serials(typed: str) -> set[str]:
    """A certificate's serial as it may be typed: hexadecimal with or without separators and zeros, or decimal."""
    hexadecimal = typed.lower().replace(":", "").lstrip("0")
    decimal = {f"{int(typed):x}"} if typed.isascii() and typed.isdigit() else set()
    return {hexadecimal} | decimal
