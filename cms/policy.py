"""Rules of the register: functions over rows and a given time. They raise, or compute a date; they never write."""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cms.errors import (
    AdministratorsOnly,
    CauseNotChosen,
    CertificateFinal,
    CertificateNotInstalled,
    CertificateOver,
    HoldNotYours,
    InvitationExpired,
    InvitationForeign,
    InvitationUsed,
    InvitationWithdrawn,
    LinkExpired,
    LinkUsed,
    OwnAccess,
    ProposalClosed,
    ProposalNotYours,
    ProposalSamePerson,
    RoleTooWeak,
    VisitTooWeak,
    WrongCentre,
)
from cms.models import (
    Certificate,
    Hold,
    HolderLink,
    HolderVisit,
    Invitation,
    Job,
    Membership,
    RevocationProposal,
    Service,
    User,
)
from cms.states import CertificateStatus, Flow, HoldCause, LinkPurpose, ProposalState, RevocationCause, Role, VisitKind
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

# What a person at the panel may state; the others follow from the clock or from an enrolment.
OPERATOR_CAUSES = (
    RevocationCause.HOLDER_REQUEST,
    RevocationCause.KEY_COMPROMISED,
    RevocationCause.AUTHORITY_ORDER,
)

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


def window_opens_at(service: Service, old_not_after: datetime) -> datetime | None:
    """From when on a pair of this service is renewed; None for extensions, which have no window (rules.md R5, R18)."""
    return None if service.flow == Flow.EXTEND else months_before(old_not_after, service.window_months)


def days_before(instant: datetime, days: int) -> datetime:
    """Same clock time so many calendar days earlier in Europe/Rome (rules.md R23)."""
    return (instant.astimezone(ROME) - timedelta(days=days)).astimezone(UTC)


def next_threshold(end: datetime, days: Collection[int], *, since: datetime) -> datetime | None:
    """First instant later than `since` at which one of these numbers of days is left until `end`; None for none."""
    instants = (days_before(end, left) for left in days)
    return min((instant for instant in instants if instant > since), default=None)


def passed_threshold(end: datetime, days: Collection[int], *, since: datetime, now: datetime) -> int | None:
    """The fewest of these days whose instant has come since `since`: of several missed ones the nearest is told."""
    return min((left for left in days if since < days_before(end, left) <= now), default=None)


def next_warning(hold: Hold, days: Collection[int]) -> datetime | None:
    """When the holder is next warned that this hold ends in revocation; a missing approval leaves it to its case."""
    if hold.cause == HoldCause.MISSING_APPROVAL or hold.lifted_at is not None or hold.ended_at is not None:
        return None
    return next_threshold(hold.lapses_at, days, since=told_of_hold(hold))


def told_of_hold(hold: Hold) -> datetime:
    """Until when the holder has been told of a hold: when it was placed, then with each warning."""
    return max(hold.placed_at, hold.noticed_at or hold.placed_at)


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


def is_member(user: User, centre_id: int) -> bool:
    """Whether the account works at that centre, in whatever role."""
    return user.is_active and Membership.objects.filter(user=user, centre_id=centre_id).exists()


def require_member(user: User, centre_id: int, roles: Collection[str]) -> None:
    """The operator must be an active member of that centre, in one of the roles."""
    role = Membership.objects.filter(user=user, centre_id=centre_id).values_list("role", flat=True).first()
    if role is None or not user.is_active:
        raise WrongCentre
    if role not in roles:
        raise RoleTooWeak


def require_starter_or_manager(job: Job, operator: User) -> None:
    """Work under way belongs to who started it; of others, a manager of the centre alone may stop it."""
    if job.started_by_id != operator.pk:
        require_member(operator, job.centre_id, {Role.MANAGER})


def require_administrator(user: User) -> None:
    """Credits, corrections and the provider's own data are for its active administrators."""
    if not (user.is_active and user.is_administrator):
        raise AdministratorsOnly


def require_not_over(certificate: Certificate, now: datetime) -> None:
    """Nothing is asked for a certificate that has expired."""
    if is_expired(certificate.not_after, now):
        raise CertificateOver


def require_in_use(certificate: Certificate, now: datetime) -> None:
    """Installed, neither revoked nor expired: only such a certificate is suspended or revoked at the panel."""
    require_not_final(certificate)
    require_not_over(certificate, now)
    if certificate.status == CertificateStatus.ISSUED:
        raise CertificateNotInstalled


def require_operators_cause(cause: str) -> RevocationCause:
    """The cause, if it is one that a person at the panel may state (rules.md R12)."""
    if cause not in OPERATOR_CAUSES:
        raise CauseNotChosen
    return RevocationCause(cause)


def require_waiting(proposal: RevocationProposal) -> None:
    """A proposal is decided once."""
    if proposal.state != ProposalState.WAITING:
        raise ProposalClosed


def require_second_person(proposal: RevocationProposal, operator: User) -> None:
    """Four eyes: who has proposed does not decide."""
    if proposal.proposed_by == operator.pk:
        raise ProposalSamePerson


def require_proposer(proposal: RevocationProposal, operator: User) -> None:
    """Who has not proposed cannot take a proposal back; he can refuse it."""
    if proposal.proposed_by != operator.pk:
        raise ProposalNotYours


def require_staffing(user: User, centre_id: int | None) -> None:
    """Managers look after the people of their centre; administrators after everybody, themselves included."""
    if user.is_active and user.is_administrator:
        return
    if centre_id is None:
        raise AdministratorsOnly
    require_member(user, centre_id, {Role.MANAGER})


def require_not_oneself(user: User, person_id: int) -> None:
    """Nobody changes his own rights, whatever his role."""
    if user.pk == person_id:
        raise OwnAccess


def require_invitation_open(invitation: Invitation, now: datetime) -> None:
    """An invitation is good once, until it expires or is withdrawn."""
    if invitation.used_at is not None:
        raise InvitationUsed
    if invitation.withdrawn_at is not None:
        raise InvitationWithdrawn
    if now >= invitation.expires_at:
        raise InvitationExpired


def require_link_good(link: HolderLink, now: datetime) -> None:
    """A link to the mailbox is good once, until it expires (rules.md R26)."""
    if link.used_at is not None:
        raise LinkUsed
    if now >= link.expires_at:
        raise LinkExpired


def require_purpose(visit: HolderVisit, purpose: LinkPurpose) -> None:
    """What a link allows beyond a suspension is what it was asked for."""
    if visit.kind != VisitKind.LINK or visit.purpose != purpose:
        raise VisitTooWeak


def require_visit_may_suspend(visit: HolderVisit) -> None:
    """Code and link both allow a suspension: a stolen card is stopped whatever else is closed (rules.md R27)."""
    if visit.kind not in {VisitKind.USER_CODE, VisitKind.LINK}:
        raise VisitTooWeak


def require_visit_by_code(visit: HolderVisit) -> None:
    """To reactivate and to revoke the holder must know his code."""
    if visit.kind != VisitKind.USER_CODE:
        raise VisitTooWeak


def require_meant_for(invitation: Invitation, user: User) -> None:
    """An invitation is for the person it names: the same address, and no other codice fiscale."""
    is_other = user.tax_code not in {None, invitation.tax_code}
    if user.email != invitation.email or is_other:
        raise InvitationForeign
