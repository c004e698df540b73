"""What waits for a person beside cases: what the CA refused, mails that came back, revocations under four eyes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from cms.admin.desk import Desk
from cms.models import CaRequest, Hold, RevocationProposal
from cms.states import HoldCause, ProposalState, RequestState
from notifications import queries as outbox
from notifications.models import OutboxMessage
from renewals import queries
from renewals.admin.figures import MOST
from renewals.admin.letters import title_of
from renewals.admin.shelf import Shelf

RECENT = timedelta(days=30)
TOO_MANY_ATTEMPTS = 5
_OPEN = (RequestState.PLANNED, RequestState.SENT)


@dataclass(frozen=True, slots=True)
class Errand:
    """One line: what, why, since when, where to go. `role` colours it."""

    role: str
    icon: str
    what: str
    note: str
    code: str
    since: datetime | None
    address: str


def errands_of(desk: Desk, shelves: list[Shelf]) -> list[Errand]:
    """Errands of the scope, the gravest first; three statements, each bounded."""
    return [
        *(_of_shelf(shelf) for shelf in shelves if shelf.is_low),
        *(_of_request(request) for request in failed_requests(desk).order_by("-settled_at", "-pk")[:MOST]),
        *(_of_request(request) for request in stuck_requests(desk).order_by("pk")[:MOST]),
        *(_of_proposal(proposal) for proposal in proposals(desk).select_related("pair__holder").order_by("pk")[:MOST]),
        *(_of_message(message) for message in failed_messages(desk)[:MOST]),
    ]


def failed_requests(desk: Desk) -> QuerySet[CaRequest]:
    """Wishes that the CA refused in the last weeks."""
    return _requests(desk).filter(state=RequestState.REFUSED, settled_at__gte=desk.now - RECENT)


def stuck_requests(desk: Desk) -> QuerySet[CaRequest]:
    """Wishes that were tried again and again."""
    return _requests(desk).filter(state__in=_OPEN, attempts__gte=TOO_MANY_ATTEMPTS, next_attempt_at__isnull=False)


def proposals(desk: Desk) -> QuerySet[RevocationProposal]:
    """Revocations that wait for a second person."""
    return RevocationProposal.objects.filter(
        centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids, state=ProposalState.WAITING
    )


def failed_messages(desk: Desk) -> QuerySet[OutboxMessage]:
    """Mails of cases in scope that the mail server refused for good in the last weeks, newest first."""
    ours = queries.in_scope(desk.scope).filter(code=OuterRef("case_code"))
    return outbox.failed().filter(Q(created_at__gte=desk.now - RECENT), ~Q(case_code=""), Exists(ours))


def lapsing_holds(desk: Desk, until: datetime) -> QuerySet[Hold]:
    """Suspensions of another cause than the missing approval whose 120 days end."""
    standing = Hold.objects.filter(lapses_at__lte=until, lifted_at__isnull=True, ended_at__isnull=True)
    return standing.exclude(cause=HoldCause.MISSING_APPROVAL).filter(
        certificate__pair__centre_id__in=desk.scope.centre_ids,
        certificate__pair__service_id__in=desk.scope.service_ids,
    )


def _requests(desk: Desk) -> QuerySet[CaRequest]:
    return CaRequest.objects.filter(
        centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids
    ).select_related("pair__holder")


def _of_shelf(shelf: Shelf) -> Errand:
    if shelf.pairs == 0:
        what = _("Coppie esaurite: nessun rinnovo può essere firmato")
    else:
        what = _("Coppie in esaurimento: ne restano %(pairs)d") % {"pairs": shelf.pairs}
    said = _("%(centre)s · %(service)s · soglia %(threshold)d")
    note = said % {"centre": shelf.centre, "service": shelf.service, "threshold": shelf.threshold}
    return Errand("danger" if not shelf.pairs else "wait", "chart-line", what, note, "", None, reverse("admin:stocks"))


def _of_request(request: CaRequest) -> Errand:
    if request.state == RequestState.REFUSED:
        what = _("%(kind)s rifiutata dalla CA") % {"kind": _(request.get_kind_display())}
    else:
        what = _("%(kind)s non riuscita dopo %(tries)d tentativi") % {
            "kind": _(request.get_kind_display()),
            "tries": request.attempts,
        }
    note = " · ".join(part for part in (str(request.pair.holder), request.case_code) if part)
    since = request.settled_at or request.asked_at
    return Errand("danger", "error", what, note, request.last_error, since, _page_of(request.case_code))


def _of_proposal(proposal: RevocationProposal) -> Errand:
    note = f"{proposal.pair.holder} · {_(proposal.get_cause_display())}"
    what = _("Revoca da confermare da una seconda persona")
    return Errand("wait", "ban", what, note, "", proposal.proposed_at, reverse("admin:revocations"))


def _of_message(message: OutboxMessage) -> Errand:
    what = _("E-mail non recapitata: %(title)s") % {"title": title_of(message.kind)}
    page = _page_of(message.case_code)
    return Errand("wait", "mail", what, message.case_code, message.last_error, message.created_at, page)


def _page_of(case_code: str) -> str:
    return reverse("admin:case", args=[case_code]) if case_code else reverse("admin:events")
