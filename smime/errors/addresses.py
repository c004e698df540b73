"""Refusals about the addresses of a customer's account."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden


class AddressKnown(Conflict):
    """The address is confirmed already, or it is the one that the account was made with."""

    code = "address-known"
    detail = _("Questo indirizzo è già tra i Suoi indirizzi confermati.")


class AddressTaken(Conflict):
    """Another account has proven it meanwhile; told to its reader alone, who has opened the mailed link."""

    code = "address-taken"
    detail = _("Questo indirizzo è già confermato in un altro account: entri con quell'account per usarlo.")


class AddressNeeded(Conflict):
    """The address that the account logs in with, and that its mails go to."""

    code = "address-needed"
    detail = _("Questo è l'indirizzo con cui accede all'area: non si può togliere.")


class AddressesFixed(Forbidden):
    """An operator's addresses open the panel: they are given by invitation, and by nothing else."""

    code = "addresses-fixed"
    detail = _("Gli indirizzi di un operatore non si cambiano da quest'area.")


class AddressesTooMany(Conflict):
    """So many links were asked for within an hour that one more would only fill a mailbox."""

    code = "addresses-too-many"
    detail = _("Ha chiesto troppi collegamenti in poco tempo: riprovi tra un'ora.")
