"""What is wrong with an attestation as the customer described it, in words that say how to mend it."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Invalid


class AttestationIncomplete(Invalid):
    """Something that the letter must say is missing (the guide, step 6)."""

    code = "attestation-incomplete"
    detail = _("Completi tutti i dati dell'attestazione, come compaiono nel documento.")


class AttestationOfTomorrow(Invalid):
    """Its date lies in the future."""

    code = "attestation-date-future"
    detail = _("La data dell'attestazione è nel futuro: indichi il giorno in cui il documento è stato firmato.")


class AttestationTooOld(Invalid):
    """It was signed longer ago than the setting allows."""

    code = "attestation-too-old"
    detail = _("L'attestazione è troppo vecchia: ne serve una firmata di recente.")


class RefereeIsApplicant(Invalid):
    """Nobody attests his own role."""

    code = "referee-is-applicant"
    detail = _("Il referente che firma l'attestazione non può essere il richiedente: indichi un'altra persona.")


class RefereeContactInvalid(Invalid):
    """Neither an address nor a telephone number, or the applicant's own."""

    code = "referee-contact-invalid"
    detail = _("Indichi un'e-mail o un numero di telefono del referente, diverso da quelli del richiedente.")


class AttestationClosed(Conflict):
    """An officer is looking at it or has decided, or this type of certificate asks for none."""

    code = "attestation-closed"
    detail = _("L'attestazione non si può più sostituire: è già in esame o è già stata accettata.")
