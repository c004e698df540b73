"""Everything that the page of one case shows, read with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cms.admin.certificates import status_badge
from cms.admin.desk import Desk
from cms.admin.words import Badge, outcome_badge
from cms.errors import DomainError
from cms.events import VERBS
from cms.models import CaRequest, Certificate, Event, Hold, StockMovement, User
from cms.states import Channel, RequestState
from notifications import queries as outbox
from notifications.models import OutboxMessage
from renewals import queries, timeline
from renewals.admin import badges, clockwork, decision
from renewals.admin.letters import Step, badge_of, brings_code, obstacle, title_of, way_of
from renewals.admin.meanings import meaning
from renewals.models import Acceptance, RenewalCase, RenewalForm
from renewals.services import eligibility
from renewals.span import Span, span_of
from renewals.states import CaseState

LONGEST_TRAIL = 200
_RELATED = (
    "holder",
    "card__family",
    "centre",
    "service",
    "issuing_service",
    "campaign",
    "old_pair__service__successor",
    "reopens",
    "new_pair__service",
)


@dataclass(frozen=True, slots=True)
class Half:
    """One certificate of a pair card."""

    certificate: Certificate
    badge: Badge
    holds: list[Hold]
    pending: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail."""

    at: datetime
    what: str
    who: str
    channel: str
    outcome: Badge
    reason: str
    new_not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to the holder."""

    title: str
    message: OutboxMessage
    badge: Badge
    obstacle: str
    """Why it is not sent again; empty where it can be."""
    brings_code: bool
    way: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Dossier:
    """The page's content."""

    case: RenewalCase
    badges: Sequence[Badge]
    meaning: str
    choices: decision.Choices
    options: list[decision.Option]
    may_act: bool
    is_urged: bool
    reopened_as: RenewalCase | None
    next_automatic: str
    steps: list[timeline.Step]
    span: Span
    old: list[Half]
    new: list[Half]
    decided_by: str
    trail: list[Line]
    letters: list[Letter]
    form: RenewalForm | None
    acceptances: list[Acceptance]
    movements: list[StockMovement]


def cases_with_relations(desk: Desk) -> QuerySet[RenewalCase]:
    """Cases in scope, with all that the page says of person, card and agreement."""
    return queries.in_scope(desk.scope).select_related(*_RELATED)


def dossier_of(case: RenewalCase, desk: Desk) -> Dossier:
    """Read the rest of a case that was found in scope."""
    halves = list(Certificate.objects.filter(pair_id__in=[case.old_pair_id, case.new_pair_id]).order_by("type"))
    events = list(Event.objects.filter(case_code=case.code).order_by("-id")[:LONGEST_TRAIL])
    names = _names([case.decided_by, *(event.actor_id for event in events if event.actor_kind == "operator")])
    old, new = _pairs(case, halves, desk.now)
    reopened_as = case.reopened_as.first() if case.state == CaseState.CANCELLED else None
    choices = _choices(case, desk, reopened_as)
    form = RenewalForm.objects.filter(case=case, signed_pdf__isnull=False).only("case_id", "rendered_at").first()
    return Dossier(
        case=case,
        badges=badges.all_of(case),
        meaning=meaning(case),
        choices=choices,
        options=decision.options(case, choices, desk.now),
        may_act=desk.may_decide(case.centre_id),
        is_urged=case.urged_at is not None and badges.is_waiting(case),
        reopened_as=reopened_as,
        next_automatic=clockwork.sentence(case, desk.now),
        steps=timeline.steps(case, [half.certificate for half in new], desk.now),
        span=span_of(case, desk.now),
        old=old,
        new=new,
        decided_by=names.get(case.decided_by or 0, ""),
        trail=[_line(event, names, case) for event in events],
        letters=[_letter(message) for message in outbox.of_case(case.code)[:LONGEST_TRAIL]],
        form=form,
        acceptances=list(case.acceptances.order_by("pk")),
        movements=list(StockMovement.objects.filter(case_code=case.code).select_related("stock").order_by("pk")),
    )


def _choices(case: RenewalCase, desk: Desk, reopened_as: RenewalCase | None) -> decision.Choices:
    """Buttons, without *Riapri* where the case was reopened already or its certificates cannot be renewed any more."""
    choices = decision.choices(case, desk)
    if not choices.may_reopen:
        return choices
    if reopened_as is not None:
        return replace(choices, may_reopen=False)
    case.old_pair.card = case.card
    try:
        eligibility.require_reopenable(case, renewed=False, now=desk.now)
    except DomainError as refusal:
        return replace(
            choices, may_reopen=False, obstacle=_("Non può essere riaperta. %(why)s") % {"why": _(refusal.text)}
        )
    return choices


def _pairs(case: RenewalCase, halves: list[Certificate], now: datetime) -> tuple[list[Half], list[Half]]:
    ids = [half.pk for half in halves]
    holds = list(Hold.objects.filter(certificate_id__in=ids, lifted_at__isnull=True, ended_at__isnull=True))
    open_requests = CaRequest.objects.filter(
        case_code=case.code, state__in=[RequestState.PLANNED, RequestState.SENT], certificate_id__isnull=False
    )
    wishes = {wish.certificate_id: _(wish.get_kind_display()) for wish in open_requests.order_by("id")}
    replaced = case.state == CaseState.COMPLETED
    built = [
        Half(
            certificate=half,
            badge=status_badge(half, replaced=replaced and half.pair_id == case.old_pair_id, now=now),
            holds=[hold for hold in holds if hold.certificate_id == half.pk],
            pending=str(wishes.get(half.pk, "")),
        )
        for half in halves
    ]
    old = [half for half in built if half.certificate.pair_id == case.old_pair_id]
    return old, [half for half in built if half.certificate.pair_id == case.new_pair_id]


def _names(ids: Iterable[int | None]) -> dict[int, str]:
    wanted = {pk for pk in ids if pk}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=wanted)}


def _line(event: Event, names: dict[int, str], case: RenewalCase) -> Line:
    who = {"system": _("Sistema"), "holder": str(case.holder)}.get(event.actor_kind)
    return Line(
        at=event.at,
        what=_(VERBS.get(event.verb, event.verb)),
        who=who or names.get(event.actor_id or 0, _("Operatore")),
        channel=_(Channel(event.channel).label),
        outcome=outcome_badge(event.verb, event.outcome),
        reason=event.reason,
        new_not_after=event.new_not_after,
    )


def _letter(message: OutboxMessage) -> Letter:
    return Letter(
        title_of(message.kind), message, badge_of(message), obstacle(message), brings_code(message), way_of(message)
    )
