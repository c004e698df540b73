"""Refusals about long work."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict


class JobEnded(Conflict):
    """The work has come to its end: nothing is left to stop."""

    code = "job-ended"
    detail = _(
        "L'operazione è già conclusa: non c'è più nulla da interrompere. L'esito di ogni riga è nella sua pagina."
    )
