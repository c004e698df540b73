"""What stands in the way of an officer's finding or decision."""

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, Forbidden, Invalid


class OfficerIsParty(Forbidden):
    """Nobody verifies an order that is his own: as buyer, recipient or contact."""

    code = "officer-is-party"
    detail = _("La pratica riguarda Lei: deve esaminarla un'altra persona dell'ufficio.")


class SecondPersonNeeded(Forbidden):
    """OV and SV are approved by somebody who has decided none of the checks (SBR 5.2.4, separation of duties)."""

    code = "smime-second-person-needed"
    detail = _("Ha già deciso una verifica di questa pratica: l'emissione deve approvarla un'altra persona.")


class ApprovalNotAsked(Conflict):
    """MV and IV approve themselves when all is proven."""

    code = "approval-not-asked"
    detail = _("Per questo tipo di certificato non serve un'approvazione: parte da sola a verifiche concluse.")


class CheckNotForDesk(Conflict):
    """The mailbox, consent and identity are not decided by a plain finding."""

    code = "check-not-for-desk"
    detail = _("Questa verifica non si decide con un riscontro dell'ufficio.")


class CheckNotInReview(Conflict):
    """Somebody else has to act first, or the check has ended."""

    code = "check-not-in-review"
    detail = _("La verifica al momento non è in esame: lo stato della pratica è cambiato.")


class ReasonMissing(Invalid):
    """The customer has to read why, or what to send."""

    code = "customer-reason-missing"
    detail = _("Scriva al cliente che cosa non va o che cosa deve inviare.")


class SourceMissing(Invalid):
    """Evidence without its source proves nothing (SBR 3.2.3.2, 5.4.1)."""

    code = "source-missing"
    detail = _("Indichi il registro consultato e il numero o il riferimento dell'iscrizione.")


class OrganisationInactive(Invalid):
    """A legal entity that has ceased gets no certificate (SBR 3.2.3.2)."""

    code = "organisation-inactive"
    detail = _("L'organizzazione deve risultare attiva nel registro: confermi lo stato oppure respinga la verifica.")


class OrganisationNameLong(Invalid):
    """More than 64 characters do not fit; an abbreviation must be recorded (RFC 5280, appendix A)."""

    code = "organisation-name-long"
    detail = _("La denominazione supera 64 caratteri: indichi l'abbreviazione riscontrata, di 64 caratteri al massimo.")


class OrganisationNameMalformed(Invalid):
    """Empty, a filler, or with characters that nobody sees."""

    code = "organisation-name-malformed"
    detail = _("La denominazione non è utilizzabile: la scriva come compare nel registro.")


class OrganisationIdentifierMalformed(Invalid):
    """Not an identifier of this country, or one that would publish a person's tax code (SBR 7.1.4.2.2 d)."""

    code = "organisation-identifier-malformed"
    detail = _(
        "L'identificativo deve essere del Paese di costituzione, come VATIT- o NTRIT- con il numero: mai il codice "
        "fiscale di una persona."
    )


class ContactNotIndependent(Invalid):
    """The letter's own contact, or one that the applicant has typed (SBR 3.2.8, smime.md pitfall 7)."""

    code = "contact-not-independent"
    detail = _(
        "Questo recapito lo ha indicato il cliente o compare nell'attestazione: ne serve uno trovato in una fonte "
        "indipendente."
    )


class CallIncomplete(Invalid):
    """Contact, its source, the moment and who answered belong on record."""

    code = "call-incomplete"
    detail = _("Registri il recapito indipendente, dove lo ha trovato, quando ha chiamato e chi ha risposto.")


class CallTimeInvalid(Invalid):
    """Not of this order, or of the future."""

    code = "call-time-invalid"
    detail = _("La richiamata deve essere avvenuta dopo l'invio della pratica e non nel futuro.")


class CallNotConfirmed(Invalid):
    """Nobody was reached, or who was reached did not confirm."""

    code = "call-not-confirmed"
    detail = _("La richiamata non ha confermato: la verifica non può essere accettata.")


class FieldsNotCompared(Invalid):
    """Each field of the evidence is compared by a person, one by one."""

    code = "fields-not-compared"
    detail = _("Confronti e spunti ogni voce con il documento prima di accettare.")


class LetterNotClean(Conflict):
    """No attestation of the present data, or one that the scanner has not passed."""

    code = "letter-not-clean"
    detail = _("Non c'è un'attestazione controllata dall'antivirus per i dati attuali.")


class DocumentIncomplete(Invalid):
    """Kind, number, issuer and validity of the identity document are recorded (SBR 3.2.4.2)."""

    code = "document-incomplete"
    detail = _("Registri tipo, numero, ente di rilascio e scadenza del documento.")


class DocumentExpired(Invalid):
    """Only a document in force proves who somebody is."""

    code = "document-expired"
    detail = _("Il documento è scaduto: non si può accettare il riconoscimento.")


class IdentityPhotosMissing(Invalid):
    """Face and document of this very attempt are what an officer compares (SBR 3.2.4.2)."""

    code = "identity-photos-missing"
    detail = _(
        "Mancano le foto del volto e del documento di questo tentativo, o l'antivirus non le ha ancora controllate: "
        "senza non si può accettare il riconoscimento."
    )


class BiometricNotClosed(Conflict):
    """Only where the order was led to the alternative, and nobody is identified yet, is there a way to open again."""

    code = "biometric-not-closed"
    detail = _(
        "Il riconoscimento biometrico non si può riaprire: non è chiuso, oppure il destinatario è già riconosciuto."
    )


class ReopeningUnexplained(Invalid):
    """Two attempts have failed or consent was refused: why it is tried again belongs on record."""

    code = "reopening-reason-missing"
    detail = _("Scriva perché il riconoscimento biometrico va riaperto.")


class SignatureNotInReview(Conflict):
    """No valid signature waits for an officer, or another file came after it."""

    code = "signature-not-in-review"
    detail = _("Questo modulo firmato non è da esaminare: la pratica nel frattempo è cambiata.")
