"""Closed lists of S/MIME: stored value, Italian label. Words of the CA/B Forum S/MIME Baseline Requirements (SBR)."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_noop as _


class Validation(TextChoices):
    """Certificate types of SBR 1.1, as the guide names them; *SV* is the sponsor-validated type there."""

    MAILBOX = "mv", _("MV · Casella verificata")
    ORGANISATION = "ov", _("OV · Organizzazione verificata")
    SPONSOR = "sv", _("SV · Soggetto Verificato")
    INDIVIDUAL = "iv", _("IV · Individuo verificato")


class Generation(TextChoices):
    """Profile generations of SBR 7.1.6.1 that may still be issued; *legacy* is closed since 15 July 2025."""

    MULTIPURPOSE = "multipurpose", _("Multiuso")
    STRICT = "strict", _("Solo posta")


class KeyKind(TextChoices):
    """Keys that a wizard offers; the value is stored with the order."""

    RSA_2048 = "rsa-2048", _("RSA 2048 bit")
    RSA_3072 = "rsa-3072", _("RSA 3072 bit")
    EC_P256 = "ec-p256", _("ECC P-256")


class KeyOrigin(TextChoices):
    """Who makes the key: our worker (a .p12 is delivered), or the customer (a CSR was uploaded)."""

    SERVER = "server", _("Generata da Sigillo")
    CSR = "csr", _("Richiesta (CSR) del cliente")


class BundleFormat(TextChoices):
    """How a .p12 is encrypted: AES-256 with HMAC-SHA-256, or 3DES with HMAC-SHA-1 for programs that read no other."""

    MODERN = "modern", _("Sicuro (AES-256)")
    COMPATIBLE = "compatible", _("Compatibile con programmi meno recenti")


class SlotState(TextChoices):
    """A purchased activation: can be started, was started, was taken back."""

    FREE = "free", _("Da attivare")
    USED = "used", _("In uso")
    WITHDRAWN = "withdrawn", _("Ritirato")


class OrderState(TextChoices):
    """How far an order is. Whether all checks have passed is computed, never stored."""

    DRAFT = "draft", _("Da completare")
    CHECKING = "checking", _("In verifica")
    APPROVED = "approved", _("In emissione")
    ISSUED = "issued", _("Emesso")
    REJECTED = "rejected", _("Respinta")
    CANCELLED = "cancelled", _("Annullata")
    LAPSED = "lapsed", _("Decaduta")


OPEN_STATES = (OrderState.DRAFT, OrderState.CHECKING, OrderState.APPROVED)


class CheckKind(TextChoices):
    """What must be proven before a certificate is issued; which of them a type needs says `policy.CHECKS_OF`."""

    MAILBOX = "mailbox", _("Casella e-mail")
    ORGANISATION = "organisation", _("Organizzazione")
    AUTHORITY = "authority", _("Poteri del richiedente")
    ATTESTATION = "attestation", _("Attestazione del rapporto professionale")
    CONSENT = "consent", _("Consenso al trattamento dei dati")
    IDENTITY = "identity", _("Riconoscimento")


class CheckState(TextChoices):
    """Who has to act on a check, or how it ended."""

    TODO = "todo", _("Da avviare")
    WAITING_CUSTOMER = "waiting-customer", _("In attesa del cliente")
    WAITING_THIRD_PARTY = "waiting-third-party", _("In attesa di terzi")
    IN_REVIEW = "in-review", _("In esame")
    PASSED = "passed", _("Superata")
    FAILED = "failed", _("Non superata")


class IdentityPath(TextChoices):
    """By which way the recipient is identified."""

    BIOMETRIC = "biometric", _("Riconoscimento biometrico")
    SIGNATURE = "signature", _("Firma elettronica qualificata (FEQ)")


class SameContact(TextChoices):
    """Ground on which technical and organisational contact may be one person."""

    PUBLIC_FIGURE = "public-figure", _("Figura di responsabilità riscontrabile da fonti pubbliche indipendenti")
    SOLE_PROPRIETOR = "sole-proprietor", _("Titolare di ditta individuale")


class LinkPurpose(TextChoices):
    """What a mailed link is good for; each opens a page with GET and acts with POST only."""

    MAILBOX = "mailbox", _("Conferma della casella")
    CONSENT = "consent", _("Consenso")
    IDENTIFICATION = "identification", _("Riconoscimento")
    ALTERNATIVE = "alternative", _("Processo alternativo")
    DOWNLOAD = "download", _("Scaricamento")


class ConsentDecision(TextChoices):
    """What the recipient answered to the request for consent."""

    GIVEN = "given", _("Dato")
    REFUSED = "refused", _("Rifiutato")
    WITHDRAWN = "withdrawn", _("Ritirato")


class AttemptState(TextChoices):
    """How an identification at the provider stands. A final outcome is never overwritten by one that is not."""

    CREATED = "created", _("Da avviare")
    STARTED = "started", _("Avviato")
    REVIEWING = "reviewing", _("In revisione presso il fornitore")
    APPROVED = "approved", _("Positivo, da confrontare")
    SUSPECTED = "suspected", _("Dubbio, da esaminare")
    DENIED = "denied", _("Negativo")
    EXPIRED = "expired", _("Scaduto")


class DeliveryState(TextChoices):
    """What became of a message that the identification provider sent."""

    STORED = "stored", _("Ricevuto")
    APPLIED = "applied", _("Applicato")
    IGNORED = "ignored", _("Senza effetto")
    ORPHAN = "orphan", _("Di nessuna pratica")


class FileKind(TextChoices):
    """What an uploaded or collected file proves."""

    ATTESTATION = "attestation", _("Attestazione del rapporto professionale")
    SIGNED_FORM = "signed-form", _("Modulo firmato")
    OFFICER_EVIDENCE = "officer-evidence", _("Documento raccolto dall'ufficio")
    DOCUMENT_FRONT = "document-front", _("Documento, fronte")
    DOCUMENT_BACK = "document-back", _("Documento, retro")
    FACE = "face", _("Volto")


FACES = (FileKind.DOCUMENT_FRONT, FileKind.DOCUMENT_BACK, FileKind.FACE)
"""What the provider photographs: the document and the person who holds it."""


class ScanState(TextChoices):
    """What the virus scanner has said; only clean files are shown to officers."""

    PENDING = "pending", _("Controllo antivirus in attesa")
    CLEAN = "clean", _("Pulito")
    INFECTED = "infected", _("Infetto")
    QUARANTINED = "quarantined", _("In quarantena")


class Verdict(TextChoices):
    """What the validation of a signed form says; *pending* waits for a fresh trusted list or revocation data."""

    ACCEPTED = "accepted", _("Firma valida")
    REFUSED = "refused", _("Firma non accettata")
    PENDING = "pending", _("In verifica")
    FOR_OFFICER = "for-officer", _("Da esaminare")


class CertificateStatus(TextChoices):
    """Status of an S/MIME certificate as the register knows it; *expired* is computed."""

    ACTIVE = "active", _("Attivo")
    HELD = "held", _("Sospeso")
    REVOKED = "revoked", _("Revocato")


class CaOrderKind(TextChoices):
    """What is asked of the CA."""

    ISSUE = "issue", _("Emissione")
    HOLD = "hold", _("Sospensione")
    RELEASE = "release", _("Riattivazione")
    REVOKE = "revoke", _("Revoca")


class CaOrderState(TextChoices):
    """Where an order to the CA stands."""

    PLANNED = "planned", _("Da inviare")
    SENT = "sent", _("Inviata")
    DONE = "done", _("Eseguita")
    REFUSED = "refused", _("Rifiutata")
    CANCELLED = "cancelled", _("Annullata")


class RevocationGround(TextChoices):
    """Why an S/MIME certificate is revoked: the closed table behind RFC 5280 reasons and the clocks of SBR 4.9.1."""

    SUBSCRIBER_REQUEST = "subscriber-request", _("Richiesta del titolare")
    UNAUTHORISED_REQUEST = "unauthorised-request", _("Richiesta originaria non autorizzata")
    KEY_COMPROMISE = "key-compromise", _("Chiave compromessa")
    MAILBOX_UNRELIABLE = "mailbox-unreliable", _("Controllo della casella non più affidabile")
    MAILBOX_LOST = "mailbox-lost", _("Indirizzo non più del titolare")
    AFFILIATION_CHANGED = "affiliation-changed", _("Rapporto con l'organizzazione cambiato")
    WRONG_DATA = "wrong-data", _("Dati errati o cambiati")
    MISUSE = "misuse", _("Uso improprio o violazione del contratto")
    MISISSUANCE = "misissuance", _("Emissione non conforme")
    SUPERSEDED = "superseded", _("Sostituito da una nuova emissione")


class FindingOutcome(TextChoices):
    """What an officer's finding does to a check."""

    ACCEPTED = "accepted", _("Accettata")
    REFUSED = "refused", _("Respinta")
    PAPERS = "papers", _("Documenti richiesti")
    NOTE = "note", _("Annotazione")


