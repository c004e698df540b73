"""What stands in the way of the alternative by qualified signature."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid


class AlternativeNotOpen(Conflict):
    """The recipient is identified by the other way, or need not be."""

    code = "alternative-not-open"
    detail = _("Il processo alternativo non è aperto per questa pratica.")


class SignedFormNotAwaited(Conflict):
    """An officer is looking at the last file, or all is decided."""

    code = "signed-form-not-awaited"
    detail = _("Il modulo firmato è già stato ricevuto: non serve inviarlo di nuovo.")


class SignatureFormMissing(Conflict):
    """No form in force: none was made, or the data it was made of have changed."""

    code = "signature-form-missing"
    detail = _("Il modulo non vale più: inserisca di nuovo i dati e scarichi quello nuovo.")


class RecipientNamesDiffer(Invalid):
    """Others than those of the order, which the certificate will carry."""

    code = "recipient-names-differ"
    detail = _(
        "Nome e cognome non corrispondono a quelli della pratica. Se quelli della pratica sono sbagliati, li faccia "
        "correggere a chi ha acquistato il certificato."
    )


class TrustedListRefused(Conflict):
    """A trusted list that is not believed; `reason` says why."""

    code = "trusted-list-refused"
    detail = _("La lista di fiducia non è accettata: la firma o la struttura non sono quelle attese.")


class TrustedListOutdated(TrustedListRefused):
    """Its next update is over, or it was closed."""

    code = "trusted-list-outdated"
    detail = _("La lista di fiducia non è più in vigore: serve quella successiva.")


class TrustedListBackwards(TrustedListRefused):
    """An older list than the one that is known, or another of the same number."""

    code = "trusted-list-backwards"
    detail = _("La lista di fiducia è più vecchia di quella già caricata.")


class TrustedListUnknown(TrustedListRefused):
    """The list of lists does not point to a list of this country, or is itself not in force."""

    code = "trusted-list-unknown"
    detail = _("La lista di fiducia non è tra quelle indicate dalla lista delle liste in vigore.")
