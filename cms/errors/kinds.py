"""Refusals of the product: a class and a stable code each, an Italian text for people, an action for the client."""

from typing import ClassVar

from django.utils.translation import gettext_noop as _


class DomainError(Exception):
    """A refusal that a person can read. Doors translate the kind; the panel alone says the text in another language.

    `code` is stable (noun-reason), `detail` Italian, `action` one of the API's closed list, `label` a guide's message
    word for word where the guides name one.
    """

    code: ClassVar[str] = "internal-error"
    detail: ClassVar[str] = _("Operazione non riuscita.")
    action: ClassVar[str] = "contact-centre"
    label: ClassVar[str | None] = None

    def __init__(self, detail: str | None = None, *, code: str | None = None, action: str | None = None) -> None:
        """Keep the class's text unless a more exact one is given; never put a secret or another person's data in it."""
        super().__init__(detail or self.detail)
        self.text = detail or self.detail
        self.reason_code = code or self.code
        self.next_action = action or self.action


class NotFound(DomainError):
    """Nothing of that name in the actor's scope."""

    code = "not-found"
    detail = _("Elemento non trovato.")
    action = "none"


class Forbidden(DomainError):
    """The actor may not do this."""

    code = "forbidden"
    detail = _("Operazione non consentita.")
    action = "none"


class Invalid(DomainError):
    """What was given is wrong and can be corrected by the sender."""

    code = "input-invalid"
    detail = _("I dati inviati non sono validi.")
    action = "correct-data"


class Conflict(DomainError):
    """What was asked does not fit how things stand."""

    code = "state-conflict"
    detail = _("L'operazione non è possibile nello stato attuale.")
    action = "none"


class WrongCentre(Forbidden):
    """An operator reached for a row of another centre or service."""

    code = "scope-foreign"
    detail = _("La pratica appartiene a un altro CDRL o a un altro servizio.")


class RoleTooWeak(Forbidden):
    """The operator's role does not allow this."""

    code = "role-insufficient"
    detail = _("Il suo ruolo non consente questa operazione.")


class AdministratorsOnly(Forbidden):
    """Only the provider's administrators may do this."""

    code = "administrators-only"
    detail = _("Questa operazione è riservata agli amministratori del fornitore.")


class IllegalMove(Conflict):
    """A state machine has no such transition from here."""

    code = "state-conflict"
