"""States of a renewal case: two questions, two fields (rules.md R1)."""

from django.db.models import TextChoices


class CaseState(TextChoices):
    """How far is it? Labels as the guide shows them to operators."""

    NOTIFIED = "notified", "Comunicato"
    AWAITING_INSTALLATION = "awaiting-installation", "In attesa emissione"
    COMPLETED = "completed", "Completato"
    EXPIRED = "expired", "Scaduto"
    CANCELLED = "cancelled", "Cancellato"


class Authorisation(TextChoices):
    """Is it authorised? `undecided` until the signature, when the agreement's mode is copied onto the case."""

    UNDECIDED = "undecided", "Da definire"
    NOT_REQUIRED = "not-required", "Non richiesta"
    PENDING = "pending", "In attesa"
    APPROVED = "approved", "Approvata"
    REFUSED = "refused", "Non approvata"


class Due(TextChoices):
    """The next thing the clock does to a case by itself."""

    EXPIRE = "expire", "Scadenza"
    SUSPEND = "suspend", "Sospensione"
    REVOKE = "revoke", "Revoca"


class Step(TextChoices):
    """What the card client does next; computed from what is stored, never stored itself."""

    DIAGNOSIS = "diagnosis", "Diagnostica"
    CONTACTS = "contacts", "Dati e recapiti"
    CONTACT_CONFIRMATION = "contact-confirmation", "Conferma della nuova e-mail"
    ACCEPTANCE = "acceptance", "Contratti e clausole"
    FORM_SIGNATURE = "form-signature", "Firma del modulo"
    REQUESTS = "requests", "Generazione delle chiavi"
    CERTIFICATES = "certificates", "Emissione dei certificati"
    INSTALLATION = "installation", "Installazione sulla carta"
    DONE = "done", "Concluso"
    CLOSED = "closed", "Chiuso"


class TextKind(TextChoices):
    """Texts that a holder accepts before the signature."""

    CONTRACT = "contract", "Condizioni generali di contratto"
    CLAUSES = "clauses", "Clausole specifiche"
    PRIVACY = "privacy", "Informativa privacy"
    ENCRYPTION_WARNING = "encryption-warning", "Avvertenza sulla cifratura"


class Purpose(TextChoices):
    """What a challenge is for; an answer to one is worth nothing for the other."""

    LOGIN = "login", "Accesso"
    INSTALLATION = "installation", "Prova di installazione"


OPEN_STATES = (CaseState.NOTIFIED, CaseState.AWAITING_INSTALLATION)
SIGNED_STATES = (CaseState.AWAITING_INSTALLATION, CaseState.COMPLETED)
UNAUTHORISED = (Authorisation.PENDING, Authorisation.REFUSED)
