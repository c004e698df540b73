"""Why a card does not get in, or its certificates cannot be renewed."""

from typing import ClassVar

from django.utils.translation import gettext_noop as _

from cms.errors import Conflict, DomainError

NOT_RENEWABLE = "Certificato non rinnovabile presente nella carta"
NONE_RENEWABLE = "Nessun certificato rinnovabile presente nella carta"
ALREADY_RENEWED = "Certificato già rinnovato per la carta"
VERIFICATION_FAILED = "Errore verifica certificato da rinnovare"


class Unauthenticated(DomainError):
    """The caller has not proven who he is (HTTP 401)."""

    code = "session-invalid"
    detail = _("La sessione non è valida o è scaduta: ripeta l'accesso con la carta.")
    action = "restart"


class ChallengeInvalid(Unauthenticated):
    """No such challenge, or it has been used."""

    code = "challenge-invalid"
    detail = _("La richiesta di accesso non è valida o è già stata usata.")
    label = VERIFICATION_FAILED


class ChallengeExpired(Unauthenticated):
    """The challenge is older than five minutes."""

    code = "challenge-expired"
    detail = _("La richiesta di accesso è scaduta: ripeta l'operazione.")
    label = VERIFICATION_FAILED


class SignatureInvalid(Unauthenticated):
    """The answer was not made with the key of the certificate."""

    code = "signature-invalid"
    detail = _("La firma della carta non è valida.")
    label = VERIFICATION_FAILED


class NotRenewable(Conflict):
    """Base of the reasons why a certificate is not renewed."""

    action = "contact-centre"
    label: ClassVar[str | None] = NONE_RENEWABLE


class CertificateExpired(NotRenewable):
    """The old certificate's last second has passed."""

    code = "certificate-expired"
    detail = _("Il certificato è scaduto: il rinnovo non è più possibile, occorre un nuovo acquisto.")
    action = "new-purchase"
    label = NOT_RENEWABLE


class CertificateRenewed(NotRenewable):
    """The pair has already been renewed."""

    code = "certificate-renewed"
    detail = _("Il certificato di questa carta è già stato rinnovato.")
    action = "none"
    label = ALREADY_RENEWED


class CertificateHeld(NotRenewable):
    """The old certificate is suspended (ETSI EN 319 411-1 REG-6.3.7-03)."""

    code = "certificate-held"
    detail = _("Il certificato è sospeso: prima del rinnovo occorre riattivarlo.")


class CertificateWithdrawn(NotRenewable):
    """The old certificate is revoked."""

    code = "certificate-revoked"
    detail = _("Il certificato è revocato: occorre un nuovo acquisto.")
    action = "new-purchase"


class CertificateRemote(NotRenewable):
    """A remote-signature certificate; the card client does not renew it (renewal guide)."""

    code = "certificate-remote"
    detail = _("I certificati di firma remota non si rinnovano con questo programma: si rivolga al suo CDRL.")


class NotLoginCertificate(NotRenewable):
    """The certificate is not the one that logs this pair in."""

    code = "certificate-not-login"
    detail = _("L'accesso avviene con il certificato di autenticazione della carta.")
    action = "restart"
    label = None


class WindowNotOpen(NotRenewable):
    """The renewal window opens two calendar months before expiry."""

    code = "window-not-open"
    detail = _("Il rinnovo è possibile a partire da due mesi prima della scadenza.")
    action = "wait"


class DeviceEndOfLife(NotRenewable):
    """The new certificate would outlive the device (six years, or the chip's certification)."""

    code = "device-end-of-life"
    detail = _("La carta ha raggiunto il limite di durata del dispositivo: occorre un nuovo acquisto.")
    action = "new-purchase"


class CardUnfit(NotRenewable):
    """Diagnosis: this card cannot be renewed (obsolete family, unreadable, keys do not match)."""

    code = "card-unfit"
    detail = _("La carta non è idonea al rinnovo: occorre un nuovo acquisto.")
    action = "new-purchase"
    label: ClassVar[str | None] = None


class FamilyRefused(CardUnfit):
    """A card family that is known and not renewed; the family's own sentence says why (`CardFamily.refusal`)."""

    code = "family-refused"
    label = NONE_RENEWABLE


class RenewalsExhausted(CardUnfit):
    """The card has been renewed as often as its family allows."""

    code = "renewals-exhausted"
    detail = _("La carta è già stata rinnovata il numero massimo di volte: occorre un nuovo acquisto.")
    label = NONE_RENEWABLE


class OldKeyWeak(CardUnfit):
    """The old key can be broken, so its proof of possession proves nothing (ADR 10)."""

    code = "old-key-weak"
    detail = _("La chiave presente sulla carta non è più sicura: il rinnovo a distanza non è possibile.")
    action = "contact-centre"
    label = VERIFICATION_FAILED


class PukLocked(CardUnfit):
    """PUK blocked: the card is no longer renewable (SogeiExtend guide)."""

    code = "puk-locked"
    detail = _("Il PUK della carta è bloccato: la carta non è più rinnovabile.")
    label = None


class PinLocked(NotRenewable):
    """PIN blocked: unblock it with the PUK, then go on."""

    code = "pin-locked"
    detail = _("Il PIN della carta è bloccato: lo sblocchi con il PUK e riprenda il rinnovo.")
    action = "unblock-pin"
    label = None


class CardMismatch(NotRenewable):
    """Certificates of two cards were mixed, or another card was put in."""

    code = "card-mismatch"
    detail = _("La carta inserita non è quella della pratica: inserisca la carta con cui ha iniziato.")
    action = "change-card"
    label = None


class NotActivated(NotRenewable):
    """The card was never activated."""

    code = "card-not-activated"
    detail = _("La carta non risulta attivata: si rivolga al suo CDRL.")


class CampaignOver(NotRenewable):
    """No campaign extends this card now: by its dates, its family, its list, or because nothing is gained."""

    code = "campaign-excluded"
    detail = _("La tessera non rientra tra quelle abilitate all'estensione.")


class CertificateNotExtended(NotRenewable):
    """The signature half of a card whose authentication certificate alone is extended (SogeiExtend guide)."""

    code = "certificate-not-extended"
    detail = _("L'estensione riguarda solo il certificato di autenticazione della carta.")
    action = "none"


class PairClosed(NotRenewable):
    """The pair's case was refused or cancelled; only an operator reopens it (rules.md R4)."""

    code = "pair-closed"
    detail = _("La pratica di rinnovo di questa carta è stata chiusa: per riaprirla si rivolga al suo CDRL.")


class AgreementMissing(NotRenewable):
    """The centre has no agreement for the service that issues renewals."""

    code = "agreement-missing"
    detail = _("Il CDRL non è abilitato al rinnovo di questo servizio.")


class CertificateUnknown(NotRenewable):
    """Not a certificate of this register: another issuer's, a look-alike's, or never imported."""

    code = "certificate-unknown"
    detail = _("Il certificato non è stato emesso da questo servizio.")
    label = VERIFICATION_FAILED
