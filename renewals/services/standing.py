"""A case as its holder sees it at his own pages: computed at each look, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cms import policy as register
from cms.models import Certificate, Hold
from cms.states import ApprovalMode, CertificateStatus, Flow, HoldCause
from renewals import policy
from renewals.models import RenewalCase
from renewals.states import Authorisation, CaseState, Due

_RELATED = ("holder", "card", "centre", "service", "issuing_service", "agreement", "old_pair", "new_pair")
_GONE = (CertificateStatus.REVOKED,)


class Situation(StrEnum):
    """Where a case stands for its holder. Every one has its own sentence (`renewals.pages.sentences`)."""

    RENEW = "renew"
    RENEW_HELD = "renew-held"
    INSTALL = "install"
    INSTALL_TO_AUTHORISE = "install-to-authorise"
    INSTALL_AUTHORISED = "install-authorised"
    INSTALL_HELD = "install-held"
    EXPIRING = "expiring"
    EXPIRED_UNSIGNED = "expired-unsigned"
    EXPIRED_UNINSTALLED = "expired-uninstalled"
    CONCLUDED = "concluded"
    AUTHORISED = "authorised"
    REACTIVATING = "reactivating"
    CONCLUDED_HELD = "concluded-held"
    WAITING = "waiting"
    WAITING_HELD = "waiting-held"
    REFUSED = "refused"
    REFUSED_HELD = "refused-held"
    SUSPENDING = "suspending"
    SUSPENDED = "suspended"
    SUSPENDED_REFUSED = "suspended-refused"
    LAPSING = "lapsing"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    OVER = "over"
    CANCELLED = "cancelled"
    CANCELLED_REFUSED = "cancelled-refused"
    CANCELLED_BY_HOLDER = "cancelled-by-holder"
    CANCELLED_REVOKED = "cancelled-revoked"


class Actor(StrEnum):
    """Who must act next."""

    HOLDER = "holder"
    CENTRE = "centre"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Half:
    """A certificate with the causes that suspend it."""

    certificate: Certificate
    causes: tuple[str, ...]
    is_over: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that the page says of a case. `until`: the last instant at which `who` can act in time."""

    case: RenewalCase
    situation: Situation
    who: Actor
    until: datetime | None
    lapses_at: datetime | None
    new_until: datetime | None
    old: tuple[Half, ...]
    new: tuple[Half, ...]
    needs_authorisation: bool
    may_urge: bool
    urge_again_at: datetime | None
    may_decline: bool
    reopened_as: str


def case_known_by(code: str, tax_code: str) -> RenewalCase | None:
    """The case of that code if it is that person's. One statement, whatever is wrong, so that time tells nothing."""
    return RenewalCase.objects.filter(code=code, holder__tax_code=tax_code).only("pk", "code", "holder_id").first()


def case_of_visit(code: str, holder_id: int) -> RenewalCase | None:
    """The case that a visit was opened for, with what its page shows; None where it is not that holder's."""
    return RenewalCase.objects.select_related(*_RELATED).filter(code=code, holder_id=holder_id).first()


def standing_of(case: RenewalCase, now: datetime) -> Standing:
    """Look at a case as it stands at `now`."""
    old, new = _halves(case, now)
    situation = situation_of(case, old, new, now)
    who, until = _who_acts(case, situation)
    reopened = case.reopened_as.values_list("code", flat=True).first() if case.state == CaseState.CANCELLED else None
    return Standing(
        case=case,
        situation=situation,
        who=who,
        until=until,
        lapses_at=case.due_at if case.due_kind == Due.REVOKE else None,
        new_until=min((half.certificate.not_after for half in new), default=None),
        old=old,
        new=new,
        needs_authorisation=_needs_authorisation(case),
        may_urge=policy.may_be_urged(case),
        urge_again_at=policy.urge_again_at(case, now),
        may_decline=case.is_open and situation != Situation.EXPIRING,
        reopened_as=reopened or "",
    )


def situation_of(case: RenewalCase, old: tuple[Half, ...], new: tuple[Half, ...], now: datetime) -> Situation:
    """The one situation that this case is in."""
    if case.state == CaseState.CANCELLED:
        return _CLOSED_BECAUSE.get(case.close_reason, _of_cancelled(case))
    if case.state == CaseState.EXPIRED:
        return _of_expired(case)
    if case.is_open:
        return _of_open(case, old, now)
    if new and all(half.certificate.status in _GONE for half in new):
        return Situation.REVOKED
    if case.waits_for_approval:
        return _of_waiting(case, new, now)
    return _of_concluded(case, new)


_CLOSED_BECAUSE = {
    "refused": Situation.CANCELLED_REFUSED,
    "holder-declines": Situation.CANCELLED_BY_HOLDER,
    "old-certificate-revoked": Situation.CANCELLED_REVOKED,
}


