"""What stands in the way of an order's way through the wizard."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid, NotFound


class OrderUnknown(NotFound):
    """No order of that address for this customer; another customer's looks the same."""

    code = "order-unknown"
    detail = _("Pratica non trovata.")


class SlotUnknown(NotFound):
    """No activation of that code for this customer."""

    code = "slot-unknown"
    detail = _("Attivazione non trovata.")


class SlotTaken(Conflict):
    """The activation was withdrawn; one that is in use leads to its order instead."""

    code = "slot-taken"
    detail = _("Questa attivazione non è più disponibile.")


class OrderClosed(Conflict):
    """The order has gone past the point where this could be done."""

    code = "order-closed"
    detail = _("La pratica non può più essere modificata.")


class StepMissing(Conflict):
    """A step of the wizard is still empty."""

    code = "step-missing"
    detail = _("Prima di avviare la verifica completi i passi precedenti.")


class TermsNotAccepted(Invalid):
    """Nothing begins before the terms as shown were accepted."""

    code = "terms-not-accepted"
    detail = _("Per proseguire accetti i termini e le condizioni.")


class TermsOutdated(Conflict):
    """The terms changed between the page and the click."""

    code = "terms-outdated"
    detail = _("Nel frattempo i termini e le condizioni sono cambiati: li legga di nuovo e li accetti.")


class MailboxNotOwn(Invalid):
    """*Io* was chosen with a mailbox that the buyer has not proven to be his: he would download another's key."""

    code = "mailbox-not-own"
    detail = _(
        "«Io» vale solo per un indirizzo confermato del Suo account: aggiunga e confermi questo in «I miei indirizzi», "
        "oppure scelga «Un'altra persona»."
    )


class RecipientFixed(Conflict):
    """Whether buyer and recipient are one person decides who gets the key: it does not change after submission."""

    code = "recipient-fixed"
    detail = _("Dopo l'avvio della verifica non si può cambiare chi usa il certificato: annulli la pratica e riparta.")
