"""Closed lists of the register: what a thing is, how it stands. English names in code, Italian labels on screens."""

from django.db.models import TextChoices


class Flow(TextChoices):
    """How a service renews: Enroll signs a form and adds a term, Extend moves to a campaign's date."""

    ENROLL = "enroll", "Rinnovo"
    EXTEND = "extend", "Estensione"


class ApprovalMode(TextChoices):
    """What the agreement between provider and centre says about renewals."""

    AUTOMATIC = "automatic", "Automatico"
    AUTHORISATION = "authorisation", "Soggetto ad autorizzazione"


class Role(TextChoices):
    """What a member of a centre may do."""

    OPERATOR = "operator", "Operatore"
    MANAGER = "manager", "Responsabile del CDRL"
    AUDITOR = "auditor", "Revisore"


class Medium(TextChoices):
    """Where the private keys of a pair live."""

    CARD = "card", "Carta"
    REMOTE = "remote", "Firma remota"


class CertificateType(TextChoices):
    """The halves of a pair; also the slots of an enrolment and the kinds of stock."""

    AUTHENTICATION = "authentication", "Autenticazione CNS"
    SIGNATURE = "signature", "Firma qualificata"


class CertificateStatus(TextChoices):
    """Status as the register knows it; *expired* and *replaced* are computed, never stored."""

    ISSUED = "issued", "Emesso, non installato"
    ACTIVE = "active", "Attivo"
    HELD = "held", "Sospeso"
    REVOKED = "revoked", "Revocato"


class HoldCause(TextChoices):
    """Why a certificate is suspended; several may hold at once, it is held while one remains."""

    MISSING_APPROVAL = "missing-approval", "Mancata autorizzazione"
    HOLDER = "holder", "Titolare"
    OPERATOR = "operator", "Operatore"
    AUTHORITY = "authority", "Autorità"


class RevocationCause(TextChoices):
    """Why a certificate is revoked; the RFC 5280 reason follows by `cms.policy.REASON_OF`, never by choice."""

    HOLD_LAPSED = "hold-lapsed", "Sospensione oltre 120 giorni"
    APPROVAL_LAPSED = "approval-lapsed", "Rinnovo non autorizzato entro 120 giorni"
    NOT_INSTALLED = "not-installed", "Certificato non installato"
    HOLDER_REQUEST = "holder-request", "Richiesta del titolare"
    KEY_COMPROMISED = "key-compromised", "Chiave compromessa"
    AUTHORITY_ORDER = "authority-order", "Disposizione dell'autorità"


class MovementKind(TextChoices):
    """Kinds of stock movements."""

    PURCHASE = "purchase", "Acquisto"
    RESERVATION = "reservation", "Prenotazione"
    RELEASE = "release", "Rilascio"
    DEBIT = "debit", "Scarico"
    CORRECTION = "correction", "Rettifica"


class RequestKind(TextChoices):
    """What the register asks of the certification authority."""

    ISSUE = "issue", "Emissione"
    HOLD = "hold", "Sospensione"
    RELEASE = "release", "Riattivazione"
    REVOKE = "revoke", "Revoca"


class RequestState(TextChoices):
    """Intent, effect, outcome (ADR 3). `planned` has never been sent; `sent` may have taken effect."""

    PLANNED = "planned", "Da inviare"
    SENT = "sent", "Inviata"
    DONE = "done", "Eseguita"
    CANCELLED = "cancelled", "Annullata"
    REFUSED = "refused", "Rifiutata dalla CA"


class Channel(TextChoices):
    """*Canale evento*: through which door something happened."""

    PANEL = "panel", "Pannello"
    CLIENT = "client", "Client carta"
    AUTOMATIC = "automatic", "Automatico"
    IMPORT = "import", "Importazione"


class Outcome(TextChoices):
    """*Esito* of an event."""

    DONE = "done", "Riuscito"
    REFUSED = "refused", "Rifiutato"
    FAILED = "failed", "Fallito"


class ProposalState(TextChoices):
    """How a revocation under four eyes stands."""

    WAITING = "waiting", "In attesa di conferma"
    CARRIED_OUT = "carried-out", "Confermata"
    REFUSED = "refused", "Respinta"
    WITHDRAWN = "withdrawn", "Ritirata"


class PurchaseState(TextChoices):
    """How a request for certificates stands. `confirmed` waits for a second administrator (four eyes)."""

    REQUESTED = "requested", "Richiesta"
    CONFIRMED = "confirmed", "Confermata, in attesa del secondo amministratore"
    CREDITED = "credited", "Accreditata"
    REFUSED = "refused", "Respinta"
    WITHDRAWN = "withdrawn", "Ritirata"


class JobKind(TextChoices):
    """Long work that an operator starts and looks at while it runs."""

    APPROVE = "approve", "Approvazione di più rinnovi"
    REFUSE = "refuse", "Rifiuto di più rinnovi"
    IMPORT = "import", "Importazione anagrafica"


class JobState(TextChoices):
    """How long work stands. `checked` is a dry run that waits for the operator's word."""

    CHECKING = "checking", "Controllo in corso"
    CHECKED = "checked", "Controllata, da avviare"
    RUNNING = "running", "In corso"
    DONE = "done", "Conclusa"
    STOPPED = "stopped", "Interrotta"


class JobRowState(TextChoices):
    """What became of one row of a job."""

    PLANNED = "planned", "Da fare"
    DONE = "done", "Riuscita"
    REFUSED = "refused", "Non eseguita"
