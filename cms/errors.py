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


class StockEmpty(Conflict):
    """The centre has no unit of a type that this renewal needs."""

    code = "stock-empty"
    detail = _(
        "Giacenza insufficiente: il CDRL non dispone dei certificati necessari. La carta non è stata modificata."
    )
    action = "contact-centre"


class StockTooSmall(Conflict):
    """A correction would take more than is free."""

    code = "stock-insufficient"
    detail = _(
        "La rettifica toglie più unità di quelle disponibili: le unità prenotate appartengono alle loro pratiche."
    )


class CorrectionIncomplete(Invalid):
    """A correction without a change or without its reason."""

    code = "correction-incomplete"
    detail = _("Indichi di quante unità cambia la giacenza e il motivo della rettifica.")


class PurchaseClosed(Conflict):
    """The purchase request is not waiting any more."""

    code = "purchase-closed"
    detail = _("La richiesta di acquisto non è più in attesa: è già stata accreditata, respinta o ritirata.")


class PurchaseSamePerson(Forbidden):
    """Four eyes: whoever confirmed cannot credit as well."""

    code = "purchase-same-person"
    detail = _("Ha già confermato Lei questa richiesta: l'accredito spetta a un altro amministratore.")


class OrderKnown(Conflict):
    """The centre has already asked for this order."""

    code = "order-known"
    detail = _("Per questo ordine esiste già una richiesta di acquisto: controlli il riferimento dell'ordine.")
    action = "correct-data"


class QuantityInvalid(Invalid):
    """A number of units that nobody can buy, or a threshold that is none."""

    code = "quantity-invalid"
    detail = _("La quantità indicata non è valida.")


class RefusalUnexplained(Invalid):
    """A purchase request is refused with a reason or not at all."""

    code = "refusal-unexplained"
    detail = _("Indichi il motivo: chi ha fatto la richiesta lo legge.")


class KeyKnown(Conflict):
    """The public key has been seen before, here or on another card (ADR 10)."""

    code = "key-known"
    detail = _("La chiave pubblica è già stata utilizzata: occorre generarne una nuova.")
    action = "restart"


class KeyConflict(Conflict):
    """The case has already asked for this slot with another key."""

    code = "key-conflict"
    detail = _("Per questa pratica è già stata presentata un'altra chiave: si rivolga al suo CDRL.")
    action = "contact-centre"


class CertificateNotOurs(Invalid):
    """A certificate that no pinned issuer signed, or that the register does not know."""

    code = "certificate-unknown"
    detail = _("Il certificato non è stato emesso da questo servizio.")
    action = "contact-centre"
    label = "Errore verifica certificato da rinnovare"


class CertificateFinal(Conflict):
    """A revoked certificate never changes again (eIDAS 28(4))."""

    code = "certificate-revoked"
    detail = _("Il certificato è revocato: la revoca è definitiva.")
    action = "new-purchase"


class HoldNotYours(Forbidden):
    """A hold may be lifted only by its origin or a stronger one."""

    code = "hold-foreign"
    detail = _("La sospensione può essere rimossa solo da chi l'ha disposta.")


class InvitationUnknown(NotFound):
    """No invitation has this link; an older link was replaced by a newer one."""

    code = "invitation-unknown"
    detail = _("Il collegamento dell'invito non è valido: se ne ha ricevuti più d'uno, vale solo l'ultimo.")


class InvitationExpired(Conflict):
    """The link was not used in time."""

    code = "invitation-expired"
    detail = _("L'invito è scaduto.")
    action = "contact-centre"


class InvitationUsed(Conflict):
    """The link has done its work."""

    code = "invitation-used"
    detail = _("L'invito è già stato accettato: il collegamento vale una volta sola.")


class InvitationWithdrawn(Conflict):
    """Whoever invited has thought better of it."""

    code = "invitation-withdrawn"
    detail = _("L'invito è stato ritirato da chi l'ha mandato.")
    action = "contact-centre"


class InvitationForeign(Forbidden):
    """The invitation is for another person than the one who has logged in."""

    code = "invitation-foreign"
    detail = _("L'invito è destinato a un'altra persona, non all'account con cui è entrato.")


class InvitationNeedsLogin(Conflict):
    """The person invited has an account already: it is joined after its login, not by the link alone."""

    code = "invitation-login"
    detail = _("Per questo indirizzo esiste già un account: entri con quello, poi accetti l'invito.")


