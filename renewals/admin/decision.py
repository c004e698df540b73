"""What a decision does, said before it is taken: choices, facts, consequence with date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms import policy as register
from cms.admin.desk import Desk
from cms.errors import DomainError
from cms.states import Flow
from renewals import policy
from renewals.admin import badges, reasons
from renewals.admin.clockwork import moment
from renewals.errors import HolderDecides
from renewals.models import RenewalCase
from renewals.states import UNAUTHORISED, Authorisation, CaseState


@dataclass(frozen=True, slots=True)
class Choices:
    """Which buttons stand on a case, and why none does."""

    may_approve: bool = False
    may_refuse: bool = False
    may_cancel: bool = False
    may_reopen: bool = False
    obstacle: str = ""


def choices(case: RenewalCase, desk: Desk) -> Choices:
    """Buttons for this operator, from the row alone. Only a hint: the use case asks every rule again, under lock."""
    may_cancel, may_reopen = case.is_open, case.state == CaseState.CANCELLED
    may_decide = _is_decidable(case)
    if not (may_decide or may_cancel or may_reopen):
        return Choices()
    try:
        policy.require_not_holder(case, desk.operator)
    except HolderDecides as refusal:
        said = _("%(why)s La decisione spetta a un altro operatore del CDRL.")
        return Choices(obstacle=said % {"why": _(refusal.text)})
    if not desk.may_decide(case.centre_id):
        return Choices(obstacle=_("Il suo ruolo consente di consultare la pratica, non di decidere."))
    return Choices(
        may_approve=may_decide,
        may_refuse=may_decide and case.authorisation == Authorisation.PENDING,
        may_cancel=may_cancel,
        may_reopen=may_reopen,
    )


def _is_decidable(case: RenewalCase) -> bool:
    try:
        policy.require_decidable(case)
    except DomainError:
        return False
    return case.authorisation in UNAUTHORISED


@dataclass(frozen=True, slots=True)
class Question:
    """The confirmation page of one decision. A risky one is red, and wants a reason where there are reasons."""

    title: Any
    url_name: str
    right: str
    consequence: Callable[[RenewalCase, datetime], list[str]]
    """What will happen, in sentences with dates."""
    is_risky: bool = False
    reasons: tuple[str, ...] = ()
    stands_in_head: bool = False
    """Whether its button stands beside the title of the case, where the two daily ones are."""

    def is_open(self, choices: Choices) -> bool:
        """Whether this decision can be asked for."""
        return bool(getattr(choices, self.right))


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that the operator can do on a case, and what it would change."""

    question: Question
    consequence: list[str]

    @property
    def address(self) -> str:
        """Name of the page that asks."""
        return f"admin:{self.question.url_name}"


def options(case: RenewalCase, choices: Choices, now: datetime) -> list[Option]:
    """Everything that is open, each with its consequence said beforehand."""
    return [Option(question, question.consequence(case, now)) for question in QUESTIONS if question.is_open(choices)]


def _of_approval(case: RenewalCase, _now: datetime) -> list[str]:
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
    told = _("Il titolare riceve un'e-mail con il motivo.")
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
    lapse = register.hold_lapses_at(max(suspension, now), settings.CMS.hold_days)
    if case.refusal_suspends_at_once:
        first = _("I nuovi certificati vengono sospesi subito, come prevede l'accordo del CDRL.")
    else:
        kept = _("I nuovi certificati restano attivi fino alla scadenza dei precedenti, poi saranno sospesi: %(when)s.")
        first = kept % {"when": moment(suspension)}
    return [first, _still_possible(lapse), told]


def _still_possible(lapse: datetime) -> str:
    text = _("Fino alla revoca, prevista %(when)s, la pratica può ancora essere approvata.")
    return text % {"when": moment(lapse)}


def _of_cancellation(case: RenewalCase, _now: datetime) -> list[str]:
    lines = [_("La pratica viene chiusa subito e il titolare non può più proseguire il rinnovo di questa carta.")]
    if case.state == CaseState.AWAITING_INSTALLATION:
        lines.append(
            _("Le unità prenotate tornano disponibili, salvo quelle già emesse dalla CA, che vengono revocate.")
        )
    lines.append(_("I certificati in uso restano validi fino alla loro scadenza."))
    lines.append(_("Il titolare riceve un'e-mail con il motivo. La pratica può essere riaperta prima della scadenza."))
    return lines


def _of_reopening(case: RenewalCase, _now: datetime) -> list[str]:
    until = _("Si apre una nuova pratica per la stessa carta: il titolare può rinnovare fino a %(when)s.")
    invited = _("Il titolare riceve di nuovo l'avviso di rinnovo e ricomincia dal primo passo.")
    untold = _("Il titolare non riceve nessun avviso: lo informi Lei. Ricomincia dal primo passo.")
    return [
        until % {"when": moment(case.old_not_after)},
        untold if case.flow == Flow.EXTEND else invited,
        _("Questa pratica resta agli atti così com'è."),
    ]


APPROVE = Question(gettext_lazy("Approva il rinnovo"), "approve_case", "may_approve", _of_approval, stands_in_head=True)
REFUSE = Question(
    gettext_lazy("Non approvare il rinnovo"),
    "refuse_case",
    "may_refuse",
    _of_refusal,
    is_risky=True,
    reasons=reasons.OF_REFUSAL,
    stands_in_head=True,
)
CANCEL = Question(
    gettext_lazy("Cancella la pratica"),
    "cancel_case",
    "may_cancel",
    _of_cancellation,
    is_risky=True,
    reasons=reasons.OF_CANCELLATION,
)
REOPEN = Question(gettext_lazy("Riapri la pratica"), "reopen_case", "may_reopen", _of_reopening)
QUESTIONS = (APPROVE, REFUSE, CANCEL, REOPEN)
