"""Refusals about certificates, their keys, suspensions and revocations."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Forbidden, Invalid


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
