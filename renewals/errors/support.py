"""What stands in the way of a request for help, of its answer, and of a client that is too old."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, DomainError, Invalid


class ClientOutdated(DomainError):
    """The client is older than the oldest that is served; `download` says where a newer one is (HTTP 426)."""

    code = "client-outdated"
    detail = _("Questa versione del programma non è più supportata: scarichi e installi quella aggiornata.")
    action = "update-client"

    def __init__(self, download: str = "") -> None:
        """Name the page where a newer client is."""
        super().__init__()
        self.download = download


class SupportRequestChanged(Conflict):
    """The same request id came with other contents: the first ones stand."""

    code = "support-request-changed"
    detail = _("Con questo identificativo è già arrivata una richiesta diversa: ne apra una nuova.")
    action = "restart"


class SupportMailboxMissing(Conflict):
    """Neither the register nor the holder names a mailbox to answer to."""

    code = "support-mailbox-missing"
    detail = _("La risposta non è stata inviata: nella richiesta non c'è un'e-mail a cui rispondere.")


class SupportRequestClosed(Conflict):
    """What is closed is opened again before anybody goes on with it."""

    code = "support-request-closed"
    detail = _("La richiesta è chiusa: la riapra prima di continuare.")


class SupportAnswerEmpty(Invalid):
    """An answer says something."""

    code = "support-answer-empty"
    detail = _("Scriva la risposta: senza testo non viene inviata.")


class SupportAnswerAddressChanged(Conflict):
    """The mailbox that the operator was shown is no longer the one an answer would go to."""

    code = "support-mailbox-changed"
    detail = _("La risposta non è stata inviata: nel frattempo l'e-mail del titolare è cambiata. Controlli e riprovi.")


class SupportAssigneeUnfit(Invalid):
    """Only who may act on the request can have it."""

    code = "support-assignee-unfit"
    detail = _("La richiesta può essere affidata solo a chi può gestirla.")