def _of_cancelled(case: RenewalCase) -> Situation:
    is_refused = case.authorisation == Authorisation.REFUSED
    return Situation.CANCELLED_REFUSED if is_refused else Situation.CANCELLED


def _of_expired(case: RenewalCase) -> Situation:
    if case.completed_at is not None:
        return Situation.LAPSED
    return Situation.EXPIRED_UNSIGNED if case.signed_at is None else Situation.EXPIRED_UNINSTALLED


def _of_open(case: RenewalCase, old: tuple[Half, ...], now: datetime) -> Situation:
    if register.is_expired(case.old_not_after, now):
        return Situation.EXPIRING
    is_held = any(half.certificate.status == CertificateStatus.HELD or half.causes for half in old)
    if case.state == CaseState.NOTIFIED:
        return Situation.RENEW_HELD if is_held else Situation.RENEW
    if is_held:
        return Situation.INSTALL_HELD
    return {
        Authorisation.PENDING: Situation.INSTALL_TO_AUTHORISE,
        Authorisation.APPROVED: Situation.INSTALL_AUTHORISED,
    }.get(Authorisation(case.authorisation), Situation.INSTALL)


def _of_waiting(case: RenewalCase, new: tuple[Half, ...], now: datetime) -> Situation:
    is_refused = case.authorisation == Authorisation.REFUSED
    if case.suspended_at is not None:
        if case.due_at is not None and case.due_at <= now:
            return Situation.LAPSING
        return Situation.SUSPENDED_REFUSED if is_refused else Situation.SUSPENDED
    if case.due_at is not None and case.due_at <= now:
        return Situation.SUSPENDING
    if _is_held(new):
        return Situation.REFUSED_HELD if is_refused else Situation.WAITING_HELD
    return Situation.REFUSED if is_refused else Situation.WAITING


def _of_concluded(case: RenewalCase, new: tuple[Half, ...]) -> Situation:
    if new and all(half.is_over or half.certificate.status in _GONE for half in new):
        return Situation.OVER
    if any(set(half.causes) - {HoldCause.MISSING_APPROVAL} for half in new):
        return Situation.CONCLUDED_HELD
    if _is_held(new):
        return Situation.REACTIVATING
    return Situation.AUTHORISED if case.authorisation == Authorisation.APPROVED else Situation.CONCLUDED


def _is_held(halves: tuple[Half, ...]) -> bool:
    return any(half.causes or half.certificate.status == CertificateStatus.HELD for half in halves)


def _halves(case: RenewalCase, now: datetime) -> tuple[tuple[Half, ...], tuple[Half, ...]]:
    pairs = [case.old_pair_id, case.new_pair_id]
    rows = list(Certificate.objects.filter(pair_id__in=[pair for pair in pairs if pair]).order_by("type"))
    causes: dict[int, list[str]] = {row.pk: [] for row in rows}
    for hold in Hold.objects.filter(certificate__in=rows, lifted_at__isnull=True, ended_at__isnull=True).order_by("pk"):
        causes[hold.certificate_id].append(hold.cause)
    halves = [(row, Half(row, tuple(causes[row.pk]), register.is_expired(row.not_after, now))) for row in rows]
    old = tuple(half for row, half in halves if row.pair_id == case.old_pair_id)
    return old, tuple(half for row, half in halves if row.pair_id != case.old_pair_id)


def _needs_authorisation(case: RenewalCase) -> bool:
    """As the case says from the signature on, as the agreement says before; an extension needs none."""
    if case.flow == Flow.EXTEND:
        return False
    return (case.approval_mode or case.agreement.approval) == ApprovalMode.AUTHORISATION


_OF_HOLDER = frozenset(
    {
        Situation.RENEW,
        Situation.RENEW_HELD,
        Situation.INSTALL,
        Situation.INSTALL_TO_AUTHORISE,
        Situation.INSTALL_AUTHORISED,
        Situation.INSTALL_HELD,
    }
)
_OF_CENTRE = frozenset(
    {
        Situation.WAITING,
        Situation.WAITING_HELD,
        Situation.REFUSED,
        Situation.REFUSED_HELD,
        Situation.SUSPENDED,
        Situation.SUSPENDED_REFUSED,
    }
)


def _who_acts(case: RenewalCase, situation: Situation) -> tuple[Actor, datetime | None]:
    """Who must act, and the last instant at which it is still in time (deadlines end with their second, inclusive)."""
    if situation in _OF_HOLDER:
        return Actor.HOLDER, case.old_not_after
    if situation in _OF_CENTRE:
        return Actor.CENTRE, case.due_at - timedelta(seconds=1) if case.due_at else None
    return Actor.NOBODY, None
