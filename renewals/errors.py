"""Refusals of renewals, each with its code. Guides' messages stand in `label`, word for word."""

from typing import ClassVar

from cms.errors import Conflict, DomainError, Forbidden, Invalid

NOT_RENEWABLE = "Certificato non rinnovabile presente nella carta"
NONE_RENEWABLE = "Nessun certificato rinnovabile presente nella carta"
ALREADY_RENEWED = "Certificato già rinnovato per la carta"
VERIFICATION_FAILED = "Errore verifica certificato da rinnovare"
ISSUANCE_FAILED = "Errore generazione nuovo certificato"


class Unauthenticated(DomainError):
    """The caller has not proven who he is (HTTP 401)."""

    code = "session-invalid"
    detail = "La sessione non è valida o è scaduta: ripeta l'accesso con la carta."
    action = "restart"


class ChallengeInvalid(Unauthenticated):
    """No such challenge, or it has been used."""

    code = "challenge-invalid"
    detail = "La richiesta di accesso non è valida o è già stata usata."
    label = VERIFICATION_FAILED


class ChallengeExpired(Unauthenticated):
    """The challenge is older than five minutes."""

    code = "challenge-expired"
    detail = "La richiesta di accesso è scaduta: ripeta l'operazione."
    label = VERIFICATION_FAILED


class SignatureInvalid(Unauthenticated):
    """The answer was not made with the key of the certificate."""

    code = "signature-invalid"
    detail = "La firma della carta non è valida."
    label = VERIFICATION_FAILED


class NotRenewable(Conflict):
    """Base of the reasons why a certificate is not renewed."""

    action = "contact-centre"
    label: ClassVar[str | None] = NONE_RENEWABLE


class CertificateExpired(NotRenewable):
    """The old certificate's last second has passed."""

    code = "certificate-expired"
    detail = "Il certificato è scaduto: il rinnovo non è più possibile, occorre un nuovo acquisto."
    action = "new-purchase"
    label = NOT_RENEWABLE


class CertificateRenewed(NotRenewable):
    """The pair has already been renewed."""

    code = "certificate-renewed"
    detail = "Il certificato di questa carta è già stato rinnovato."
    action = "none"
    label = ALREADY_RENEWED


class CertificateHeld(NotRenewable):
    """The old certificate is suspended (ETSI EN 319 411-1 REG-6.3.7-03)."""

    code = "certificate-held"
    detail = "Il certificato è sospeso: prima del rinnovo occorre riattivarlo."


class CertificateWithdrawn(NotRenewable):
    """The old certificate is revoked."""

    code = "certificate-revoked"
    detail = "Il certificato è revocato: occorre un nuovo acquisto."
    action = "new-purchase"


class CertificateRemote(NotRenewable):
    """A remote-signature certificate; the card client does not renew it (renewal guide)."""

    code = "certificate-remote"
    detail = "I certificati di firma remota non si rinnovano con questo programma: si rivolga al suo CDRL."


class NotLoginCertificate(NotRenewable):
    """The certificate is not the one that logs this pair in."""

    code = "certificate-not-login"
    detail = "L'accesso avviene con il certificato di autenticazione della carta."
    action = "restart"
    label = None


class WindowNotOpen(NotRenewable):
    """The renewal window opens two calendar months before expiry."""

    code = "window-not-open"
    detail = "Il rinnovo è possibile a partire da due mesi prima della scadenza."
    action = "wait"


class DeviceEndOfLife(NotRenewable):
    """The new certificate would outlive the device (six years, or the chip's certification)."""

    code = "device-end-of-life"
    detail = "La carta ha raggiunto il limite di durata del dispositivo: occorre un nuovo acquisto."
    action = "new-purchase"


class CardUnfit(NotRenewable):
    """Diagnosis: this card cannot be renewed (obsolete family, unreadable, keys do not match)."""

    code = "card-unfit"
    detail = "La carta non è idonea al rinnovo: occorre un nuovo acquisto."
    action = "new-purchase"
    label: ClassVar[str | None] = None


class OldKeyWeak(CardUnfit):
    """The old key can be broken, so its proof of possession proves nothing (ADR 10)."""

    code = "old-key-weak"
    detail = "La chiave presente sulla carta non è più sicura: il rinnovo a distanza non è possibile."
    action = "contact-centre"
    label = VERIFICATION_FAILED


class PukLocked(CardUnfit):
    """PUK blocked: the card is no longer renewable (SogeiExtend guide)."""

    code = "puk-locked"
    detail = "Il PUK della carta è bloccato: la carta non è più rinnovabile."
    label = None


class PinLocked(NotRenewable):
    """PIN blocked: unblock it with the PUK, then go on."""

    code = "pin-locked"
    detail = "Il PIN della carta è bloccato: lo sblocchi con il PUK e riprenda il rinnovo."
    action = "unblock-pin"
    label = None


