"""What the clock does next to a case, in words: from the row's own stored plan, never computed a second way."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats
from django.utils.translation import gettext as _

from cms.policy import ROME
from renewals.models import RenewalCase
from renewals.states import Authorisation, CaseState, Due


def short(case: RenewalCase) -> str:
    """One word for the list; empty for nothing."""
    return _(Due(case.due_kind).label) if case.due_kind else ""


def sentence(case: RenewalCase, now: datetime) -> str:
    """The next automatic action with day, hour and condition, or why there is none."""
    if case.due_at is None:
        return _nothing(case)
    if case.due_at <= now:
        return _("%(what)s in corso: era prevista %(when)s.") % {"what": short(case), "when": moment(case.due_at)}
    said = {
        Due.EXPIRE: _("Scadenza della pratica %(when)s, se i nuovi certificati non sono stati installati prima."),
        Due.SUSPEND: _("Sospensione dei nuovi certificati %(when)s, se il rinnovo non è stato autorizzato prima."),
        Due.REVOKE: _("Revoca definitiva dei nuovi certificati %(when)s, se il rinnovo non è stato autorizzato prima."),
    }
    return said[Due(case.due_kind)] % {"when": moment(case.due_at)}


def moment(at: datetime) -> str:
    """Say `gio 12/03/2027 alle 10:15`."""
    local = at.astimezone(ROME)
    weekday = formats.date_format(local, "D").lower()
    return _("%(weekday)s %(day)s alle %(hour)s") % {
        "weekday": weekday,
        "day": formats.date_format(local, "d/m/Y"),
        "hour": formats.date_format(local, "H:i"),
    }


def _nothing(case: RenewalCase) -> str:
    if case.state == CaseState.COMPLETED and case.authorisation == Authorisation.APPROVED:
        return _("Nessuna: il rinnovo è concluso e autorizzato.")
    if case.state == CaseState.COMPLETED:
        return _("Nessuna: il rinnovo è concluso.")
    return _("Nessuna: la pratica è chiusa.")
