"""Orders, checks and certificates of S/MIME in the panel's words and colours."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.admin.words import Badge
from notifications.catalog import Message
from smime import policy, policy_signature
from smime.countries import COUNTRIES
from smime.models import Check, EvidenceFile, Order, SmimeCertificate
from smime.states import CertificateStatus, CheckState, OrderState, ScanState

_ORDERS = {
    OrderState.DRAFT: ("neutral", "pencil"),
    OrderState.CHECKING: ("wait", "clock"),
    OrderState.APPROVED: ("ok", "clock"),
    OrderState.ISSUED: ("ok", "check-circle"),
    OrderState.REJECTED: ("danger", "close-circle"),
    OrderState.CANCELLED: ("neutral", "ban"),
    OrderState.LAPSED: ("neutral", "minus-circle"),
}
_CHECKS = {
    CheckState.TODO: ("neutral", "minus-circle"),
    CheckState.WAITING_CUSTOMER: ("neutral", "user"),
    CheckState.WAITING_THIRD_PARTY: ("neutral", "clock"),
    CheckState.IN_REVIEW: ("wait", "search"),
    CheckState.PASSED: ("ok", "check-circle"),
    CheckState.FAILED: ("danger", "close-circle"),
}
_CERTIFICATES = {
    CertificateStatus.ACTIVE: ("ok", "check-circle"),
    CertificateStatus.HELD: ("wait", "lock"),
    CertificateStatus.REVOKED: ("danger", "close-circle"),
}
_SCANS = {
    ScanState.PENDING: ("wait", "clock"),
    ScanState.CLEAN: ("ok", "check-circle"),
    ScanState.INFECTED: ("danger", "error"),
    ScanState.QUARANTINED: ("danger", "lock"),
}
LETTER_WORDS = {
    "applicant": gettext_lazy("Nome e cognome del richiedente"),
    "role": gettext_lazy("Ruolo o posizione aziendale del richiedente"),
    "function": gettext_lazy("Funzione specifica svolta"),
    "company": gettext_lazy("Ragione sociale dell'organizzazione"),
    "address": gettext_lazy("Indirizzo completo dell'organizzazione"),
    "reason": gettext_lazy("Motivazione della richiesta"),
    "attested_on": gettext_lazy("Data dell'attestazione"),
    "referee": gettext_lazy("Nome e cognome del referente che firma"),
    "referee_role": gettext_lazy("Qualifica del referente"),
    "contact": gettext_lazy("Email o numero di telefono del referente"),
    "statement": gettext_lazy("Dichiarazione formale del rapporto"),
    "signature": gettext_lazy("Firma leggibile, autografa o digitale"),
}
"""What is ticked against the letter, in its order; the last two are looked for in the letter itself."""
_MAILS = {
    Message.SMIME_VERIFY_MAILBOX: gettext_lazy("Conferma della casella"),
    Message.SMIME_CONSENT: gettext_lazy("Richiesta di consenso"),
    Message.SMIME_IDENTIFICATION: gettext_lazy("Invito al riconoscimento"),
    Message.SMIME_IDENTIFICATION_PASSED: gettext_lazy("Riconoscimento riuscito"),
    Message.SMIME_IDENTIFICATION_FAILED: gettext_lazy("Riconoscimento non riuscito"),
    Message.SMIME_ALTERNATIVE: gettext_lazy("Processo alternativo"),
    Message.SMIME_FORM_RECEIVED: gettext_lazy("Modulo firmato ricevuto"),
    Message.SMIME_ORGANISATION_CHECK: gettext_lazy("Verifica dell'organizzazione"),
    Message.SMIME_PAPERS_MISSING: gettext_lazy("Documenti mancanti"),
    Message.SMIME_REFUSED: gettext_lazy("Pratica respinta"),
    Message.SMIME_ISSUED: gettext_lazy("Certificato emesso, con la password"),
    Message.SMIME_ISSUED_OWN_KEY: gettext_lazy("Certificato emesso"),
    Message.SMIME_ISSUED_NOTICE: gettext_lazy("Avviso di emissione"),
    Message.SMIME_EXPIRING: gettext_lazy("Promemoria di scadenza"),
    Message.SMIME_REVOKED: gettext_lazy("Certificato revocato"),
    Message.SMIME_DOWNLOAD_CODE: gettext_lazy("Codice per lo scaricamento"),
    Message.SMIME_DOWNLOAD_LINK: gettext_lazy("Link per lo scaricamento"),
    Message.SMIME_DOWNLOADED: gettext_lazy("File scaricato"),
}


_COUNTRIES: dict[str, str] = dict(COUNTRIES)
_MISMATCHES = {
    "NAME": gettext_lazy("Il nome sul documento non è quello digitato."),
    "SURNAME": gettext_lazy("Il cognome sul documento non è quello digitato."),
    "NAME_OF_ORDER": gettext_lazy("Nome e cognome letti sul documento non sono quelli della pratica."),
    "PICTURE_FRONT": gettext_lazy("La foto del fronte del documento non è utilizzabile."),
    "PICTURE_BACK": gettext_lazy("La foto del retro del documento non è utilizzabile."),
    "PICTURE_FACE": gettext_lazy("La foto del volto non è utilizzabile."),
    "DUPLICATE_FACE": gettext_lazy("Lo stesso volto compare in un riconoscimento precedente."),
    "DUPLICATE_DOC_FACE": gettext_lazy("La foto del documento compare in un riconoscimento precedente."),
    "DUPLICATE_PERSONAL_DATA": gettext_lazy("Gli stessi dati compaiono in un riconoscimento precedente."),
    "FACE_SUSPECTED": gettext_lazy("Il volto potrebbe non essere autentico."),
    "PORTRAIT_SUBSTITUTION": gettext_lazy("La foto sul documento potrebbe essere stata sostituita."),
    "VIRTUAL_CAMERA": gettext_lazy("Probabile uso di una fotocamera simulata."),
}
"""Tags of the provider (its documentation, *Suspicions*) and our own beside them."""


def mismatch(tag: str) -> str:
    """Say what did not fit; a tag that is not listed stands as the provider wrote it."""
    return str(_MISMATCHES.get(tag) or _("Segnalazione del fornitore: %(tag)s") % {"tag": tag})


def country(code: str) -> str:
    """Name a country; a code that the wizard does not offer stands as it is."""
    return _(_COUNTRIES[code]) if code in _COUNTRIES else code


_QUALIFIED = "signature-qualified"


def order_badge(order: Order) -> Badge:
    """How far an order is."""
    state = OrderState(order.state)
    return Badge(*_ORDERS[state], str(state.label))


def check_badge(check: Check, now: datetime) -> Badge:
    """How a check stands; proven once and too old by now says so."""
    state = CheckState(check.state)
    if state == CheckState.PASSED and not policy.is_fresh(check, now):
        return Badge("wait", "clock", _("Scaduta, da ripetere"))
    return Badge(*_CHECKS[state], str(state.label))


def certificate_badge(certificate: SmimeCertificate, now: datetime) -> Badge:
    """How a certificate stands; what has expired says so."""
    status = CertificateStatus(certificate.status)
    if status != CertificateStatus.REVOKED and now > certificate.not_after:
        return Badge("neutral", "minus-circle", _("Scaduto"))
    return Badge(*_CERTIFICATES[status], str(status.label))


def scan_badge(file: EvidenceFile) -> Badge:
    """What the scanner has said."""
    state = ScanState(file.scan)
    return Badge(*_SCANS[state], str(state.label))


def signature_hint(file: EvidenceFile) -> str:
    """Say whether a letter is signed digitally and by whom; empty where it is not, or where nobody has looked yet."""
    code, _blank, signer = file.signature_hint.partition(" ")
    if not code:
        return ""
    if code in policy_signature.GROUNDS:
        said = _("Firma digitale non valida come qualificata: %(found)s")
        return " ".join([said % {"found": _(policy_signature.ground_of(code).found)}, signer]).strip()
    named = {"signer": signer or "–"}
    if code == _QUALIFIED:
        return _("Firma digitale qualificata di %(signer)s: la confronti con il referente.") % named
    return _("Firma digitale di %(signer)s, non verificabile adesso (elenchi o revoche mancanti).") % named


def mail_title(kind: str) -> str:
    """Title of a kind of mail; one that is not listed shows its own name."""
    return str(_MAILS.get(kind, kind))  # type: ignore[call-overload] # the keys are strings too
