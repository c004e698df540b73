"""Closed lists of the register: what a thing is, how it stands. English names in code, Italian labels on screens."""

from django.db.models import TextChoices
from django.utils.translation import gettext_noop as _


class Flow(TextChoices):
    """What a service does: Enroll signs a form and adds a term, Extend moves to a campaign's date, S/MIME activates."""

    ENROLL = "enroll", _("Rinnovo")
    EXTEND = "extend", _("Estensione")
    SMIME = "smime", _("Attivazione S/MIME")


RENEWING = (Flow.ENROLL, Flow.EXTEND)
"""Flows of cards; a renewal has one of these."""


class ApprovalMode(TextChoices):
    """What the agreement between provider and centre says about renewals."""

    AUTOMATIC = "automatic", _("Automatico")
    AUTHORISATION = "authorisation", _("Soggetto ad autorizzazione")


class Role(TextChoices):
    """What a member of a centre may do."""

    OPERATOR = "operator", _("Operatore")
    MANAGER = "manager", _("Responsabile del CDRL")
    AUDITOR = "auditor", _("Revisore")


class Medium(TextChoices):
    """Where the private keys of a pair live."""

    CARD = "card", _("Carta")
    REMOTE = "remote", _("Firma remota")


class CertificateType(TextChoices):
    """Kinds of stock: the halves of a card's pair, which are the slots of an enrolment too, and the S/MIME types."""

    AUTHENTICATION = "authentication", _("Autenticazione CNS")
    SIGNATURE = "signature", _("Firma qualificata")
    SMIME_MAILBOX = "smime-mv", _("S/MIME MV")
    SMIME_ORGANISATION = "smime-ov", _("S/MIME OV")
    SMIME_SPONSOR = "smime-sv", _("S/MIME SV")
    SMIME_INDIVIDUAL = "smime-iv", _("S/MIME IV")


HALVES = (CertificateType.AUTHENTICATION, CertificateType.SIGNATURE)
"""What a pair of a card is made of."""
SMIME_TYPES = tuple(type_ for type_ in CertificateType if type_ not in HALVES)
"""What services of the S/MIME flow sell, and no other service."""


class CertificateStatus(TextChoices):
    """Status as the register knows it; *expired* and *replaced* are computed, never stored."""

    ISSUED = "issued", _("Emesso, non installato")
    ACTIVE = "active", _("Attivo")
    HELD = "held", _("Sospeso")
    REVOKED = "revoked", _("Revocato")


class HoldCause(TextChoices):
    """Why a certificate is suspended; several may hold at once, it is held while one remains."""

    MISSING_APPROVAL = "missing-approval", _("Mancata autorizzazione")
    HOLDER = "holder", _("Titolare")
    OPERATOR = "operator", _("Operatore")
    AUTHORITY = "authority", _("Autorità")


class RevocationCause(TextChoices):
    """Why a certificate is revoked; the RFC 5280 reason follows by `cms.policy.REASON_OF`, never by choice."""

    HOLD_LAPSED = "hold-lapsed", _("Sospensione oltre 120 giorni")
    APPROVAL_LAPSED = "approval-lapsed", _("Rinnovo non autorizzato entro 120 giorni")
    NOT_INSTALLED = "not-installed", _("Certificato non installato")
    HOLDER_REQUEST = "holder-request", _("Richiesta del titolare")
    KEY_COMPROMISED = "key-compromised", _("Chiave compromessa")
    AUTHORITY_ORDER = "authority-order", _("Disposizione dell'autorità")


class MovementKind(TextChoices):
    """Kinds of stock movements."""

    PURCHASE = "purchase", _("Acquisto")
    RESERVATION = "reservation", _("Prenotazione")
    RELEASE = "release", _("Rilascio")
    DEBIT = "debit", _("Scarico")
    CORRECTION = "correction", _("Rettifica")


