"""Refusals of mailed links, beside those that all mailed links of the product share (`cms.errors`)."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict


class LinkOutdated(Conflict):
    """What the link was for must be done anew (data have changed), or the order is over: a newer mail counts."""

    code = "link-outdated"
    detail = _("Il collegamento non vale più: la pratica nel frattempo è cambiata. Usi l'e-mail più recente.")


class LinkTooSoon(Conflict):
    """A mail of this kind went out a moment ago."""

    code = "link-too-soon"
    detail = _("L'e-mail è stata appena inviata: attenda un minuto prima di chiederne un'altra.")


class LinksTooMany(Conflict):
    """So many mails of this kind went out within a day that one more would only fill a mailbox."""

    code = "links-too-many"
    detail = _("Sono già state inviate troppe e-mail per questa verifica: riprovi domani.")


class ConfirmationMissing(Conflict):
    """The form came without what its button sends: somebody's program sent it, not the person's click."""

    code = "confirmation-missing"
    detail = _("La conferma non è stata registrata: prema il pulsante della pagina.")
