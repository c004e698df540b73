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
    detail = _("Per avviare la verifica accetti i termini e le condizioni.")
