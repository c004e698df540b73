"""What a decision does, said before it is taken: choices, facts, consequence with date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms import policy as register
from cms.admin.desk import Desk
from cms.errors import DomainError
from renewals import policy
from renewals.admin import badges
from renewals.admin.clockwork import moment
from renewals.errors import HolderDecides
from renewals.models import RenewalCase
from renewals.states import UNAUTHORISED, Authorisation, CaseState


@dataclass(frozen=True, slots=True)
class Choices:
    """Which buttons stand on a case, and why none does."""

    may_approve: bool = False
    may_refuse: bool = False
    obstacle: str = ""


def choices(case: RenewalCase, desk: Desk) -> Choices:
    """Buttons for this operator. Only a hint: the use case asks every rule again, on the locked row."""
    if case.authorisation not in UNAUTHORISED:
        return Choices()
    try:
        policy.require_decidable(case)
        policy.require_not_holder(case, desk.operator)
    except HolderDecides as refusal:
        return Choices(obstacle=_("%(why)s La decisione spetta a un altro operatore del CDRL.") % {"why": refusal.text})
    except DomainError:
        return Choices()
    if not desk.may_decide(case.centre_id):
        return Choices(obstacle=_("Il suo ruolo consente di consultare la pratica, non di decidere."))
    return Choices(may_approve=True, may_refuse=case.authorisation == Authorisation.PENDING)


@dataclass(frozen=True, slots=True)
class Question:
    """The confirmation page of one decision. A refusal is the dangerous one, and wants a reason."""

    title: Any
    is_refusal: bool = False

    def is_open(self, choices: Choices) -> bool:
        """Whether this decision can be asked for."""
        return choices.may_refuse if self.is_refusal else choices.may_approve

    def consequence(self, case: RenewalCase, now: datetime) -> list[str]:
        """What will happen, in sentences with dates."""
        return _of_refusal(case, now) if self.is_refusal else _of_approval(case)


APPROVE = Question(title=gettext_lazy("Approva il rinnovo"))
REFUSE = Question(title=gettext_lazy("Non approvare il rinnovo"), is_refusal=True)


def _of_approval(case: RenewalCase) -> list[str]:
    told = _("Il titolare viene avvisato per e-mail.")
    if case.state == CaseState.AWAITING_INSTALLATION:
        early = _("Il rinnovo è autorizzato in anticipo: dopo l'installazione non servirà altro.")
        return [early, told]
    if badges.is_suspended(case):
        lifted = _("I nuovi certificati, sospesi da %(since)s, vengono riattivati subito.")
        spared = _("La revoca prevista %(when)s non avverrà.")
        said = [lifted % {"since": moment(case.suspended_at)}] if case.suspended_at else []
        return [*said, *([spared % {"when": moment(case.due_at)}] if case.due_at else []), told]
    kept = _("I nuovi certificati restano attivi: la sospensione prevista %(when)s non avverrà.")
    return [kept % {"when": moment(case.due_at)}, told] if case.due_at else [told]


def _of_refusal(case: RenewalCase, now: datetime) -> list[str]:
    told = _("Il titolare riceve un'e-mail con il motivo indicato qui sotto.")
    if case.state == CaseState.AWAITING_INSTALLATION:
        ended = _(
            "La pratica viene cancellata subito: i nuovi certificati non saranno installati e le unità prenotate "
            "tornano disponibili, salvo quelle già emesse dalla CA."
        )
        closed = _("La carta non potrà essere rinnovata di nuovo dal titolare finché la pratica non viene riaperta.")
        return [ended, closed, told]
    if badges.is_suspended(case) and case.due_at:
        stays = _("I nuovi certificati restano sospesi e saranno revocati %(when)s.")
        return [stays % {"when": moment(case.due_at)}, _still_possible(case.due_at), told]
    suspension = now if case.refusal_suspends_at_once else register.expires_at(case.old_not_after)
    lapse = register.hold_lapses_at(max(suspension, now), settings.RENEWALS.recoverable_days)
    if case.refusal_suspends_at_once:
        first = _("I nuovi certificati vengono sospesi subito, come prevede l'accordo del CDRL.")
    else:
        kept = _("I nuovi certificati restano attivi fino alla scadenza dei precedenti, poi saranno sospesi: %(when)s.")
        first = kept % {"when": moment(suspension)}
    return [first, _still_possible(lapse), told]


def _still_possible(lapse: datetime) -> str:
    text = _("Fino alla revoca, prevista %(when)s, la pratica può ancora essere approvata.")
    return text % {"when": moment(lapse)}
