"""Why a certificate is not followed by another one."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict


class CertificateNotRenewable(Conflict):
    """Too early, or the certificate was suspended or revoked, or is just being issued again."""

    code = "certificate-not-renewable"
    detail = _(
        "Questo certificato ora non si può rinnovare: il rinnovo si apre con il primo promemoria della scadenza, e un "
        "certificato sospeso o revocato non si rinnova."
    )


class ActivationMissing(Conflict):
    """The buyer has no free activation of the certificate's type."""

    code = "activation-missing"
    detail = _(
        "Per rinnovare il certificato serve un'altra attivazione dello stesso tipo: la chieda a chi Le ha fornito il "
        "servizio."
    )
