"""How checks are said on the status page: what, how it stands, who must act, until when, what can be done here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from smime import policy
from smime.models import Check, Order
from smime.pages import order_words
from smime.services import links
from smime.states import CheckKind, CheckState, IdentityPath, LinkPurpose, OrderState

NAMES = {
    CheckKind.MAILBOX: gettext_noop("Casella di posta"),
    CheckKind.ORGANISATION: gettext_noop("Organizzazione"),
    CheckKind.AUTHORITY: gettext_noop("Poteri del richiedente"),
    CheckKind.ATTESTATION: gettext_noop("Attestazione del rapporto professionale"),
    CheckKind.CONSENT: gettext_noop("Consenso al trattamento dei dati"),
    CheckKind.IDENTITY: gettext_noop("Riconoscimento del destinatario"),
}
PURPOSES = {
    CheckKind.MAILBOX: LinkPurpose.MAILBOX,
    CheckKind.CONSENT: LinkPurpose.CONSENT,
    CheckKind.IDENTITY: LinkPurpose.IDENTIFICATION,
}
_WAITING = {
    CheckKind.MAILBOX: gettext_noop(
        "Abbiamo inviato un'email a %(mailbox)s: il collegamento che contiene va confermato."
    ),
    CheckKind.ATTESTATION: gettext_noop("Manca il documento: lo carichi quando è firmato."),
    CheckKind.CONSENT: gettext_noop("Abbiamo inviato a %(mailbox)s la richiesta di consenso al trattamento dei dati."),
    CheckKind.IDENTITY: gettext_noop("Abbiamo inviato a %(mailbox)s il collegamento per il riconoscimento."),
    CheckKind.ORGANISATION: gettext_noop("Servono altre informazioni o documenti sull'organizzazione."),
    CheckKind.AUTHORITY: gettext_noop("Servono altre informazioni o documenti sui poteri del richiedente."),
}
_LATER = {
    CheckKind.CONSENT: gettext_noop("Comincia quando la casella è confermata."),
    CheckKind.IDENTITY: gettext_noop("Comincia quando il destinatario ha dato il consenso."),
}
_EXPLAINED = frozenset({CheckState.FAILED, CheckState.WAITING_CUSTOMER})
_MARKS = {
    CheckState.PASSED: ("done", "check-circle"),
    CheckState.FAILED: ("missed", "close-circle"),
    CheckState.TODO: ("later", "minus-circle"),
    CheckState.IN_REVIEW: ("now", "search"),
    CheckState.WAITING_THIRD_PARTY: ("now", "clock"),
    CheckState.WAITING_CUSTOMER: ("now", "user"),
}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check as the page draws it; `resend` is an address, `resend_at` the instant from which it works."""

    name: str
    style: str
    icon: str
    state: str
    sentence: str
    reason: str
    who: str
    due_at: datetime | None
    valid_until: datetime | None
    span_days: int
    resend: str
    resend_at: datetime | None
    act: str
    act_word: str


def lines_of(order: Order, now: datetime) -> list[CheckLine]:
    """Say each check of the order's type, in the order of the table."""
    rows = {check.kind: check for check in order.checks.all()}
    return [_line(order, rows[kind], now) for kind in policy.CHECKS_OF[order.validation] if kind in rows]


def _line(order: Order, check: Check, now: datetime) -> CheckLine:
    kind, is_open = CheckKind(check.kind), order.state == OrderState.CHECKING
    is_old = check.state == CheckState.PASSED and not policy.is_fresh(check, now)
    style, icon = ("missed", "clock") if is_old and is_open else _MARKS[_shown_state(check, is_open=is_open)]
    act, act_word = _act(order, check) if is_open else ("", "")
    resend = _resend(order, check) if is_open else ""
    return CheckLine(
        name=_(NAMES[kind]),
        style=style,
        icon=icon,
        state=_("Da ripetere: è trascorso troppo tempo") if is_old and is_open else _state(check, is_open=is_open),
        sentence=_sentence(order, check) if is_open else "",
        reason=_(check.reason) if check.reason and check.state in _EXPLAINED else "",
        who=order_words.actor_of(check) if is_open else "",
        due_at=check.due_at if is_open else None,
        valid_until=check.valid_until if check.state == CheckState.PASSED else None,
        span_days=policy.span_of(kind).days,
        resend=resend,
        resend_at=_next_mail(order, check, now) if resend else None,
        act=act,
        act_word=act_word,
    )


def _shown_state(check: Check, *, is_open: bool) -> CheckState:
    """The state that the mark says: nobody waits for a check of an order that is over."""
    ended = {CheckState.PASSED, CheckState.FAILED}
    return CheckState(check.state) if is_open or check.state in ended else CheckState.TODO


def _state(check: Check, *, is_open: bool) -> str:
    """The state as customers read it: who is waited for stands in its own line."""
    if not is_open and _shown_state(check, is_open=False) == CheckState.TODO:
        return _("Non conclusa")
    is_waiting = check.state in {CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY}
    return _("In attesa") if is_waiting else _(CheckState(check.state).label)


def _sentence(order: Order, check: Check) -> str:
    kind = CheckKind(check.kind)
    if check.state == CheckState.TODO:
        return _(_LATER.get(kind, "")) if kind in _LATER else ""
    if check.state == CheckState.WAITING_CUSTOMER:
        if kind == CheckKind.IDENTITY and check.path == IdentityPath.SIGNATURE:
            return _("Il destinatario può usare il processo alternativo con firma elettronica qualificata (FEQ).")
        return _(_WAITING[kind]) % {"mailbox": order.mailbox}
    if check.state == CheckState.IN_REVIEW and kind == CheckKind.IDENTITY:
        return _("Un operatore confronta l'esito del riconoscimento con i dati della pratica.")
    return ""


def _act(order: Order, check: Check) -> tuple[str, str]:
    if check.kind == CheckKind.ATTESTATION and check.state in {CheckState.WAITING_CUSTOMER, CheckState.FAILED}:
        return reverse("smime:attestazione", kwargs={"uid": order.uid}), _("Carica l'attestazione")
    return "", ""


def purpose_of(check: Check) -> LinkPurpose | None:
    """Which mailed link a check waits for; None for those that wait for papers."""
    if check.kind == CheckKind.IDENTITY and check.path == IdentityPath.SIGNATURE:
        return LinkPurpose.ALTERNATIVE
    return PURPOSES.get(CheckKind(check.kind))


def _resend(order: Order, check: Check) -> str:
    if purpose_of(check) is None or check.state != CheckState.WAITING_CUSTOMER:
        return ""
    return reverse("smime:resend", kwargs={"uid": order.uid, "kind": check.kind})


def _next_mail(order: Order, check: Check, now: datetime) -> datetime | None:
    """From when on another mail may be sent; None when at once."""
    purpose = purpose_of(check)
    at = links.next_mail_at(order, purpose, now) if purpose else now
    return at if at > now else None


def evidence_clocks() -> list[tuple[str, str]]:
    """The spans that the page explains: the mailed link, the mailbox, all other evidence."""
    return [
        (_("Collegamento nell'email di verifica"), _("%(hours)d ore") % {"hours": settings.SMIME.mailbox_link_hours}),
        (_("Verifica della casella"), _("%(days)d giorni") % {"days": settings.SMIME.mailbox_days}),
        (_("Altre verifiche"), _("%(days)d giorni") % {"days": settings.SMIME.evidence_days}),
    ]
