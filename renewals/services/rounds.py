"""One round of the clock: what it does to the rows that are due.

Decided here and nowhere else; `renewals.sweeps` locks the rows and writes what is decided, the rehearsal reads them
without locks and shows it (ADR 21). Rows come in as they stand and leave as they will stand; nothing is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from cms import policy as register
from cms.models import Agreement, Card, CaRequest, Certificate, Hold, Holder, Pair
from cms.services import certificates
from cms.services.certificates import Announcement
from cms.states import CertificateStatus, Flow, HoldCause, RequestKind, RevocationCause
from notifications.catalog import Message
from renewals import errors, policy, queries
from renewals.flows import Terms
from renewals.models import RenewalCase
from renewals.services import cases, notices
from renewals.states import OPEN_STATES, CaseState

_T = TypeVar("_T")
# Halves that the clock suspends or, on day 121, revokes.
WORKING = (CertificateStatus.ACTIVE, CertificateStatus.HELD)
SUSPENDED_FIELDS = ("suspended_at", *cases.PLAN_FIELDS)
LAPSED_FIELDS = ("state", "closed_at", "close_reason", *cases.PLAN_FIELDS)


class Sweep(TextChoices):
    """The sweeps, in the order of a round."""

    OPEN = "open", _("Apertura della pratica")
    EXPIRE = "expire", _("Scadenza della pratica")
    SUSPEND = "suspend", _("Sospensione per mancata autorizzazione")
    LAPSE = "lapse", _("Revoca per mancata autorizzazione")
    LAPSE_HOLD = "lapse-hold", _("Revoca dopo 120 giorni di sospensione")


@dataclass(frozen=True, slots=True)
class Wish:
    """A change that the CA is asked for."""

    kind: RequestKind
    certificate: Certificate
    cause: str


@dataclass(slots=True)
class Turn:
    """What a sweep does to one row that is due: `case` as it then stands, and all that follows from it.

    `mail` leaves at once or, for a change at the CA, when the CA has done it. `obstacle`: why nothing happens;
    `again_at`: when the sweep looks at the pair once more, its window having been narrowed since it was stored;
    `is_over`: the certificate has expired, so that its hold ends and nothing is asked.
    """

    sweep: Sweep
    due_at: datetime
    pk: int
    holder: Holder
    card: Card | None
    pair: Pair | None = None
    case: RenewalCase | None = None
    holds: list[Hold] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    debited: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    mail: Announcement | None = None
    obstacle: errors.NotRenewable | None = None
    again_at: datetime | None = None
    withdraws: bool = False
    is_over: bool = False
    hold: Hold | None = None


def openings(pairs: Sequence[Pair], *, now: datetime) -> list[Turn]:
    """Pairs whose window has opened: a new case each, or the reason why there is nothing to invite to."""
    ids = [pair.pk for pair in pairs]
    halves = _by_pair(Certificate.objects.filter(pair_id__in=ids).order_by("type"))
    known: dict[int, list[RenewalCase]] = defaultdict(list)
    for case in RenewalCase.objects.filter(old_pair_id__in=ids).order_by("-id"):
        known[case.old_pair_id].append(case)
    agreements, done = _agreements(pairs), _renewals_of_limited(pairs)
    turns = []
    for pair in pairs:
        turn = Turn(Sweep.OPEN, _known(pair.window_opens_at), pair.pk, pair.holder, pair.card, pair)
        past = _Past(known[pair.pk], done.get(pair.card_id or 0, 0))
        agreement = agreements.get((pair.centre_id, pair.service.issuing.pk))
        try:
            turn.case = _opened(pair, halves[pair.pk], past, agreement, now)
        except errors.NotRenewable as obstacle:
            turn.obstacle = obstacle
            if isinstance(obstacle, errors.WindowNotOpen):
                turn.again_at = policy.window_opens_at(pair, halves[pair.pk])
        if turn.case is not None:
            turn.mail = notices.announcement(turn.case, Message.RENEWAL_NOTICE, **notices.window_open())
        turns.append(turn)
    return turns


@dataclass(frozen=True, slots=True)
class _Past:
    """Cases of a pair, newest first, and how many renewals of its card count against the family's limit."""

    cases: list[RenewalCase]
    done: int


