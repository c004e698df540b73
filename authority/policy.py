"""Rules of the CA: pure functions over facts and a given instant; they raise, or compute."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from authority.models import CertificationAuthority, Crl
from authority.models.fields import SERIAL_BITS
from authority.states import NEVER_HELD, Effect, Kind, State
from pki.errors import GatewayConflict, GatewayError, GatewayRefused
from pki.gateway import Validity

CRL_LIFE = timedelta(hours=24)  # EN 319 411-1 CSS-6.3.9-05: at least every 24 h; see `is_aged`
OCSP_LIFE = timedelta(hours=12)  # SBR §4.9.10: 8 h to 10 d
OCSP_KEPT = timedelta(minutes=5)  # how long a signature is used again for the same question and the same facts
CACHE_SECONDS = 30  # how long a relying party's cache may hide a change of status

_FIRST_SHARD_DAYS_BEFORE = timedelta(days=2)

# What an order does in each state. Revoked is final (eIDAS 28(4)); an order for the present state changes nothing.
MOVES: dict[tuple[Kind, State], tuple[Effect, State]] = {
    (Kind.HOLD, State.GOOD): (Effect.DONE, State.HELD),
    (Kind.HOLD, State.HELD): (Effect.ALREADY, State.HELD),
    (Kind.HOLD, State.REVOKED): (Effect.REFUSED, State.REVOKED),
    (Kind.RELEASE, State.GOOD): (Effect.ALREADY, State.GOOD),
    (Kind.RELEASE, State.HELD): (Effect.DONE, State.GOOD),
    (Kind.RELEASE, State.REVOKED): (Effect.REFUSED, State.REVOKED),
    (Kind.REVOKE, State.GOOD): (Effect.DONE, State.REVOKED),
    (Kind.REVOKE, State.HELD): (Effect.DONE, State.REVOKED),
    (Kind.REVOKE, State.REVOKED): (Effect.ALREADY, State.REVOKED),
}


def effect_of(kind: Kind, state: State, profile: str) -> tuple[Effect, State]:
    """Say what an order does to a certificate of this profile in this state, and in which state that leaves it."""
    if kind is Kind.HOLD and profile in NEVER_HELD:
        return Effect.REFUSED, state
    return MOVES[kind, state]


def refusal(kind: Kind, profile: str) -> GatewayError:
    """Say why an order was refused, the same each time that it is repeated."""
    if kind is Kind.HOLD and profile in NEVER_HELD:
        return GatewayRefused("a strict S/MIME certificate cannot be suspended", code="hold-not-allowed")
    return GatewayConflict(f"cannot {kind} a revoked certificate", code="certificate-revoked")


def require_fitting_validity(validity: Validity, issuer: CertificationAuthority, at: datetime) -> None:
    """Refuse a life outside the issuer's own (no verifier would accept it), backwards, or over at issuance."""
    if not issuer.not_before <= validity.not_before < validity.not_after <= issuer.not_after:
        raise GatewayRefused("the validity does not lie within the CA's", code="validity-outside-issuer")
    if validity.not_after < at:
        raise GatewayRefused("the certificate would be expired when issued", code="validity-over")


def new_serial() -> int:
    """Draw a serial number: 158 random bits under a set one, so positive and of 20 octets (RFC 5280 §4.1.2.2)."""
    return 1 << (SERIAL_BITS - 1) | secrets.randbits(SERIAL_BITS - 1)


def shard_year(at: datetime) -> int:
    """Say which shard lists what is issued at this instant: its year in UTC."""
    return at.astimezone(UTC).year


def next_number(crl: Crl, at: datetime, seen: int) -> int:
    """Compute the number of the next CRL: one more than the last, and than the highest one `seen` outside the database.

    It is never below the clock either, so that a restored database repeats none.
    """
    return max(crl.number + 1, seen + 1, int(at.timestamp()))


def next_this_update(crl: Crl, at: datetime) -> datetime:
    """Compute what the next CRL states: whole seconds, never before the previous one's, even when the clock was."""
    instant = at.replace(microsecond=0)
    return instant if crl.this_update is None else max(instant, crl.this_update)


def is_aged(crl: Crl, at: datetime) -> bool:
    """Say whether a CRL has used up half its life or was never published; half, so that a day's trouble shows first."""
    if crl.this_update is None or crl.next_update is None:
        return True
    return at >= crl.this_update + (crl.next_update - crl.this_update) / 2


def shards_due(at: datetime) -> set[int]:
    """Years whose shard must exist: this one, and the next one shortly before it starts."""
    return {shard_year(at), shard_year(at + _FIRST_SHARD_DAYS_BEFORE)}
