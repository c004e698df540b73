"""What stands in the way of a change of a certificate's status."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, NotFound


class CertificateUnknown(NotFound):
    """No certificate of that address for this customer or officer."""

    code = "smime-certificate-unknown"
    detail = _("Certificato non trovato.")


class CertificateFinal(Conflict):
    """A revocation is for good; nothing comes after it."""

    code = "smime-certificate-final"
    detail = _("Il certificato è revocato, oppure la revoca è già stata chiesta: non può più cambiare stato.")


class HoldNotAllowed(Conflict):
    """Certificates of the strict generation cannot be suspended (SBR 4.9.13)."""

    code = "smime-hold-not-allowed"
    detail = _("Questo certificato non può essere sospeso: può solo essere revocato.")
