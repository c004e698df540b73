"""Refusals of the product: a class and a stable code each, an Italian text for people, an action for the client."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that a person can read. Doors translate the kind; nobody translates the text.

    `code` is stable (noun-reason), `detail` Italian, `action` one of the API's closed list, `label` a guide's message
    word for word where the guides name one.
    """

    code: ClassVar[str] = "internal-error"
    detail: ClassVar[str] = "Operazione non riuscita."
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
    detail = "Elemento non trovato."
    action = "none"


class Forbidden(DomainError):
    """The actor may not do this."""

    code = "forbidden"
    detail = "Operazione non consentita."
    action = "none"


class Invalid(DomainError):
    """What was given is wrong and can be corrected by the sender."""

    code = "input-invalid"
    detail = "I dati inviati non sono validi."
    action = "correct-data"


class Conflict(DomainError):
    """What was asked does not fit how things stand."""

    code = "state-conflict"
    detail = "L'operazione non è possibile nello stato attuale."
    action = "none"


class WrongCentre(Forbidden):
    """An operator reached for a row of another centre or service."""

    code = "scope-foreign"
    detail = "La pratica appartiene a un altro CDRL o a un altro servizio."


class RoleTooWeak(Forbidden):
    """The operator's role does not allow this."""

    code = "role-insufficient"
    detail = "Il suo ruolo non consente questa operazione."


class IllegalMove(Conflict):
    """A state machine has no such transition from here."""

    code = "state-conflict"


class TaxCodeInvalid(Invalid):
    """Not a codice fiscale of a natural person."""

    code = "tax-code-invalid"
    detail = "Il codice fiscale non è corretto."


class ContactInvalid(Invalid):
    """An e-mail address or a mobile number that cannot be one."""

    code = "contact-invalid"
    detail = "L'indirizzo e-mail o il numero di cellulare non è valido."


class ContactTaken(Conflict):
    """The contact already belongs to another person (rules.md R19). Never says whose."""

    code = "contact-taken"
    detail = "L'e-mail o il cellulare indicato risulta già associato a un'altra persona: indichi un recapito diverso."
    action = "correct-data"


class StockEmpty(Conflict):
    """The centre has no unit of a type that this renewal needs."""

    code = "stock-empty"
    detail = "Giacenza insufficiente: il CDRL non dispone dei certificati necessari. La carta non è stata modificata."
    action = "contact-centre"


class KeyKnown(Conflict):
    """The public key has been seen before, here or on another card (ADR 10)."""

    code = "key-known"
    detail = "La chiave pubblica è già stata utilizzata: occorre generarne una nuova."
    action = "restart"


class KeyConflict(Conflict):
    """The case has already asked for this slot with another key."""

    code = "key-conflict"
    detail = "Per questa pratica è già stata presentata un'altra chiave: si rivolga al suo CDRL."
    action = "contact-centre"


class CertificateNotOurs(Invalid):
    """A certificate that no pinned issuer signed, or that the register does not know."""

    code = "certificate-unknown"
    detail = "Il certificato non è stato emesso da questo servizio."
    action = "contact-centre"
    label = "Errore verifica certificato da rinnovare"


class CertificateFinal(Conflict):
    """A revoked certificate never changes again (eIDAS 28(4))."""

    code = "certificate-revoked"
    detail = "Il certificato è revocato: la revoca è definitiva."
    action = "new-purchase"


class HoldNotYours(Forbidden):
    """A hold may be lifted only by its origin or a stronger one."""

    code = "hold-foreign"
    detail = "La sospensione può essere rimossa solo da chi l'ha disposta."
