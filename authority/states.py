"""Closed lists of the CA: its roles, a certificate's state, and what the journal can say."""

from django.db import models

from pki import smime_profiles
from pki.assembly import HOLD
from pki.gateway import Profile, RevocationReason


class Role(models.TextChoices):
    """What a CA of ours issues; also its name in addresses."""

    ROOT = "root", "Radice"
    CNS = "cns", "Autenticazione CNS"
    SIGNATURE = "signature", "Firma qualificata"
    SMIME = "smime", "S/MIME"


ISSUING = (Role.CNS, Role.SIGNATURE, Role.SMIME)
ISSUER_OF = {
    Profile.CNS_AUTHENTICATION: Role.CNS,
    Profile.QUALIFIED_SIGNATURE: Role.SIGNATURE,
    **dict.fromkeys(smime_profiles.POLICIES, Role.SMIME),
}
PURPOSES_OF = {Role.SMIME: smime_profiles.PURPOSES}
NEVER_HELD = tuple(profile.value for profile in Profile if not profile.may_be_held)


class State(models.TextChoices):
    """A certificate's state in the ledger; *expired* is computed, never stored."""

    GOOD = "good", "Valido"
    HELD = "held", "Sospeso"
    REVOKED = "revoked", "Revocato"


class Kind(models.TextChoices):
    """What a journal row tells of."""

    CEREMONY = "ceremony", "Cerimonia"
    ISSUE = "issue", "Emissione"
    HOLD = "hold", "Sospensione"
    RELEASE = "release", "Riattivazione"
    REVOKE = "revoke", "Revoca"
    PUBLISH = "publish", "Pubblicazione CRL"


class Effect(models.TextChoices):
    """What an order changed: it was done, it was so already, or the present state forbids it."""

    DONE = "done", "Eseguito"
    ALREADY = "already", "Già così"
    REFUSED = "refused", "Rifiutato"


CHANGES = (Kind.HOLD, Kind.RELEASE, Kind.REVOKE)
HOLD_REASON = HOLD
REVOCATION_REASONS = tuple(reason.value for reason in RevocationReason)
