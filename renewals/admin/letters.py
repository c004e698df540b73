"""What the kinds of messages are called on screens."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cms.admin.words import Badge
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from notifications.states import MessageState

TITLES = {
    Message.RENEWAL_NOTICE: _("Avviso di rinnovo"),
    Message.RENEWAL_REMINDER: _("Promemoria di rinnovo"),
    Message.SIGNED_FORM: _("Modulo firmato"),
    Message.RENEWAL_DONE: _("Rinnovo concluso"),
    Message.RENEWAL_DONE_TO_AUTHORISE: _("Rinnovo concluso, da autorizzare"),
    Message.AUTHORISED: _("Rinnovo autorizzato"),
    Message.SUSPENSION_WARNING: _("Prossima sospensione"),
    Message.SUSPENDED: _("Certificati sospesi"),
    Message.REVOCATION_WARNING: _("Prossima revoca"),
    Message.REACTIVATED: _("Certificati riattivati"),
    Message.REVOKED: _("Certificati revocati"),
    Message.CASE_EXPIRED: _("Pratica scaduta"),
    Message.CONTACT_CONFIRMATION: _("Codice di conferma e-mail"),
    Message.CONTACT_CHANGED: _("Recapiti cambiati"),
    Message.DATA_CHANGED: _("Dati cambiati"),
    Message.CODE_CLOSED: _("Codice utente bloccato"),
    Message.HOLDER_LINK: _("Link per il codice utente"),
    Message.USER_CODE: _("Nuovo codice utente"),
    Message.CASE_CANCELLED: _("Pratica cancellata"),
    Message.REFUSED: _("Rinnovo non approvato"),
    Message.STOCK_EMPTY: _("Giacenza insufficiente"),
    Message.LOW_STOCK: _("Giacenza in esaurimento"),
    Message.DAILY_DIGEST: _("Riepilogo del giorno"),
    Message.ALARM: _("Allarme"),
    Message.INVITATION: _("Invito al pannello"),
    Message.PASSWORD_LINK: _("Link per una nuova password"),
    Message.ACCOUNT_CHANGED: _("Cambio all'accesso di un operatore"),
}


def title_of(kind: str) -> str:
    """Title of a kind; a kind that is not listed yet shows its own name."""
    return str(TITLES.get(kind, kind))  # type: ignore[call-overload] # the keys are strings too


def obstacle(message: OutboxMessage) -> str:
    """Why this mail is not sent again; empty where it can be."""
    if CATALOG[Message(message.kind)].secrets:
        return gettext("Conteneva un codice riservato che non viene conservato: non si invia di nuovo, va riemesso.")
    if message.state == MessageState.QUEUED:
        return gettext("È già in coda e partirà da solo.")
    return ""


def badge_of(message: OutboxMessage) -> Badge:
    """How the message stands."""
    looks = {
        MessageState.QUEUED: ("wait", "clock"),
        MessageState.SENT: ("ok", "check"),
        MessageState.FAILED: ("danger", "error"),
    }
    state = MessageState(message.state)
    return Badge(*looks[state], str(state.label))
