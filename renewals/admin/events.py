"""Ricerca eventi, with links to the cases that the operator can open under the chosen service."""

from __future__ import annotations

from cms.admin.desk import Desk
from cms.admin.events import EventAdmin
from renewals import queries
from renewals.codes import parse_code


class CaseEventAdmin(EventAdmin):
    """Events filter by the issuing service, cases by the old one (rules.md R14): not every case is in reach."""

    def cases_in_reach(self, desk: Desk, codes: set[str]) -> set[str]:
        """Codes of cases in scope."""
        return set(queries.in_scope(desk.scope).filter(code__in=codes).values_list("code", flat=True))

    def case_code_of(self, typed: str) -> str:
        """Read an *Id pratica* whatever blanks, dashes and case were typed."""
        return parse_code(typed) or ""
