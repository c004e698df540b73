"""What goes wrong between the diagnosis and the proof of installation."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid

VERIFICATION_FAILED = "Errore verifica certificato da rinnovare"
ISSUANCE_FAILED = "Errore generazione nuovo certificato"


class CaseEnded(Conflict):
    """The case is over; nothing more can be done in it."""

    code = "case-ended"
    detail = _("La pratica di rinnovo è conclusa o chiusa.")


class StepNotOpen(Conflict):
    """Steps cannot be skipped."""

    code = "step-not-open"
    detail = _("Questo passo non è ancora possibile: completi prima i precedenti.")
    action = "restart"


class ConfirmationInvalid(Invalid):
    """Not the code that was mailed."""

    code = "confirmation-invalid"
    detail = _("Il codice di conferma non è corretto.")


class ConfirmationExpired(Conflict):
    """The mailed code is too old, or was tried too often."""

    code = "confirmation-expired"
    detail = _("Il codice di conferma non è più valido: invii di nuovo i recapiti per riceverne un altro.")
    action = "correct-data"


class TextsOutdated(Conflict):
    """What was accepted is not what is in force now (REG-6.3.7-04)."""

    code = "texts-outdated"
    detail = _("I testi contrattuali sono cambiati: li rilegga e li accetti di nuovo.")
    action = "restart"


class FormMissing(Conflict):
    """There is no form of these data to sign."""

    code = "form-missing"
    detail = _("Il modulo di rinnovo va visualizzato prima della firma.")
    action = "restart"


class FormSignatureInvalid(Invalid):
    """The form was not signed with the expiring certificate's key."""

    code = "form-signature-invalid"
    detail = _("La firma del modulo non è valida.")
    action = "restart"
    label = VERIFICATION_FAILED


class RequestInvalid(Invalid):
    """A certificate request that cannot be accepted."""

    code = "csr-invalid"
    detail = _("La richiesta di certificato non è valida.")
    action = "restart"
    label = ISSUANCE_FAILED


class KeyUnfit(Invalid):
    """A new public key that is too small or weak."""

    code = "key-weak"
    detail = _("La chiave generata dalla carta non è idonea.")
    action = "contact-centre"
    label = ISSUANCE_FAILED


class BindingInvalid(Invalid):
    """The old key did not vouch for exactly these new keys."""

    code = "binding-invalid"
    detail = _("La richiesta non è confermata dalla chiave della carta.")
    action = "restart"
    label = ISSUANCE_FAILED


class IssuanceRefused(Conflict):
    """The CA said no for good."""

    code = "issuance-refused"
    detail = _("Il certificato non può essere emesso: si rivolga al suo CDRL.")
    action = "contact-centre"
    label = ISSUANCE_FAILED


class ProofInvalid(Invalid):
    """A new key did not prove itself."""

    code = "proof-invalid"
    detail = _("La prova di installazione del certificato non è valida.")
    action = "restart"