class RequestKind(TextChoices):
    """What the register asks of the certification authority."""

    ISSUE = "issue", _("Emissione")
    HOLD = "hold", _("Sospensione")
    RELEASE = "release", _("Riattivazione")
    REVOKE = "revoke", _("Revoca")


class RequestState(TextChoices):
    """Intent, effect, outcome (ADR 3). `planned` has never been sent; `sent` may have taken effect."""

    PLANNED = "planned", _("Da inviare")
    SENT = "sent", _("Inviata")
    DONE = "done", _("Eseguita")
    CANCELLED = "cancelled", _("Annullata")
    REFUSED = "refused", _("Rifiutata dalla CA")


class Channel(TextChoices):
    """*Canale evento*: through which door something happened."""

    PANEL = "panel", _("Pannello")
    CLIENT = "client", _("Client carta")
    AUTOMATIC = "automatic", _("Automatico")
    IMPORT = "import", _("Importazione")
    HOLDER_PAGE = "holder-page", _("Pagina del titolare")
    CUSTOMER_AREA = "customer-area", _("Area clienti")
    MAILED_LINK = "mailed-link", _("Collegamento nella posta")


class Outcome(TextChoices):
    """*Esito* of an event."""

    DONE = "done", _("Riuscito")
    REFUSED = "refused", _("Rifiutato")
    FAILED = "failed", _("Fallito")


class ProposalState(TextChoices):
    """How a revocation under four eyes stands."""

    WAITING = "waiting", _("In attesa di conferma")
    CARRIED_OUT = "carried-out", _("Confermata")
    REFUSED = "refused", _("Respinta")
    WITHDRAWN = "withdrawn", _("Ritirata")


class PurchaseState(TextChoices):
    """How a request for certificates stands. `confirmed` waits for a second administrator (four eyes)."""

    REQUESTED = "requested", _("Richiesta")
    CONFIRMED = "confirmed", _("Confermata, in attesa del secondo amministratore")
    CREDITED = "credited", _("Accreditata")
    REFUSED = "refused", _("Respinta")
    WITHDRAWN = "withdrawn", _("Ritirata")


class VisitKind(TextChoices):
    """How a holder came to his own pages, which says what he may do there."""

    CASE = "case", _("Codice della pratica")
    USER_CODE = "user-code", _("Codice utente")
    LINK = "link", _("Collegamento inviato per e-mail")


class LinkPurpose(TextChoices):
    """What a link to the registered mailbox is good for."""

    REOPEN = "reopen", _("Riapertura del codice utente e sospensione d'emergenza")
    REISSUE = "reissue", _("Nuovo codice utente")


class DifferenceKind(TextChoices):
    """How register, CA and publications disagree about one certificate."""

    UNKNOWN_TO_REGISTER = "unknown-to-register", _("Emesso dalla CA e sconosciuto al registro")
    UNKNOWN_TO_CA = "unknown-to-ca", _("Nel registro e sconosciuto alla CA")
    LEDGER = "ledger", _("Registro e CA discordano")
    CRL = "crl", _("La CRL discorda")
    OCSP = "ocsp", _("La risposta OCSP discorda")
    LIST = "list", _("Una CRL non è valida")


class JobKind(TextChoices):
    """Long work that an operator starts and looks at while it runs."""

    APPROVE = "approve", _("Approvazione di più rinnovi")
    REFUSE = "refuse", _("Rifiuto di più rinnovi")
    IMPORT = "import", _("Importazione anagrafica")


class JobState(TextChoices):
    """How long work stands. `checked` is a dry run that waits for the operator's word."""

    CHECKING = "checking", _("Controllo in corso")
    CHECKED = "checked", _("Controllata, da avviare")
    RUNNING = "running", _("In corso")
    DONE = "done", _("Conclusa")
    STOPPED = "stopped", _("Interrotta")


class JobRowState(TextChoices):
    """What became of one row of a job."""

    PLANNED = "planned", _("Da fare")
    DONE = "done", _("Riuscita")
    REFUSED = "refused", _("Non eseguita")
