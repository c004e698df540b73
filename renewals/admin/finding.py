"""Search by case code, codice fiscale or card serial, within the operator's scope and by exact match only."""

from __future__ import annotations

from dataclasses import dataclass

from cms.scope import Scope
from renewals import queries
from renewals.codes import parse_code

LONGEST = 64


@dataclass(frozen=True, slots=True)
class Found:
    """What a search led to: one case, or all cases of a person or of a card."""

    case_code: str = ""
    holder_id: int | None = None
    card_id: int | None = None


def find(text: str, scope: Scope) -> Found | None:
    """Return where to go, None for nothing in scope. A person or card with one case leads to the case itself."""
    typed = "".join(text.split()).upper()[:LONGEST]
    cases = queries.in_scope(scope)
    code = parse_code(typed)
    if code is not None and cases.filter(code=code).exists():
        return Found(case_code=code)
    by_person = list(cases.filter(holder__tax_code=typed).values_list("code", "holder_id")[:2])
    if by_person:
        return Found(case_code=by_person[0][0]) if len(by_person) == 1 else Found(holder_id=by_person[0][1])
    by_card = list(cases.filter(card__serial__in={typed, text.strip()[:LONGEST]}).values_list("code", "card_id")[:2])
    if by_card:
        return Found(case_code=by_card[0][0]) if len(by_card) == 1 else Found(card_id=by_card[0][1])
    return None
