"""What stands in the way of a check's outcome and of what rests on it."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict


class ChecksOpen(Conflict):
    """Something that the type demands is not proven, or no longer (SBR 4.2.1)."""

    code = "checks-open"
    detail = _("Il certificato non può essere emesso: alcune verifiche non sono superate o sono scadute.")


class CheckChanged(Conflict):
    """Data changed since the check was looked at: what was proven concerns the data before."""

    code = "check-changed"
    detail = _("Nel frattempo i dati sono cambiati e la verifica è ripartita: la esamini di nuovo.")


class CheckDecided(Conflict):
    """The check has ended already; only a restart opens it again."""

    code = "check-decided"
    detail = _("La verifica è già conclusa.")
