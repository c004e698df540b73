"""How the two questions of a case look: how far is it, is it authorised."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin.words import Badge
from cms.states import Flow
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


def state(case: RenewalCase) -> Badge:
    """How far is it."""
    role, icon = _STATE_LOOKS[CaseState(case.state)]
    return Badge(role, icon, CaseState(case.state).label)


def authorisation(case: RenewalCase) -> Badge:
    """Is it authorised; a question that nobody can answer any more is not shown as waiting."""
    answer = Authorisation(case.authorisation)
    if case.flow == Flow.EXTEND:
        # Nobody is ever asked, whatever the agreement says (rules.md R18).
        answer = Authorisation.NOT_REQUIRED
    if answer in {Authorisation.UNDECIDED, Authorisation.PENDING} and case.closed_at is not None:
        return Badge("neutral", "minus-circle", _("Non decisa"))
    role, icon, word = _AUTHORISATION_LOOKS[answer]
    return Badge(role, icon, str(word))


def progress(case: RenewalCase) -> list[Badge]:
    """How far is it, with a suspension that is running beside it."""
    held = [Badge("danger", "lock", _("Sospeso"))] if is_suspended(case) else []
    return [state(case), *held]


def all_of(case: RenewalCase) -> list[Badge]:
    """The badges of a case's title."""
    return [*progress(case), authorisation(case)]


def is_suspended(case: RenewalCase) -> bool:
    """Whether the new certificates are suspended because nobody approved."""
    return case.waits_for_approval and case.suspended_at is not None


def is_waiting(case: RenewalCase) -> bool:
    """Whether a person must decide: signed, in authorisation mode, not decided."""
    return case.authorisation == Authorisation.PENDING and case.state in SIGNED_STATES
