"""What stands in the way of a holder at his own pages."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict


class NotUrgeable(Conflict):
    """Nobody has to decide any more, or never had to."""

    code = "case-not-urgeable"
    detail = _("Il sollecito non è stato inviato: su questa pratica il CDRL non deve più decidere.")


class UrgedAlready(Conflict):
    """Once in 24 hours (rules.md R28)."""

    code = "case-urged-already"
    detail = _("Il sollecito non è stato inviato di nuovo: ne ha già inviato uno nelle ultime 24 ore.")


class NotDeclinable(Conflict):
    """A renewal is stopped before the new certificates are installed, and not after its end."""

    code = "case-not-declinable"
    detail = _("La pratica non è stata chiusa: dopo l'installazione dei nuovi certificati non è più possibile.")
