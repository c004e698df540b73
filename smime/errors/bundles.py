"""What stands in the way of a download."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden, Invalid, NotFound


class BundleGone(NotFound):
    """Destroyed after its days or downloads, by the customer, or with its certificate; or there never was one."""

    code = "bundle-gone"
    detail = _("Il file non è più disponibile: se non ne ha una copia, chieda una nuova emissione.")


class RecipientOnly(Forbidden):
    """Who bought for somebody else never holds the key: the password is in the recipient's mailbox."""

    code = "recipient-only"
    detail = _("Il file può essere scaricato solo dal destinatario, dal collegamento che ha ricevuto per e-mail.")


class OtherBrowser(Forbidden):
    """The link has been used in one browser and is good in that one only."""

    code = "browser-other"
    detail = _("Questo collegamento è già stato usato in un altro browser: lo apra lì, o ne chieda uno nuovo.")


class CodeWrong(Invalid):
    """Not the digits that were mailed."""

    code = "download-code-wrong"
    detail = _("Il codice non è corretto. Controlli le sei cifre dell'ultima e-mail.")


class CodeEnded(Conflict):
    """Ended, used, or tried too often: another one is needed."""

    code = "download-code-ended"
    detail = _("Il codice non è più valido: se ne faccia inviare un altro.")


class CodeTooSoon(Conflict):
    """Codes are mailed one at a time."""

    code = "download-code-too-soon"
    detail = _("Un codice è stato appena inviato: attenda un minuto prima di chiederne un altro.")


class NotReissuable(Conflict):
    """Only an order with an active certificate, whose key we made, gets another one."""

    code = "order-not-reissuable"
    detail = _("La nuova emissione è possibile solo per una pratica con un certificato valido.")
