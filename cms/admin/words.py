"""Instants and deadlines in words, Europe/Rome: what people read on the panel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import formats
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from cms.policy import ROME, rome_date
from cms.states import CertificateType, HoldCause, Outcome

# Codes that use cases leave as reasons; a person's own words stand as they were written.
REASONS = {
    "approval-lapsed": gettext_lazy("Rinnovo non autorizzato entro 120 giorni dalla sospensione"),
    "approved": gettext_lazy("Rinnovo autorizzato"),
    "authority": gettext_lazy("Disposizione dell'autorità"),
    "authority-order": gettext_lazy("Disposizione dell'autorità"),
    "data-incorrect": gettext_lazy("Dati della pratica non corretti"),
    "hold-lapsed": gettext_lazy("Sospensione oltre 120 giorni"),
    "holder": gettext_lazy("Richiesta del titolare"),
    "holder-data-wrong": gettext_lazy("Dati del titolare non corretti"),
    "holder-declines": gettext_lazy("Il titolare ha scelto di non proseguire"),
    "holder-request": gettext_lazy("Richiesta del titolare"),
    "key-compromised": gettext_lazy("Chiave compromessa"),
    "link": gettext_lazy("Collegamento inviato per e-mail"),
    "missing-approval": gettext_lazy("Rinnovo non autorizzato entro la scadenza"),
    "not-installed": gettext_lazy("Certificato non installato"),
    "old-certificate-expired": gettext_lazy("Certificati scaduti prima dell'installazione dei nuovi"),
    "old-certificate-revoked": gettext_lazy("Certificati in scadenza revocati"),
    "operator": gettext_lazy("Sospensione disposta dal CDRL"),
    "refused": gettext_lazy("Rinnovo non approvato dal CDRL"),
    "user-code": gettext_lazy("Codice utente"),
}
# Why a certificate is suspended, in words that say who wanted it.
HOLD_CAUSES = {
    HoldCause.MISSING_APPROVAL: gettext_lazy("Mancata autorizzazione del rinnovo"),
    HoldCause.HOLDER: gettext_lazy("Richiesta del titolare"),
    HoldCause.OPERATOR: gettext_lazy("Decisione di un operatore del CDRL"),
    HoldCause.AUTHORITY: gettext_lazy("Disposizione dell'autorità"),
}
# What ended against somebody: it was carried out, but green would read as the opposite.
ADVERSE = frozenset({"case.refused", "case.cancelled", "case.expired", "purchase.refused"})
ADVERSE |= {"smime.order-rejected", "smime.order-cancelled", "smime.order-lapsed", "smime.check-failed"}
ADVERSE |= {"smime.consent-refused", "smime.consent-withdrawn"}
_OUTCOME_LOOKS = {
    Outcome.DONE: ("ok", "check"),
    Outcome.REFUSED: ("danger", "close-circle"),
    Outcome.FAILED: ("danger", "error"),
}
RED_DAYS = 3
AMBER_DAYS = 15
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as screens show it: colour by role (ok, wait, danger, neutral), icon, word."""

    role: str
    icon: str
    word: str


def outcome_badge(verb: str, outcome: str) -> Badge:
    """Look of an event's *esito*: a refusal that was carried out succeeded, but is not green."""
    role, icon = _OUTCOME_LOOKS.get(Outcome(outcome), ("neutral", "info-circle"))
    is_adverse = verb in ADVERSE and outcome == Outcome.DONE
    return Badge("neutral" if is_adverse else role, icon, _(Outcome(outcome).label))


def hold_cause(cause: str) -> str:
    """Say who or what suspended a certificate."""
    return str(HOLD_CAUSES.get(HoldCause(cause), cause))


def instant(at: datetime) -> str:
    """Say `gio 12/03/2027, 10:15`."""
    local = at.astimezone(ROME)
    return f"{_day(local.date(), get_language())}, {local:%H:%M}"


def day(at: datetime | date) -> str:
    """Say `gio 12/03/2027`."""
    return _day(rome_date(at) if isinstance(at, datetime) else at, get_language())


@lru_cache(maxsize=8192)
def _day(date_: date, _language: str | None) -> str:
    """The days of a list are few, and looking up a format costs more than the rest of its row."""
    return formats.date_format(date_, "D d/m/Y").lower()


def distance(at: datetime, now: datetime) -> str:
    """Say how far an instant lies from now: `tra 12 giorni`, `domani`, `tra 3 ore`, `ieri`, `5 giorni fa`."""
    days = (rome_date(at) - rome_date(now)).days
    if days == 0:
        return _hours(at - now)
    if days == 1:
        return _("domani")
    if days == -1:
        return _("ieri")
    if days > 0:
        return ngettext("tra %d giorno", "tra %d giorni", days) % days
    return ngettext("%d giorno fa", "%d giorni fa", -days) % -days


def _hours(left: timedelta) -> str:
    if left < timedelta(0):
        return _("oggi")
    if left < HOUR:
        minutes = max(1, left // timedelta(minutes=1))
        return ngettext("tra %d minuto", "tra %d minuti", minutes) % minutes
    hours = left // HOUR
    return ngettext("tra %d ora", "tra %d ore", hours) % hours


def urgency(at: datetime, now: datetime) -> str:
    """Colour role of a deadline: danger under 3 days or passed, wait under 15 days, else none."""
    left = at - now
    if left < timedelta(days=RED_DAYS):
        return "danger"
    return "wait" if left < timedelta(days=AMBER_DAYS) else ""


def reason(text: str) -> str:
    """Say a reason: a code in words, a person's words as they are."""
    return str(REASONS.get(text, text))


def fact(name: str, value: object) -> str:
    """Say one of an event's facts: a type by its label, an instant as a day, anything else as it stands."""
    text = str(value)
    if name == "type" and text in CertificateType.values:
        return _(CertificateType(text).label)
    if name == "not_after":
        return instant(datetime.fromisoformat(text))
    return text


def bounded(count: int, bound: int) -> str:
    """Say a count that was not counted beyond `bound`: `1000+`."""
    return f"{bound}+" if count >= bound else str(count)
