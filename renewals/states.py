"""States of a renewal case: two questions, two fields (rules.md R1)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_noop as _


class CaseState(TextChoices):
    """How far is it? Labels as the guide shows them to operators."""

    NOTIFIED = "notified", _("Comunicato")
    AWAITING_INSTALLATION = "awaiting-installation", _("In attesa emissione")
    COMPLETED = "completed", _("Completato")
    EXPIRED = "expired", _("Scaduto")
    CANCELLED = "cancelled", _("Cancellato")


class Authorisation(TextChoices):
    """Is it authorised? `undecided` until the signature, when the agreement's mode is copied onto the case."""

    UNDECIDED = "undecided", _("Da definire")
    NOT_REQUIRED = "not-required", _("Non richiesta")
    PENDING = "pending", _("In attesa")
    APPROVED = "approved", _("Approvata")
    REFUSED = "refused", _("Non approvata")


class Due(TextChoices):
    """The next thing the clock does to a case by itself."""

    EXPIRE = "expire", _("Scadenza")
    SUSPEND = "suspend", _("Sospensione")
    REVOKE = "revoke", _("Revoca")


class Notice(TextChoices):
    """The next reminder or warning that the holder gets by himself, at 30, 15, 7 and 1 days before a date."""

    RENEWAL = "renewal", _("Promemoria di rinnovo")
    SUSPENSION = "suspension-warning", _("Avviso di prossima sospensione")
    REVOCATION = "revocation-warning", _("Avviso di prossima revoca")


class Step(TextChoices):
    """What the card client does next; computed from what is stored, never stored itself."""

    DIAGNOSIS = "diagnosis", _("Diagnostica")
    CONTACTS = "contacts", _("Dati e recapiti")
    CONTACT_CONFIRMATION = "contact-confirmation", _("Conferma della nuova e-mail")
    ACCEPTANCE = "acceptance", _("Contratti e clausole")
    FORM_SIGNATURE = "form-signature", _("Firma del modulo")
    REQUESTS = "requests", _("Generazione delle chiavi")
    CERTIFICATES = "certificates", _("Emissione dei certificati")
    INSTALLATION = "installation", _("Installazione sulla carta")
    DONE = "done", _("Concluso")
    CLOSED = "closed", _("Chiuso")


class TextKind(TextChoices):
    """Texts that a holder accepts before the signature."""

    CONTRACT = "contract", _("Condizioni generali di contratto")
    CLAUSES = "clauses", _("Clausole specifiche")
    PRIVACY = "privacy", _("Informativa privacy")
    ENCRYPTION_WARNING = "encryption-warning", _("Avvertenza sulla cifratura")


class Purpose(TextChoices):
    """What a challenge is for; an answer to one is worth nothing for the other."""

    LOGIN = "login", _("Accesso")
    INSTALLATION = "installation", _("Prova di installazione")


OPEN_STATES = (CaseState.NOTIFIED, CaseState.AWAITING_INSTALLATION)
SIGNED_STATES = (CaseState.AWAITING_INSTALLATION, CaseState.COMPLETED)
UNAUTHORISED = (Authorisation.PENDING, Authorisation.REFUSED)


class SupportState(TextChoices):
    """Where a request for help stands in the queue."""

    OPEN = "open", _("Da prendere in carico")
    ASSIGNED = "assigned", _("In carico")
    CLOSED = "closed", _("Chiusa")