class RegisterSource(TextChoices):
    """Where an organisation's existence, name and number are looked up (SBR 3.2.3.2)."""

    BUSINESS_REGISTER = "business-register", _("Registro delle Imprese (visura)")
    PUBLIC_BODIES = "public-bodies", _("Indice delle pubbliche amministrazioni (IPA)")
    LEI = "lei", _("Registro LEI (GLEIF)")
    FOREIGN = "foreign-register", _("Registro ufficiale di un altro Paese")


class ContactSource(TextChoices):
    """Where a contact was found that the applicant has not chosen (SBR 3.2.8)."""

    REGISTER = "register", _("Registro che prova l'organizzazione")
    CERTIFIED_MAIL = "certified-mail", _("INI-PEC o altro elenco pubblico di PEC")
    PUBLIC_BODIES = "public-bodies", _("Indice delle pubbliche amministrazioni (IPA)")
    DIRECTORY = "directory", _("Elenco telefonico")
    WEBSITE = "website", _("Sito ufficiale dell'organizzazione")


class CallOutcome(TextChoices):
    """What came of calling an organisation back."""

    CONFIRMED = "confirmed", _("Ha confermato")
    NOT_REACHED = "not-reached", _("Nessuna risposta")
    DENIED = "denied", _("Non ha confermato")


class DocumentKind(TextChoices):
    """Identity documents that a recipient may show."""

    IDENTITY_CARD = "identity-card", _("Carta d'identità")
    PASSPORT = "passport", _("Passaporto")
    RESIDENCE_PERMIT = "residence-permit", _("Permesso di soggiorno")
    DRIVING_LICENCE = "driving-licence", _("Patente di guida")
