"""Refusals about credited activations."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid


class SlotsOutOfStock(Conflict):
    """The centre has fewer free units of the type than activations are to be credited."""

    code = "slots-out-of-stock"
    detail = _("La giacenza di questo tipo non basta: ne acquisti altre, o ne accrediti di meno.")


class SlotTypeNotSold(Invalid):
    """The service does not sell this type, or not to this centre."""

    code = "slot-type-not-sold"
    detail = _("Questo servizio non prevede il tipo di certificato scelto.")


class SlotQuantityInvalid(Invalid):
    """No number of activations that one purchase has, or no order behind it."""

    code = "slot-quantity-invalid"
    detail = _("Indichi da 1 a 100 attivazioni e il riferimento dell'ordine.")


class SlotsKnown(Conflict):
    """This order's activations of the type have been credited to this customer already."""

    code = "slots-known"
    detail = _("Per questo ordine le attivazioni di questo tipo sono già state accreditate a questo cliente.")


class SlotInUse(Conflict):
    """An activation that an order was begun with."""

    code = "slot-in-use"
    detail = _("L'attivazione è in uso e non può essere ritirata: prima va annullata o respinta la pratica.")


class CustomerInactive(Conflict):
    """The address belongs to an account that was closed."""

    code = "customer-inactive"
    detail = _("L'account con questo indirizzo e-mail è disattivato: un amministratore lo deve prima riattivare.")
