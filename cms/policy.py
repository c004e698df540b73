"""Rules of the register: functions over rows and a given time. They raise, or compute a date; they never write."""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cms.errors import AdministratorsOnly, CertificateFinal, HoldNotYours, RoleTooWeak, WrongCentre
from cms.models import Certificate, Membership, User
from cms.states import CertificateStatus, HoldCause, RevocationCause, Role
from pki.gateway import RevocationReason

ROME = ZoneInfo("Europe/Rome")
ONE_SECOND = timedelta(seconds=1)

# Closed table (rules.md R12): the reason follows from the cause, never from a choice; never "unspecified".
REASON_OF: dict[RevocationCause, RevocationReason] = {
    RevocationCause.HOLD_LAPSED: RevocationReason.PRIVILEGE_WITHDRAWN,
    RevocationCause.APPROVAL_LAPSED: RevocationReason.PRIVILEGE_WITHDRAWN,
    RevocationCause.NOT_INSTALLED: RevocationReason.CESSATION_OF_OPERATION,
    RevocationCause.HOLDER_REQUEST: RevocationReason.CESSATION_OF_OPERATION,
    RevocationCause.KEY_COMPROMISED: RevocationReason.KEY_COMPROMISE,
    RevocationCause.AUTHORITY_ORDER: RevocationReason.PRIVILEGE_WITHDRAWN,
}

# A stronger origin may lift a weaker one's hold; approval is the only key to a missing approval (rules.md R11).
MAY_LIFT: dict[str, frozenset[HoldCause]] = {
    "holder": frozenset({HoldCause.HOLDER}),
    "operator": frozenset({HoldCause.HOLDER, HoldCause.OPERATOR}),
    "approval": frozenset({HoldCause.MISSING_APPROVAL}),
    "authority": frozenset({HoldCause.HOLDER, HoldCause.OPERATOR, HoldCause.AUTHORITY}),
}

DECIDING_ROLES = frozenset({Role.OPERATOR, Role.MANAGER})


def expires_at(not_after: datetime) -> datetime:
    """First instant at which a certificate is expired: `notAfter` itself is still valid (RFC 5280 §4.1.2.5)."""
    return not_after + ONE_SECOND


def is_expired(not_after: datetime, now: datetime) -> bool:
    """The one predicate of expiry, for doors and sweeps alike."""
    return now >= expires_at(not_after)


def hold_lapses_at(placed_at: datetime, days: int) -> datetime:
    """00:00 Europe/Rome of the day after the last of `days` calendar days; the day of suspension is not counted."""
    day = placed_at.astimezone(ROME).date() + timedelta(days=days + 1)
    return datetime.combine(day, time.min, tzinfo=ROME).astimezone(UTC)


def months_before(instant: datetime, months: int) -> datetime:
    """Same clock time so many calendar months earlier in Europe/Rome, clamped to the month's end (rules.md R5)."""
    local = instant.astimezone(ROME)
    month_index = local.year * 12 + local.month - 1 - months
    year, month = divmod(month_index, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def years_after(instant: datetime, years: int) -> datetime:
    """Same UTC instant so many calendar years later; 29 February becomes 1 March (rules.md R7)."""
    try:
        return instant.replace(year=instant.year + years)
    except ValueError:
        return instant.replace(year=instant.year + years, month=3, day=1)


def day_years_after(day: date, years: int) -> date:
    """The calendar day so many years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, month=3, day=1)


def rome_date(instant: datetime) -> date:
    """The calendar day that people in Italy call this instant."""
    return instant.astimezone(ROME).date()


def require_not_final(certificate: Certificate) -> None:
    """A revoked certificate never changes again."""
    if certificate.status == CertificateStatus.REVOKED:
        raise CertificateFinal


def require_may_lift(origin: str, cause: HoldCause) -> None:
    """Only the origin of a hold, or a stronger one, may lift it."""
    if cause not in MAY_LIFT[origin]:
        raise HoldNotYours


def require_member(user: User, centre_id: int, roles: Collection[str]) -> None:
    """The operator must be an active member of that centre, in one of the roles."""
    role = Membership.objects.filter(user=user, centre_id=centre_id).values_list("role", flat=True).first()
    if role is None or not user.is_active:
        raise WrongCentre
    if role not in roles:
        raise RoleTooWeak


def require_administrator(user: User) -> None:
    """Credits, corrections and the provider's own data are for its active administrators."""
    if not (user.is_active and user.is_administrator):
        raise AdministratorsOnly
