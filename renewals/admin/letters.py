"""What the kinds of messages are called on screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cms.admin.words import Badge
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from notifications.states import MessageState
from renewals.services.letters import BRINGS_A_CODE

UNTAKEN = frozenset({MessageState.QUEUED, MessageState.FAILED})

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
    Message.DATA_REPORTED: _("Dati non corretti"),
    Message.STOCK_EMPTY: _("Giacenza insufficiente"),
    Message.LOW_STOCK: _("Giacenza in esaurimento"),
    Message.SUPPORT_OPENED: _("Richiesta di supporto"),
    Message.SUPPORT_ANSWER: _("Risposta a una richiesta di supporto"),
    Message.DAILY_DIGEST: _("Riepilogo del giorno"),
    Message.ALARM: _("Allarme"),
    Message.INVITATION: _("Invito al pannello"),
    Message.PASSWORD_LINK: _("Link per una nuova password"),
    Message.ACCOUNT_CHANGED: _("Cambio all'accesso di un operatore"),
    Message.SMIME_VERIFY_MAILBOX: _("S/MIME: conferma della casella"),
    Message.SMIME_CONSENT: _("S/MIME: consenso"),
    Message.SMIME_IDENTIFICATION: _("S/MIME: inizio del riconoscimento"),
    Message.SMIME_IDENTIFICATION_PASSED: _("S/MIME: riconoscimento riuscito"),
    Message.SMIME_IDENTIFICATION_FAILED: _("S/MIME: riconoscimento non riuscito"),
    Message.SMIME_ALTERNATIVE: _("S/MIME: processo alternativo"),
    Message.SMIME_FORM_RECEIVED: _("S/MIME: modulo firmato ricevuto"),
    Message.SMIME_ORGANISATION_CHECK: _("S/MIME: verifica dell'organizzazione"),
    Message.SMIME_PAPERS_MISSING: _("S/MIME: documenti mancanti"),
    Message.SMIME_REFUSED: _("S/MIME: richiesta respinta"),
    Message.SMIME_ISSUED: _("S/MIME: certificato e password"),
    Message.SMIME_ISSUED_OWN_KEY: _("S/MIME: certificato su chiave del cliente"),
    Message.SMIME_ISSUED_NOTICE: _("S/MIME: avviso di emissione"),
    Message.SMIME_EXPIRING: _("S/MIME: certificato in scadenza"),
    Message.SMIME_REVOKED: _("S/MIME: certificato revocato"),
    Message.SMIME_SLOTS_CREDITED: _("S/MIME: attivazioni acquistate"),
    Message.SMIME_OWN_MAILBOX: _("S/MIME: indirizzo dell'account"),
    Message.SMIME_DOWNLOAD_CODE: _("S/MIME: codice per scaricare"),
    Message.SMIME_DOWNLOAD_LINK: _("S/MIME: collegamento per scaricare"),
    Message.SMIME_DOWNLOADED: _("S/MIME: file scaricato"),
}


def title_of(kind: str) -> str:
    """Title of a kind; a kind that is not listed yet shows its own name."""
    return str(TITLES.get(kind, kind))  # type: ignore[call-overload] # the keys are strings too


def obstacle(message: OutboxMessage) -> str:
    """Why this mail is neither sent again nor issued anew from here; empty where it can be."""
    kind = Message(message.kind)
    if message.state == MessageState.QUEUED:
        return gettext("È già in coda e partirà da solo.")
    if kind.startswith("smime-"):
        return gettext("Le mail di una pratica S/MIME si chiedono di nuovo dalla pratica.")
    if kind == Message.CONTACT_CONFIRMATION:
        return gettext("Il codice vale pochi minuti: il titolare ne chiede uno nuovo dal programma di rinnovo.")
    if kind == Message.HOLDER_LINK:
        return gettext("Il collegamento era riservato: il titolare ne chiede uno nuovo dalla pagina del titolare.")
    if CATALOG[kind].secrets and kind not in BRINGS_A_CODE:
        return gettext("Conteneva un codice riservato che non viene conservato: non si invia di nuovo, va riemesso.")
    return ""


def brings_code(message: OutboxMessage) -> bool:
    """Whether sending it again means a new *codice utente* in a new mail."""
    return Message(message.kind) in BRINGS_A_CODE


def badge_of(message: OutboxMessage) -> Badge:
    """How the message stands."""
    looks = {
        MessageState.QUEUED: ("wait", "clock"),
        MessageState.SENT: ("ok", "check"),
        MessageState.FAILED: ("danger", "error"),
        MessageState.BOUNCED: ("danger", "error"),
    }
    state = MessageState(message.state)
    return Badge(*looks[state], gettext(state.label))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a message on its way: a word, and when, where that is known."""

    word: str
    at: datetime | None = None


def way_of(message: OutboxMessage) -> list[Step]:
    """What became of a message so far, the last step last. Why the server did not take it stands in words."""
    way: list[Step] = []
    if message.attempts > 1 and message.state in UNTAKEN:
        way.append(Step(ngettext("%(n)d tentativo", "%(n)d tentativi", message.attempts) % {"n": message.attempts}))
    if message.sent_at:
        way.append(Step(gettext("Inviato") if message.bounced_at else "", message.sent_at))
    if message.bounced_at:
        way.append(Step(gettext("Respinto"), message.bounced_at))
    if message.last_error:
        way.append(Step(_reason(message.last_error)))
    if message.state == MessageState.QUEUED and message.last_error and message.next_attempt_at:
        way.append(Step(gettext("Prossimo tentativo"), message.next_attempt_at))
    return way


def _reason(error: str) -> str:
    """Say in words what `last_error` keeps as a kind of failure and a reply code."""
    words = {
        "Rejected": gettext("Il server di posta lo ha rifiutato: verifichi l'indirizzo"),
        "PutOff": gettext("Il server di posta lo ha rinviato: si riprova da soli"),
        "ServerAway": gettext("Il server di posta non risponde: si riprova da soli"),
        "_Unsendable": gettext("Il messaggio non si può comporre: avvisare l'assistenza"),
    }
    return words.get(error.partition(" ")[0], "")
