"""Revocations under four eyes: those that wait for a second person, confirmed, refused or taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.contrib import messages
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms import policy
from cms.admin import certificate_actions as actions
from cms.admin import holders, pair_list
from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.holders import PairView
from cms.admin.site import PanelAdmin
from cms.errors import DomainError
from cms.models import Certificate, Pair, RevocationProposal, User
from cms.services import revocations
from cms.states import ProposalState, RevocationCause

log = structlog.get_logger(__name__)
MOST_PROPOSALS = 100


class RevocationPages(PanelAdmin):
    """The pages of proposals, and the counter that calls the second person."""

    waiting_words = gettext_lazy("revoche da confermare")

    def proposal_pages(self) -> Sequence[URLPattern]:
        """List of proposals and their three ends."""
        confirm = confirmed_recently(self.confirm)
        return [
            path("revoche/", self.at_desk(require_safe(self.show_proposals)), name="revocations"),
            path("revoche/<uuid:uid>/conferma/", self.at_desk(confirm), name="confirm_revocation"),
            path("revoche/<uuid:uid>/respingi/", self.at_desk(require_POST(self.refuse)), name="refuse_revocation"),
            path("revoche/<uuid:uid>/ritira/", self.at_desk(require_POST(self.withdraw)), name="withdraw_revocation"),
        ]

    def waiting(self, desk: Desk) -> QuerySet[Any] | None:
        """Revocations that wait for this person's word: other people's, in centres where he decides."""
        mine = [centre for centre, role in desk.roles.items() if role in policy.DECIDING_ROLES]
        return proposals_in(desk).filter(centre_id__in=mine).exclude(proposed_by=desk.operator.pk)

    # What cases add: who knows them overrides these (`renewals.admin.certificates`).

    def also_ends(self, pair: Pair) -> list[str]:
        """What else a revocation of this pair ends, in sentences."""
        del pair
        return []

    def carry_out_proposal(self, uid: uuid.UUID, *, operator: User, now: datetime) -> RevocationProposal:
        """Confirm another person's proposal."""
        return revocations.confirm_revocation(uid, operator=operator, now=now)

    def show_proposals(self, request: HttpRequest) -> HttpResponse:
        """Show the revocations that wait for a second person."""
        desk = at(request)
        waiting = list(proposals_in(desk).select_related("pair__holder", "pair__card").order_by("pk")[:MOST_PROPOSALS])
        halves = Certificate.objects.in_bulk([pk for proposal in waiting for pk in proposal.certificate_ids])
        names = User.objects.in_bulk([proposal.proposed_by for proposal in waiting])
        rows = [
            {
                "proposal": proposal,
                "types": _types_of([halves[pk] for pk in proposal.certificate_ids if pk in halves]),
                "cause": _(RevocationCause(proposal.cause).label),
                "who": names.get(proposal.proposed_by, ""),
                "is_mine": proposal.proposed_by == desk.operator.pk,
                "may_decide": desk.may_decide(proposal.centre_id),
            }
            for proposal in waiting
        ]
        return self.page(request, "revocations", {"rows": rows, "title": _("Revoche da confermare")})

    def confirm(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks the second person, POST revokes."""
        desk = at(request)
        proposal = _proposal(desk, uid)
        view = view_of(desk, proposal.pair.public_id)
        if request.method == "POST":
            done = _("Revoca confermata e richiesta alla CA: ha effetto tra pochi secondi ed è definitiva.")
            return self._decide(request, proposal, self.carry_out_proposal, done)
        try:
            policy.require_waiting(proposal)
            policy.require_second_person(proposal, desk.operator)
        except DomainError as refusal:
            tell_refusal(request, refusal)
            return redirect("admin:pair", proposal.pair.public_id)
        chosen = [half.certificate for half in view.halves if half.certificate.pk in proposal.certificate_ids]
        facts = [
            (_("Titolare"), view.pair.holder),
            (_("Carta"), view.pair.card or _(view.pair.get_medium_display())),
            (_("Certificati"), _types_of(chosen)),
            (_("Causa"), _(RevocationCause(proposal.cause).label)),
            (_("Nota"), proposal.note or "–"),
            (_("Proposta da"), name_of(proposal)),
        ]
        context = {
            "facts": facts,
            "consequence": actions.consequence(view, actions.REVOKE, desk, self.also_ends(view.pair)),
            "is_risky": True,
            "action": _("Conferma la revoca definitiva"),
            "back": reverse("admin:revocations"),
            "title": _("Conferma la revoca"),
        }
        return self.page(request, "certificate_confirm", context)

    def refuse(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Refuse another person's proposal."""
        proposal = _proposal(at(request), uid)
        return self._decide(request, proposal, revocations.refuse_revocation, _("Proposta di revoca respinta."))

    def withdraw(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Take one's own proposal back."""
        proposal = _proposal(at(request), uid)
        return self._decide(request, proposal, revocations.withdraw_revocation, _("Proposta di revoca ritirata."))

    def _decide(
        self, request: HttpRequest, proposal: RevocationProposal, use_case: Callable[..., Any], done: str
    ) -> HttpResponse:
        desk = at(request)
        try:
            use_case(proposal.uid, operator=desk.operator, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            tell_refusal(request, refusal)
        else:
            messages.success(request, done)
        return redirect("admin:pair", proposal.pair.public_id)

    def page(self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Answer with a page of this section."""
        context = {**self.admin_site.each_context(request), **context}
        return render(request, f"admin/cms/{name}.html", context, status=status)


def view_of(desk: Desk, uid: uuid.UUID, ours: frozenset[str] = frozenset()) -> PairView:
    """The pair, if it lies in the operator's scope; 404 otherwise, as for one that does not exist."""
    pair = pair_list.in_scope(desk).filter(public_id=uid).first()
    if pair is None:
        raise Http404
    return holders.pairs_of(desk, [pair], ours)[0]


def proposals_in(desk: Desk) -> QuerySet[RevocationProposal]:
    """Proposals of the scope that wait."""
    waiting = RevocationProposal.objects.filter(state=ProposalState.WAITING)
    return waiting.filter(centre_id__in=desk.scope.centre_ids, service_id__in=desk.scope.service_ids)


def _proposal(desk: Desk, uid: uuid.UUID) -> RevocationProposal:
    """A proposal of the scope, also one that has been decided meanwhile: its use case says so."""
    scope = desk.scope
    found = RevocationProposal.objects.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)
    proposal = found.select_related("pair").filter(uid=uid).first()
    if proposal is None:
        raise Http404
    return proposal


def name_of(proposal: RevocationProposal | None) -> str:
    """Who has proposed."""
    person = User.objects.filter(pk=proposal.proposed_by).first() if proposal else None
    return str(person or "")


def tell_refusal(request: HttpRequest, refusal: Exception) -> None:
    """Say what was not done, why, and the code in small."""
    if isinstance(refusal, DomainError):
        text, code = _(refusal.text), refusal.reason_code
    else:
        log.warning("panel.database-busy", error=type(refusal).__name__)
        text, code = (
            _("Il sistema è occupato con questi certificati: riprovi tra qualche secondo."),
            "service-unavailable",
        )
    said = _("Operazione non eseguita. %(why)s") % {"why": text}
    messages.error(request, format_html("{} <span class='code'>{}</span>", said, code))


def _types_of(halves: Sequence[Certificate]) -> str:
    """Name the types of some certificates in a line, in the reader's language."""
    return ", ".join(_(half.get_type_display()) for half in halves)
