"""Refusals about counters, purchases and corrections."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Forbidden, Invalid


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
