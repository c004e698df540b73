"""What stands in the way of who stops the automatic revocations."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden, Invalid


class StopTooLong(Invalid):
    """The end of a stop lies behind, or further away than a stop may last."""

    code = "stop-end-invalid"
    detail = _(
        "Indichi una fine del fermo futura, non oltre 30 giorni da oggi: per un tempo più lungo serve un altro fermo."
    )


class StopWaiting(Conflict):
    """One stop waits for its second person already."""

    code = "stop-waiting"
    detail = _("Una richiesta di fermo è già in attesa di conferma: la confermi un altro amministratore, o la ritiri.")


class StopSamePerson(Forbidden):
    """Four eyes: whoever asked for a stop does not confirm it."""

    code = "stop-same-person"
    detail = _("Ha chiesto Lei questo fermo: la conferma spetta a un altro amministratore.")


class StopClosed(Conflict):
    """The stop is neither waiting nor in force any more."""

    code = "stop-closed"
    detail = _("Il fermo non è più aperto: è già terminato, ritirato o tolto.")


class StopNotConfirmed(Conflict):
    """Only a stop in force is lifted; one that waits is withdrawn."""

    code = "stop-not-confirmed"
    detail = _("Il fermo non è ancora in vigore: la richiesta si ritira, non si toglie.")


class StopInForce(Conflict):
    """A stop in force is lifted, not withdrawn."""

    code = "stop-in-force"
    detail = _("Il fermo è già in vigore: la richiesta non si può più ritirare, il fermo si può togliere.")