def _opened(
    pair: Pair, halves: list[Certificate], past: _Past, agreement: Agreement | None, now: datetime
) -> RenewalCase | None:
    """Build the new case; None where a client was earlier, or alone may come; raise what stands against it."""
    if pair.service.flow == Flow.EXTEND:
        return None
    known = past.cases
    renewed = any(case.completed_at is not None for case in known)
    policy.require_present(pair, halves, renewed=renewed, now=now)
    policy.require_in_terms(pair, halves, Terms(pair.service.issuing), done=past.done, now=now)
    if any(case.state in OPEN_STATES for case in known):
        return None
    if known and known[0].state == CaseState.CANCELLED:
        raise errors.PairClosed
    if agreement is None:
        raise errors.AgreementMissing
    case = cases.built(pair, halves, agreement, at=now)
    case.holder, case.centre, case.service = pair.holder, pair.centre, pair.service
    case.issuing_service = agreement.service
    if pair.card is not None:
        case.card = pair.card
    return case


def expiries(rows: Sequence[RenewalCase], *, now: datetime) -> list[Turn]:
    """Open cases whose old certificate has expired: ended, and what was reserved goes back unless it is used."""
    pairs = [case.new_pair_id for case in rows if case.new_pair_id and case.state == CaseState.AWAITING_INSTALLATION]
    issues = CaRequest.objects.filter(pair_id__in=pairs, kind=RequestKind.ISSUE, state__in=certificates.POSSIBLY_ISSUED)
    used: dict[int, set[str]] = defaultdict(set)
    for pair_id, type_ in issues.values_list("pair_id", "type"):
        used[pair_id].add(type_)
    alive = _by_pair(Certificate.objects.filter(pair_id__in=pairs).exclude(status=CertificateStatus.REVOKED))
    asked = _revoked_already(alive.values())
    turns = []
    for case in rows:
        turn = _turn(Sweep.EXPIRE, case)
        if case.state == CaseState.AWAITING_INSTALLATION:
            types, mine = frozenset(case.types), used[case.new_pair_id or 0]
            turn.debited, turn.released = types & mine, types - mine
            turn.wishes = _revocations(alive[case.new_pair_id or 0], RevocationCause.NOT_INSTALLED, asked)
        case.expire(at=now)
        cases.plan(case)
        turn.mail = notices.announcement(case, Message.CASE_EXPIRED)
        turns.append(turn)
    return turns


def suspend(case: RenewalCase, now: datetime) -> None:
    """What a suspension makes of the case's own row (`SUSPENDED_FIELDS`): the 120 days start now."""
    case.suspended_at = now
    cases.plan(case)


def lapse(case: RenewalCase, now: datetime) -> None:
    """What day 121 makes of the case's own row (`LAPSED_FIELDS`)."""
    case.lapse(at=now)
    cases.plan(case)


def suspensions(rows: Sequence[RenewalCase], halves: Sequence[Certificate], *, now: datetime) -> list[Turn]:
    """Completed cases that nobody approved in time: the new halves are held, and the 120 days start now."""
    standing = Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True, ended_at__isnull=True)
    held = set(standing.values_list("certificate_id", flat=True))
    by_pair = _by_pair(halves)
    turns = []
    for case in rows:
        turn = _turn(Sweep.SUSPEND, case)
        suspend(case, now)
        cause = HoldCause.MISSING_APPROVAL
        for half in by_pair[case.new_pair_id or 0]:
            turn.holds.append(Hold(certificate=half, cause=cause, placed_at=now, lapses_at=_lapse_of(case)))
            if half.pk not in held:
                turn.wishes.append(Wish(RequestKind.HOLD, half, cause))
        if turn.holds:
            # Told too where another cause holds it already: this one ends in revocation, and the code does not lift it.
            turn.mail = notices.suspension(case, at=now)
        turns.append(turn)
    return turns


