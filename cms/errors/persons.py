"""Refusals about a person's own data."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Invalid


class TaxCodeInvalid(Invalid):
    """Not a codice fiscale of a natural person."""

    code = "tax-code-invalid"
    detail = _("Il codice fiscale non è corretto.")


class ContactInvalid(Invalid):
    """An e-mail address or a mobile number that cannot be one."""

    code = "contact-invalid"
    detail = _("L'indirizzo e-mail o il numero di cellulare non è valido.")


class ContactTaken(Conflict):
    """The contact already belongs to another person (rules.md R19). Never says whose."""

    code = "contact-taken"
    detail = _(
        "L'e-mail o il cellulare indicato risulta già associato a un'altra persona: indichi un recapito diverso."
    )
    action = "correct-data"