class MemberPresent(Conflict):
    """Whoever is invited belongs there already."""

    code = "member-present"
    detail = _("Questa persona ha già accesso: se serve, ne cambi il ruolo.")


class TaxCodeTaken(Conflict):
    """The codice fiscale belongs to another account."""

    code = "tax-code-taken"
    detail = _("Il codice fiscale risulta già associato a un altro account: controlli il codice e l'indirizzo e-mail.")
    action = "correct-data"


class PasswordWeak(Invalid):
    """The password does not follow the policy."""

    code = "password-weak"
    detail = _("La password non è abbastanza sicura.")


class ManagerLast(Conflict):
    """A centre is never left without a manager."""

    code = "manager-last"
    detail = _("È l'unico responsabile del CDRL: prima ne nomini un altro.")


class AdministratorLast(Conflict):
    """The provider is never left without an administrator."""

    code = "administrator-last"
    detail = _("È l'unico amministratore attivo: prima ne inviti un altro.")


class OwnAccess(Forbidden):
    """Nobody changes his own rights."""

    code = "access-own"
    detail = _("Nessuno può cambiare il proprio accesso: lo chieda a un altro responsabile o a un amministratore.")


class ServiceInUse(Conflict):
    """What pairs were issued under does not change under them."""

    code = "service-in-use"
    detail = _("Esistono già coppie di certificati di questo servizio: flusso, tipi e durata non possono più cambiare.")


class SuccessorLoop(Conflict):
    """A chain of successors that leads back to its beginning."""

    code = "successor-loop"
    detail = _(
        "Il servizio successore riporta a questo servizio: la catena dei successori non può chiudersi su sé stessa."
    )


class CodeTaken(Conflict):
    """A centre or service of that code or name exists."""

    code = "code-taken"
    detail = _("Il codice o il nome è già usato: ne scelga un altro.")
    action = "correct-data"


class CertificateNotInstalled(Conflict):
    """A certificate that no card has proven to hold ends with its case, not by itself."""

    code = "certificate-not-installed"
    detail = _("Il certificato è emesso ma non installato: se il rinnovo non deve proseguire, annulli la pratica.")


class CertificateOver(Conflict):
    """An expired certificate is neither suspended nor revoked: it is worth nothing any more."""

    code = "certificate-over"
    detail = _("Il certificato è scaduto: non si può più sospendere, riattivare o revocare.")


class RevocationAsked(Conflict):
    """The CA has been asked to revoke; nothing else can be asked of it for this certificate."""

    code = "revocation-asked"
    detail = _("Per questo certificato la revoca è già stata richiesta.")


class CauseNotChosen(Invalid):
    """A cause of revocation that no operator may choose, or no certificate chosen."""

    code = "revocation-incomplete"
    detail = _("Scelga almeno un certificato e una causa di revoca dall'elenco.")


class SecondPersonNeeded(Conflict):
    """The agreement wants two persons for a revocation."""

    code = "second-person-needed"
    detail = _("Secondo l'accordo del CDRL la revoca va confermata da una seconda persona: si può solo proporre.")


class SecondPersonNotNeeded(Conflict):
    """The agreement lets one person revoke: a proposal would wait for nobody."""

    code = "second-person-not-needed"
    detail = _("Secondo l'accordo del CDRL la revoca non richiede una seconda persona: la esegua direttamente.")


class ProposalSamePerson(Forbidden):
    """Four eyes: whoever proposed a revocation neither confirms nor refuses it."""

    code = "proposal-same-person"
    detail = _("Ha proposto Lei questa revoca: la conferma spetta a un altro operatore del CDRL.")


class ProposalNotYours(Forbidden):
    """Only its author withdraws a proposal."""

    code = "proposal-foreign"
    detail = _("La proposta può essere ritirata solo da chi l'ha fatta.")


class ProposalClosed(Conflict):
    """The proposal is not waiting any more."""

    code = "proposal-closed"
    detail = _("La proposta di revoca non è più in attesa: è già stata confermata, respinta o ritirata.")


class ProposalWaiting(Conflict):
    """A pair has one waiting proposal at most."""

    code = "proposal-waiting"
    detail = _("Per questi certificati una proposta di revoca è già in attesa di conferma.")


class JobEnded(Conflict):
    """The work has come to its end: nothing is left to stop."""

    code = "job-ended"
    detail = _(
        "L'operazione è già conclusa: non c'è più nulla da interrompere. L'esito di ogni riga è nella sua pagina."
    )
