"""Certificati, with the renewal cases that a revocation ends."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils.translation import gettext as _

from cms.admin.certificates import CertificateAdmin
from cms.admin.desk import Desk
from cms.models import Certificate, Pair, RevocationProposal, User
from cms.services.halves import Choice
from renewals import queries
from renewals.services import revocations


class CaseCertificateAdmin(CertificateAdmin):
    """Cases follow the certificates that they made, and those that they were to replace."""

    def case_codes(self, desk: Desk, pairs: list[Pair]) -> dict[int, str]:
        """Codes of the cases in scope from which these pairs came."""
        born = queries.in_scope(desk.scope).filter(new_pair_id__in=[pair.pk for pair in pairs])
        return {pair_id: code for pair_id, code in born.values_list("new_pair_id", "code") if pair_id}

    def also_ends(self, pair: Pair) -> list[str]:
        """A renewal that is open, or one that still waits for its centre."""
        case = queries.open_case_of(pair)
        if case is not None:
            return [_("La pratica di rinnovo aperta %(code)s viene cancellata.") % {"code": case.code}]
        return []

    def carry_out(self, choice: Choice, *, cause: str, note: str, operator: User, now: datetime) -> list[Certificate]:
        """Revoke, and let the cases follow."""
        return revocations.revoke_certificates(choice, cause=cause, note=note, operator=operator, now=now)

    def carry_out_proposal(self, uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationProposal:
        """Confirm another person's proposal, and let the cases follow."""
        return revocations.confirm_revocation(uid, operator=operator, now=now)