class CardMismatch(NotRenewable):
    """Certificates of two cards were mixed, or another card was put in."""

    code = "card-mismatch"
    detail = "La carta inserita non è quella della pratica: inserisca la carta con cui ha iniziato."
    action = "change-card"
    label = None


class NotActivated(NotRenewable):
    """The card was never activated."""

    code = "card-not-activated"
    detail = "La carta non risulta attivata: si rivolga al suo CDRL."


class CampaignOver(NotRenewable):
    """The card's expiry lies after the campaign's cut-off, or its target is no gain."""

    code = "campaign-excluded"
    detail = "La tessera non rientra tra quelle abilitate all'estensione."


class PairClosed(NotRenewable):
    """The pair's case was refused or cancelled; only an operator reopens it (rules.md R4)."""

    code = "pair-closed"
    detail = "La pratica di rinnovo di questa carta è stata chiusa: per riaprirla si rivolga al suo CDRL."


class AgreementMissing(NotRenewable):
    """The centre has no agreement for the service that issues renewals."""

    code = "agreement-missing"
    detail = "Il CDRL non è abilitato al rinnovo di questo servizio."


class CaseEnded(Conflict):
    """The case is over; nothing more can be done in it."""

    code = "case-ended"
    detail = "La pratica di rinnovo è conclusa o chiusa."


class StepNotOpen(Conflict):
    """Steps cannot be skipped."""

    code = "step-not-open"
    detail = "Questo passo non è ancora possibile: completi prima i precedenti."
    action = "restart"


class ConfirmationInvalid(Invalid):
    """Not the code that was mailed."""

    code = "confirmation-invalid"
    detail = "Il codice di conferma non è corretto."


class ConfirmationExpired(Conflict):
    """The mailed code is too old, or was tried too often."""

    code = "confirmation-expired"
    detail = "Il codice di conferma non è più valido: invii di nuovo i recapiti per riceverne un altro."
    action = "correct-data"


class TextsOutdated(Conflict):
    """What was accepted is not what is in force now (REG-6.3.7-04)."""

    code = "texts-outdated"
    detail = "I testi contrattuali sono cambiati: li rilegga e li accetti di nuovo."
    action = "restart"


class FormMissing(Conflict):
    """There is no form of these data to sign."""

    code = "form-missing"
    detail = "Il modulo di rinnovo va visualizzato prima della firma."
    action = "restart"


class FormSignatureInvalid(Invalid):
    """The form was not signed with the expiring certificate's key."""

    code = "form-signature-invalid"
    detail = "La firma del modulo non è valida."
    action = "restart"
    label = VERIFICATION_FAILED


class RequestInvalid(Invalid):
    """A certificate request that cannot be accepted."""

    code = "csr-invalid"
    detail = "La richiesta di certificato non è valida."
    action = "restart"
    label = ISSUANCE_FAILED


class KeyUnfit(Invalid):
    """A new public key that is too small or weak."""

    code = "key-weak"
    detail = "La chiave generata dalla carta non è idonea."
    action = "contact-centre"
    label = ISSUANCE_FAILED


class BindingInvalid(Invalid):
    """The old key did not vouch for exactly these new keys."""

    code = "binding-invalid"
    detail = "La richiesta non è confermata dalla chiave della carta."
    action = "restart"
    label = ISSUANCE_FAILED


class IssuanceRefused(Conflict):
    """The CA said no for good."""

    code = "issuance-refused"
    detail = "Il certificato non può essere emesso: si rivolga al suo CDRL."
    action = "contact-centre"
    label = ISSUANCE_FAILED


class ProofInvalid(Invalid):
    """A new key did not prove itself."""

    code = "proof-invalid"
    detail = "La prova di installazione del certificato non è valida."
    action = "restart"


class HolderDecides(Forbidden):
    """The approver is never the holder of the case (REG-6.2.2-26)."""

    code = "approver-is-holder"
    detail = "Il titolare della pratica non può decidere sul proprio rinnovo."


class NotAuthorisable(Conflict):
    """The case is not one that waits for, or can still take, a decision."""

    code = "decision-not-open"
    detail = "Su questa pratica non è possibile decidere."


class CertificatesGone(NotAuthorisable):
    """All new certificates are revoked: nothing is left to authorise."""

    code = "certificates-revoked"
    detail = "I nuovi certificati sono revocati: non c'è più nulla da autorizzare."


class ReasonMissing(Invalid):
    """A refusal needs a reason."""

    code = "reason-missing"
    detail = "Indichi il motivo."


class CertificateUnknown(NotRenewable):
    """Not a certificate of this register: another issuer's, a look-alike's, or never imported."""

    code = "certificate-unknown"
    detail = "Il certificato non è stato emesso da questo servizio."
    label = VERIFICATION_FAILED
