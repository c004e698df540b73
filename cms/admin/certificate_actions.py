"""What suspending, reactivating and revoking does, said before it is done: choices, consequence with date, form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms import policy
from cms.admin.desk import Desk
from cms.admin.holders import Half, PairView
from cms.admin.paging import number
from cms.models import Agreement
from cms.policy import ROME
from cms.services.halves import LONGEST_NOTE, Choice

# What a cause means at a desk; the words of the closed table stand in `cms.states`.
_CAUSES = {
    "holder-request": gettext_lazy("Richiesta del titolare: non gli servono più, o cambiano i suoi dati"),
    "key-compromised": gettext_lazy("Chiave compromessa: carta smarrita o rubata, o PIN noto ad altri"),
    "authority-order": gettext_lazy("Disposizione dell'autorità"),
}


class NoteForm(forms.Form):
    """An operator's own words, as the holder reads them."""

    note = forms.CharField(
        label=gettext_lazy("Nota (facoltativa)"),
        help_text=gettext_lazy("Il titolare la legge nell'e-mail e resta agli atti. Non scriva dati personali."),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RevocationForm(NoteForm):
    """The cause comes from the closed table; nothing is chosen beforehand."""

    cause = forms.ChoiceField(
        label=gettext_lazy("Causa della revoca"),
        choices=[
            ("", gettext_lazy("Scelga la causa")),
            *((cause.value, _CAUSES[cause]) for cause in policy.OPERATOR_CAUSES),
        ],
        error_messages={"required": gettext_lazy("Scelga la causa: senza, la revoca non può essere eseguita.")},
    )
    field_order = ("cause", "note")


@dataclass(frozen=True, slots=True)
class Question:
    """The confirmation page of one action."""

    action: str
    title: Any
    button: Any
    done: Any
    already: Any
    form: type[NoteForm] = NoteForm
    is_risky: bool = False


SUSPEND = Question(
    "suspend",
    gettext_lazy("Sospendi i certificati"),
    gettext_lazy("Sospendi i certificati scelti"),
    gettext_lazy("Sospensione richiesta alla CA: ha effetto tra pochi secondi."),
    gettext_lazy("I certificati erano già sospesi."),
)
REACTIVATE = Question(
    "reactivate",
    gettext_lazy("Riattiva i certificati"),
    gettext_lazy("Riattiva i certificati scelti"),
    gettext_lazy("Riattivazione richiesta alla CA: ha effetto tra pochi secondi."),
    gettext_lazy("I certificati erano già riattivati."),
)
REVOKE = Question(
    "revoke",
    gettext_lazy("Revoca i certificati"),
    gettext_lazy("Revoca per sempre i certificati scelti"),
    gettext_lazy("Revoca richiesta alla CA: ha effetto tra pochi secondi ed è definitiva."),
    gettext_lazy("La revoca era già stata richiesta."),
    RevocationForm,
    is_risky=True,
)
PROPOSE = Question(
    "revoke",
    gettext_lazy("Proponi la revoca dei certificati"),
    gettext_lazy("Proponi la revoca dei certificati scelti"),
    gettext_lazy("Revoca proposta: ha effetto quando un'altra persona del CDRL la conferma."),
    gettext_lazy("La revoca era già stata proposta."),
    RevocationForm,
    is_risky=True,
)


def revocation_of(agreement: Agreement) -> Question:
    """One person revokes, or proposes where the agreement wants two."""
    return PROPOSE if agreement.four_eyes_revocation else REVOKE


def choice_of(view: PairView, posted: QueryDict, case_code: str) -> Choice:
    """Halves of this pair that were ticked; the use case asks whether it can be done."""
    ticked = {number(text) for text in posted.getlist("certificato")}
    known = {half.certificate.pk for half in view.halves}
    return Choice(view.pair.pk, frozenset(pk for pk in ticked if pk in known), case_code)


def ticked(view: PairView, question: Question, posted: QueryDict | None) -> list[tuple[Half, bool]]:
    """Each half that can be chosen, and whether it is: all of them at first."""
    chosen = None if posted is None else set(posted.getlist("certificato"))
    return [(half, chosen is None or str(half.certificate.pk) in chosen) for half in view.eligible(question.action)]


def consequence(view: PairView, question: Question, desk: Desk, more: Sequence[str] = ()) -> list[str]:
    """What will happen, in sentences with dates."""
    said = {"suspend": _of_suspension, "reactivate": _of_reactivation, "revoke": _of_revocation}
    lines = said[question.action](view, desk)
    if question is PROPOSE:
        lines = [_("Non cambia nulla finché un'altra persona del CDRL non conferma la revoca."), *lines]
    told = _("Il titolare viene avvisato per e-mail.")
    untold = _("Il titolare non ha un'e-mail nel registro: lo avvisi Lei.")
    return [*lines, *more, told if view.pair.holder.email else untold]


def _of_suspension(view: PairView, desk: Desk) -> list[str]:
    lapse = policy.hold_lapses_at(desk.now, settings.CMS.hold_days)
    held = any(half.holds for half in view.eligible("suspend"))
    also = [_("Sono già sospesi per un'altra causa: con questa restano sospesi anche quando l'altra viene rimossa.")]
    return [
        *(also if held else []),
        _("I certificati scelti smettono di valere da subito: firme e accessi fatti nel frattempo non sono validi."),
        _("Se nessuno li riattiva entro %(days)d giorni, saranno revocati per sempre %(when)s (%(last)dº giorno).")
        % {"days": settings.CMS.hold_days, "when": _day(lapse), "last": settings.CMS.hold_days + 1},
    ]


def _of_reactivation(view: PairView, desk: Desk) -> list[str]:
    del desk
    stays = [_("Restano sospesi finché dura l'altra causa. %(why)s") % {"why": note} for note in view.notes]
    return [_("I certificati scelti tornano a valere da subito, e la revoca prevista non avverrà."), *stays]


def _of_revocation(view: PairView, desk: Desk) -> list[str]:
    del view, desk
    return [
        _("La revoca è definitiva: i certificati scelti non potranno mai più essere riattivati."),
        _("Per avere di nuovo una carta con certificati validi il titolare ha bisogno di un nuovo acquisto."),
    ]


def _day(at: Any) -> str:
    local = at.astimezone(ROME)
    return f"{formats.date_format(local, 'D').lower()} {formats.date_format(local, 'd/m/Y')}"