def lapses(rows: Sequence[RenewalCase], halves: Sequence[Certificate], *, now: datetime) -> list[Turn]:
    """Suspended cases on day 121: ended, and what still works is revoked for good."""
    by_pair = _by_pair(halves)
    asked = _revoked_already(by_pair.values())
    turns = []
    for case in rows:
        turn = _turn(Sweep.LAPSE, case)
        lapse(case, now)
        turn.wishes = _revocations(by_pair[case.new_pair_id or 0], RevocationCause.APPROVAL_LAPSED, asked)
        if turn.wishes:
            turn.mail = notices.revocation(case, at=now)
        turns.append(turn)
    return turns


def lapsed_holds(holds: Sequence[Hold], *, now: datetime) -> list[Turn]:
    """Holds of another cause after 120 days: the certificate is revoked for good, unless it has expired meanwhile."""
    asked = _revoked_already([[hold.certificate for hold in holds]])
    turns = []
    for hold in holds:
        half = hold.certificate
        pair = half.pair
        turn = Turn(Sweep.LAPSE_HOLD, hold.lapses_at, hold.pk, pair.holder, pair.card, pair, hold=hold)
        turn.is_over = register.is_expired(half.not_after, now)
        if half.status != CertificateStatus.REVOKED and not turn.is_over:
            turn.wishes = _revocations([half], RevocationCause.HOLD_LAPSED, asked)
            asked.add(half.pk)
        turns.append(turn)
    tell_lapses(turns)
    return turns


def tell_lapses(turns: Iterable[Turn]) -> None:
    """One mail for the halves of a pair whose holds lapse on one day; none for what is revoked already."""
    together: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        turn.mail = None
        if turn.hold is not None and turn.wishes:
            together[notices.day_of(turn.hold)].append(turn)
    for group in together.values():
        wished = [wish.certificate for turn in group for wish in turn.wishes]
        revoked = sorted(wished, key=lambda half: half.type)
        for turn in group:
            turn.mail = notices.lapse_of_holds(_known(turn.hold), revoked)


def _turn(sweep: Sweep, case: RenewalCase) -> Turn:
    """Start the turn of a case, before it moves."""
    return Turn(sweep, _known(case.due_at), case.pk, case.holder, case.card, case=case)


def _revocations(halves: Iterable[Certificate], cause: RevocationCause, asked: Collection[int]) -> list[Wish]:
    return [Wish(RequestKind.REVOKE, half, cause) for half in halves if half.pk not in asked]


def _revoked_already(groups: Iterable[Iterable[Certificate]]) -> set[int]:
    return certificates.revocations_standing([half.pk for group in groups for half in group])


def _by_pair(halves: Iterable[Certificate]) -> defaultdict[int, list[Certificate]]:
    found: defaultdict[int, list[Certificate]] = defaultdict(list)
    for half in halves:
        found[half.pair_id].append(half)
    return found


def _agreements(pairs: Sequence[Pair]) -> dict[tuple[int, int], Agreement]:
    """Agreements of the issuing services (rules.md R14)."""
    found = Agreement.objects.filter(
        centre_id__in={pair.centre_id for pair in pairs}, service_id__in={pair.service.issuing.pk for pair in pairs}
    )
    return {(agreement.centre_id, agreement.service_id): agreement for agreement in found.select_related("service")}


def _renewals_of_limited(pairs: Sequence[Pair]) -> dict[int, int]:
    """Completed renewals of the cards whose family limits them."""
    cards = [pair.card for pair in pairs if pair.card is not None]
    limited = [card.pk for card in cards if card.family.max_renewals is not None]
    return queries.renewals_of(limited) if limited else {}


def _lapse_of(case: RenewalCase) -> datetime:
    """The hold of a suspended case lapses when the case does."""
    return _known(case.due_at)


def _known(value: _T | None) -> _T:
    if value is None:
        message = "rows that are due have their instant, and what made them due"
        raise TypeError(message)
    return value
