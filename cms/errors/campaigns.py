"""What stands against opening or changing a campaign of extension."""

from django.utils.translation import gettext_noop as _

from cms.errors.kinds import Conflict, Invalid


class CampaignDatesInvalid(Invalid):
    """The days of a campaign do not fit each other."""

    code = "campaign-dates-invalid"
    detail = _("Le date della campagna non sono coerenti: apertura, chiusura ed estensione vanno in quest'ordine.")


class CampaignServiceInvalid(Invalid):
    """A campaign extends and issues authentication certificates of services with the flow Extend."""

    code = "campaign-service-invalid"
    detail = _("La campagna vuole due servizi di estensione; quello di emissione ha il solo certificato CNS.")


class CampaignBegun(Conflict):
    """What open cases stand on does not change once a campaign has begun."""

    code = "campaign-begun"
    detail = _("La campagna è iniziata: servizi, apertura ed estensione non cambiano più. Ne apra un'altra.")


class ListUnreadable(Invalid):
    """A list of more than 200,000 lines, or that is no text."""

    code = "list-unreadable"
    detail = _("L'elenco non si legge: serve un file di testo con al massimo 200.000 righe.")
