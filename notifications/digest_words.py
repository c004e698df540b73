"""Lines of the daily digest in words, put together when the mail is sent, in its reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

FAILURES: Mapping[str, str] = {
    "requests-refused": _("Richieste rifiutate dalla CA: %(count)s."),
    "mails-undelivered": _("E-mail non recapitate: %(count)s."),
    "mails-bounced": _("E-mail respinte dalla casella: %(count)s."),
}
"""What may have failed, by the code that a digest carries."""


def failure(entry: Mapping[str, Any] | str) -> str:
    """Say how many there are and which cases they concern; a digest that was posted in words keeps them."""
    if isinstance(entry, str):
        return gettext(entry)
    said = gettext(FAILURES[entry["code"]]) % {"count": entry["count"]}
    cases = ", ".join(entry["cases"])
    return f"{said} {gettext('Pratiche: %(codes)s.') % {'codes': cases}}" if cases else said


def counter(entry: Mapping[str, Any] | str) -> str:
    """Say what is left of a type of certificate, and from where on that is little."""
    if isinstance(entry, str):
        return gettext(entry)
    return gettext("%(type)s: %(free)s (soglia %(threshold)s)") % {**entry, "type": gettext(entry["type"])}
