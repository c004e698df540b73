"""How the two questions of a case look: how far is it, is it authorised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms import policy as register
from cms.admin.words import Badge
from cms.models import Certificate
from cms.states import CertificateStatus
from renewals.models import RenewalCase
from renewals.states import SIGNED_STATES, Authorisation, CaseState

_STATE_LOOKS = {
    CaseState.NOTIFIED: ("wait", "mail"),
    CaseState.AWAITING_INSTALLATION: ("wait", "clock"),
    CaseState.COMPLETED: ("ok", "check-circle"),
    CaseState.EXPIRED: ("danger", "close-circle"),
    CaseState.CANCELLED: ("neutral", "ban"),
}
_AUTHORISATION_LOOKS = {
    Authorisation.UNDECIDED: ("neutral", "minus-circle", gettext_lazy("Dopo la firma")),
    Authorisation.NOT_REQUIRED: ("neutral", "minus-circle", gettext_lazy("Non richiesta")),
    Authorisation.PENDING: ("wait", "pencil", gettext_lazy("Da autorizzare")),
    Authorisation.APPROVED: ("ok", "check-circle", gettext_lazy("Approvata")),
    Authorisation.REFUSED: ("danger", "close-circle", gettext_lazy("Non approvata")),
}
_STATUS_LOOKS = {
    CertificateStatus.ISSUED: ("wait", "clock"),
    CertificateStatus.ACTIVE: ("ok", "check-circle"),
    CertificateStatus.HELD: ("danger", "lock"),
    CertificateStatus.REVOKED: ("danger", "ban"),
}


def state(case: RenewalCase) -> Badge:
    """How far is it."""
    role, icon = _STATE_LOOKS[CaseState(case.state)]
    return Badge(role, icon, CaseState(case.state).label)


def authorisation(case: RenewalCase) -> Badge:
    """Is it authorised; a question that nobody can answer any more is not shown as waiting."""
    answer = Authorisation(case.authorisation)
    if answer in {Authorisation.UNDECIDED, Authorisation.PENDING} and case.closed_at is not None:
        return Badge("neutral", "minus-circle", _("Non decisa"))
    role, icon, word = _AUTHORISATION_LOOKS[answer]
    return Badge(role, icon, str(word))


def all_of(case: RenewalCase) -> Sequence[Badge]:
    """The badges of a case's title: state, authorisation, and a suspension that is running."""
    held = [Badge("danger", "lock", _("Sospeso"))] if is_suspended(case) else []
    return [state(case), authorisation(case), *held]


def is_suspended(case: RenewalCase) -> bool:
    """Whether the new certificates are suspended because nobody approved."""
    return case.waits_for_approval and case.suspended_at is not None


def is_waiting(case: RenewalCase) -> bool:
    """Whether a person must decide: signed, in authorisation mode, not decided."""
    return case.authorisation == Authorisation.PENDING and case.state in SIGNED_STATES


def certificate(half: Certificate, *, replaced: bool, now: datetime) -> Badge:
    """Status of a certificate; *expired* and *replaced* are computed, a revocation outlives both."""
    status = CertificateStatus(half.status)
    if status != CertificateStatus.REVOKED and register.is_expired(half.not_after, now):
        return Badge("danger", "clock", _("Scaduto"))
    if status == CertificateStatus.ACTIVE and replaced:
        return Badge("neutral", "exchange-circle", _("Sostituito"))
    role, icon = _STATUS_LOOKS[status]
    return Badge(role, icon, status.label)
