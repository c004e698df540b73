"""Search in scope: case code, card or certificate serial, codice fiscale or name from its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from cms.models import Certificate
from cms.scope import Scope
from renewals import queries
from renewals.admin.filters import MOST_HOLDERS
from renewals.codes import parse_code

LONGEST = 64
_CANDIDATES = 200
"""Persons looked up by their words; some have no case under the chosen service."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search led to: one case, or all cases of some persons or of a card."""

    case_code: str = ""
    holder_ids: tuple[int, ...] = ()
    card_id: int | None = None
    is_cut: bool = False
    """More persons fit than are shown."""


def find(text: str, scope: Scope) -> Found | None:
    """Return where to go, None for nothing in scope. What has one case leads to the case itself."""
    typed = "".join(text.split()).upper()[:LONGEST]
    code = parse_code(typed)
    if code is not None and queries.in_scope(scope).filter(code=code).exists():
        return Found(case_code=code)
    return _by_serial(typed, text, scope) or _by_person(text, scope)


def _by_serial(typed: str, text: str, scope: Scope) -> Found | None:
    """By the exact serial of a card, or of a certificate of the old or the new pair."""
    cases = queries.in_scope(scope)
    by_card = list(cases.filter(card__serial__in={typed, text.strip()[:LONGEST]}).values_list("code", "card_id")[:2])
    if not by_card:
        pairs = list(Certificate.objects.filter(serial__in=_serials(typed)).values_list("pair_id", flat=True)[:2])
        of_pair = Q(old_pair_id__in=pairs) | Q(new_pair_id__in=pairs)
        by_card = list(cases.filter(of_pair).values_list("code", "card_id")[:2]) if pairs else []
    if not by_card:
        return None
    return Found(case_code=by_card[0][0]) if len(by_card) == 1 else Found(card_id=by_card[0][1])


def _by_person(text: str, scope: Scope) -> Found | None:
    """By the beginnings of name words or of the codice fiscale; one function of the database knows the words."""
    holders = _holders(text, sorted(scope.centre_ids))
    if not holders:
        return None
    cases = queries.in_scope(scope).filter(holder_id__in=holders)
    found = list(cases.values_list("code", "holder_id")[: _CANDIDATES * 4])
    if not found:
        return None
    if len(found) == 1:
        return Found(case_code=found[0][0])
    persons = sorted({holder_id for _code, holder_id in found})
    is_cut = len(holders) == _CANDIDATES or len(persons) > MOST_HOLDERS
    return Found(holder_ids=tuple(persons[:MOST_HOLDERS]), is_cut=is_cut)


def _holders(text: str, centre_ids: Sequence[int]) -> list[int]:
    words = text.replace("\x00", " ")[:LONGEST]
    with connection.cursor() as cursor:
        cursor.execute("SELECT find_holders(%s, %s, %s)", [list(centre_ids), words, _CANDIDATES])
        return [pk for (pk,) in cursor.fetchall()]


def _serials(typed: str) -> set[str]:
    """Certificate serials are kept as hexadecimal; people also copy the decimal form, or write colons."""
    plain = typed.replace(":", "").lower()
    return {plain} | ({f"{int(plain):x}"} if plain.isascii() and plain.isdigit() else set())
