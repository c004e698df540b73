"""What stands in the way of consent and identification."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden, Invalid


class ConsentDecided(Conflict):
    """The recipient has answered already; only a withdrawal is possible."""

    code = "consent-decided"
    detail = _("Ha già risposto a questa richiesta di consenso.")


class ConsentAbsent(Conflict):
    """There is no consent in force that could be withdrawn."""

    code = "consent-absent"
    detail = _("Non risulta alcun consenso da ritirare.")


class ConsentMistyped(Invalid):
    """What was typed is not the recipient's name: consent is given by him, in so many letters."""

    code = "consent-mistyped"
    detail = _("Per dare il consenso scriva nome e cognome come indicati nella pagina.")


class IdentificationOver(Conflict):
    """The session has ended, its outcome is known, or another way was opened: a newer mail counts."""

    code = "identification-over"
    detail = _(
        "Questo riconoscimento è terminato. Entro pochi minuti riceverà un'e-mail con l'esito o un nuovo invito."
    )


class AttemptUndecidable(Conflict):
    """Nobody has to compare this attempt: it has no outcome yet, was decided, or concerns older data."""

    code = "attempt-undecidable"
    detail = _("Questo riconoscimento non è da esaminare: la pratica nel frattempo è cambiata.")


class DeliveryUnsigned(Forbidden):
    """The message does not carry the provider's signature over these very bytes."""

    code = "delivery-unsigned"
    detail = _("La firma del messaggio manca o non è valida.")
