"""Certificati: search, list, pages of a holder and of a pair; suspend, reactivate, revoke; proposals of revocation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
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

from cms.admin import certificate_actions as actions
from cms.admin import holders, pair_list, subjects
from cms.admin.certificate_actions import REACTIVATE, SUSPEND, Question
from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.holders import PairView, status_badge
from cms.admin.search import find_holders
from cms.admin.site import SERVICES, PanelAdmin
from cms.admin.words import Badge
from cms.errors import DomainError
from cms.models import Certificate, Holder, Pair, RevocationProposal, User
from cms.policy import DECIDING_ROLES
from cms.services import holds, revocations
from cms.services.halves import Choice, types_of
from cms.services.standing import Standing, our_issuers, standing_of
from cms.states import ProposalState, RevocationCause
from pki.gateway import StatusKind

__all__ = ["CertificateAdmin", "status_badge"]

log = structlog.get_logger(__name__)
MOST_PAIRS = 60
MOST_PROPOSALS = 100
_KINDS = {
    StatusKind.GOOD: ("ok", "check-circle", gettext_lazy("Valido")),
    StatusKind.HELD: ("danger", "lock", gettext_lazy("Sospeso")),
    StatusKind.REVOKED: ("danger", "ban", gettext_lazy("Revocato")),
    StatusKind.UNKNOWN: ("neutral", "info-circle", gettext_lazy("Sconosciuto")),
}
_SOURCES = {
    "register": gettext_lazy("Registro"),
    "ca": gettext_lazy("CA"),
    "crl": gettext_lazy("CRL"),
    "ocsp": gettext_lazy("OCSP"),
}


class CertificateAdmin(PanelAdmin):
    """Gestione Servizi › Certificati."""

    slug = "certificati"
    title = gettext_lazy("Certificati")
    icon = "key"
    group = SERVICES
    url_name = "certificates"
    waiting_words = gettext_lazy("revoche da confermare")

    def pages(self) -> Sequence[URLPattern]:
        """List and search, holder, pair with its three actions, proposals of revocation."""
        revoke = confirmed_recently(self.revoke)
        confirm = confirmed_recently(self.confirm)
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="certificates"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_certificates"),
            path("titolare/<int:pk>/", self.at_desk(require_safe(self.show_holder)), name="holder"),
            path("coppia/<uuid:uid>/", self.at_desk(require_safe(self.show_pair)), name="pair"),
            path("coppia/<uuid:uid>/sospendi/", self.at_desk(self.suspend), name="suspend_pair"),
            path("coppia/<uuid:uid>/riattiva/", self.at_desk(self.reactivate), name="reactivate_pair"),
            path("coppia/<uuid:uid>/revoca/", self.at_desk(revoke), name="revoke_pair"),
            path("revoche/", self.at_desk(require_safe(self.show_proposals)), name="revocations"),
            path("revoche/<uuid:uid>/conferma/", self.at_desk(confirm), name="confirm_revocation"),
            path("revoche/<uuid:uid>/respingi/", self.at_desk(require_POST(self.refuse)), name="refuse_revocation"),
            path("revoche/<uuid:uid>/ritira/", self.at_desk(require_POST(self.withdraw)), name="withdraw_revocation"),
        ]

    def waiting(self, desk: Desk) -> QuerySet[Any] | None:
        """Revocations that wait for this person's word: other people's, in centres where he decides."""
        mine = [centre for centre, role in desk.roles.items() if role in DECIDING_ROLES]
        return _proposals(desk).filter(centre_id__in=mine).exclude(proposed_by=desk.operator.pk)

    # What cases add: who knows them overrides these (`renewals.admin.certificates`).

    def case_codes(self, desk: Desk, pairs: list[Pair]) -> dict[int, str]:
        """Cases from which these pairs came and which this desk can open, by pair."""
        del desk, pairs
        return {}

    def also_ends(self, pair: Pair) -> list[str]:
        """What else a revocation of this pair ends, in sentences."""
        del pair
        return []

    def carry_out(self, choice: Choice, *, cause: str, note: str, operator: User, now: Any) -> list[Certificate]:
        """Revoke."""
        return revocations.revoke_certificates(choice, cause=cause, note=note, operator=operator, now=now)

    def carry_out_proposal(self, uid: uuid.UUID, *, operator: User, now: Any) -> RevocationProposal:
        """Confirm another person's proposal."""
        return revocations.confirm_revocation(uid, operator=operator, now=now)

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show pairs of the scope."""
        return self._list(request)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Lead to the one holder that was found, or narrow the list to several."""
        typed = subjects.typed(request)
        found = find_holders(typed, at(request).scope)
        if len(found) == 1:
            return redirect("admin:holder", found[0])
        if found:
            return redirect(f"{reverse('admin:certificates')}{subjects.address_of({'titolare': found})}")
        return self._list(request, missed=typed)

    def show_holder(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a person with all cards and certificates of the scope."""
        desk = at(request)
        pairs = list(pair_list.in_scope(desk).filter(holder_id=pk).order_by("-pk")[:MOST_PAIRS])
        holder = Holder.objects.filter(pk=pk).first() if pairs else None
        if holder is None:
            raise Http404
        views = holders.pairs_of(desk, pairs, our_issuers())
        context = {
            "holder": holder,
            "cards": holders.cards_of(views),
            "codes": self.case_codes(desk, pairs),
            "title": str(holder),
        }
        return self._page(request, "holder", context)

    def show_pair(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Show a pair, and how register, CA, CRL and OCSP see it."""
        desk = at(request)
        ours = our_issuers()
        view = _view(desk, uid, ours)
        seen = [standing_of(half.certificate, at=desk.now, ours=ours) for half in view.halves]
        context = {
            "view": view,
            "standings": [_seen(standing) for standing in seen],
            "drifts": any(standing.drifts and not standing.is_changing for standing in seen),
            "proposed_by": _name_of(view.proposal),
            "code": self.case_codes(desk, [view.pair]).get(view.pair.pk, ""),
            "title": str(view.pair.holder),
        }
        return self._page(request, "certificate_pair", context)

    def suspend(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST suspends."""
        return self._act(request, uid, SUSPEND, holds.suspend_certificates)

    def reactivate(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST reactivates."""
        return self._act(request, uid, REACTIVATE, holds.reactivate_certificates)

    def revoke(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST revokes, or proposes it where the agreement wants two persons."""
        agreement = _view(at(request), uid).pair.agreement
        question = actions.revocation_of(agreement)
        return self._act(request, uid, question, _propose if agreement.four_eyes_revocation else self.carry_out)

    def show_proposals(self, request: HttpRequest) -> HttpResponse:
        """Show the revocations that wait for a second person."""
        desk = at(request)
        waiting = list(_proposals(desk).select_related("pair__holder", "pair__card").order_by("pk")[:MOST_PROPOSALS])
        halves = Certificate.objects.in_bulk([pk for proposal in waiting for pk in proposal.certificate_ids])
        names = User.objects.in_bulk([proposal.proposed_by for proposal in waiting])
        rows = [
            {
                "proposal": proposal,
                "types": types_of([halves[pk] for pk in proposal.certificate_ids if pk in halves]),
                "cause": RevocationCause(proposal.cause).label,
                "who": names.get(proposal.proposed_by, ""),
                "is_mine": proposal.proposed_by == desk.operator.pk,
                "may_decide": desk.may_decide(proposal.centre_id),
            }
            for proposal in waiting
        ]
        return self._page(request, "revocations", {"rows": rows, "title": _("Revoche da confermare")})

    def confirm(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks the second person, POST revokes."""
        desk = at(request)
        proposal = _proposal(desk, uid)
        view = _view(desk, proposal.pair.public_id)
        if request.method == "POST":
            done = _("Revoca confermata e richiesta alla CA: ha effetto tra pochi secondi ed è definitiva.")
            return self._decide(request, proposal, self.carry_out_proposal, done)
        chosen = [half.certificate for half in view.halves if half.certificate.pk in proposal.certificate_ids]
        facts = [
            (_("Titolare"), view.pair.holder),
            (_("Carta"), view.pair.card or view.pair.get_medium_display()),
            (_("Certificati"), types_of(chosen)),
            (_("Causa"), RevocationCause(proposal.cause).label),
            (_("Nota"), proposal.note or "–"),
            (_("Proposta da"), _name_of(proposal)),
        ]
        context = {
            "facts": facts,
            "consequence": actions.consequence(view, actions.REVOKE, desk, self.also_ends(view.pair)),
            "is_risky": True,
            "action": _("Conferma la revoca definitiva"),
            "back": reverse("admin:revocations"),
            "title": _("Conferma la revoca"),
        }
        return self._page(request, "certificate_confirm", context)

    def refuse(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Refuse another person's proposal."""
        proposal = _proposal(at(request), uid)
        return self._decide(request, proposal, revocations.refuse_revocation, _("Proposta di revoca respinta."))

    def withdraw(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Take one's own proposal back."""
        proposal = _proposal(at(request), uid)
        return self._decide(request, proposal, revocations.withdraw_revocation, _("Proposta di revoca ritirata."))

    def _list(self, request: HttpRequest, missed: str = "") -> HttpResponse:
        desk = at(request)
        filters = pair_list.Filters.read(desk, request.GET)
        page = pair_list.page_of(desk, filters, request.GET)
        context = {
            "page": page,
            "views": holders.pairs_of(desk, page.rows),
            "filters": filters,
            "chosen": filters.chips(request.GET),
            "kept": [(name, value) for name in ("carta", "titolare") for value in request.GET.getlist(name)],
            "statuses": [(slug, word) for slug, (word, _condition) in pair_list.STATUSES.items()],
            "types": [(slug, word) for slug, (word, _condition) in pair_list.TYPES.items()],
            "expiries": [(slug, word) for slug, (word, _days) in pair_list.EXPIRIES.items()],
            "missed": missed,
            "has_proposals": _proposals(desk).exists(),
            "title": self.title,
        }
        return self._page(request, "certificates", context)

    def _act(
        self, request: HttpRequest, uid: uuid.UUID, question: Question, use_case: Callable[..., Any]
    ) -> HttpResponse:
        desk = at(request)
        view = _view(desk, uid, our_issuers())
        form = question.form(request.POST if request.method == "POST" else None)
        choice = actions.choice_of(view, request.POST, self.case_codes(desk, [view.pair]).get(view.pair.pk, ""))
        if request.method != "POST" or view.obstacle or not form.is_valid() or not choice.certificate_ids:
            return self._question(request, view, question, form)
        try:
            done = use_case(choice, **form.cleaned_data, operator=desk.operator, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            _refused(request, refusal)
        else:
            _told(request, question, news=bool(done))
        return redirect("admin:pair", uid)

    def _question(self, request: HttpRequest, view: PairView, question: Question, form: Any) -> HttpResponse:
        desk = at(request)
        eligible = actions.ticked(view, question, request.POST if form.is_bound else None)
        if not eligible or (question.action == "revoke" and view.proposal):
            messages.warning(request, view.obstacle or _why_closed(view))
            return redirect("admin:pair", view.pair.public_id)
        more = self.also_ends(view.pair) if question.action == "revoke" else []
        context = {
            "view": view,
            "question": question,
            "ticked": eligible,
            "none_chosen": form.is_bound and not any(chosen for _half, chosen in eligible),
            "consequence": actions.consequence(view, question, desk, more),
            "form": form,
            "title": question.title,
        }
        return self._page(request, "certificate_act", context, status=422 if form.is_bound else 200)

    def _decide(
        self, request: HttpRequest, proposal: RevocationProposal, use_case: Callable[..., Any], done: str
    ) -> HttpResponse:
        desk = at(request)
        try:
            use_case(proposal.uid, operator=desk.operator, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            _refused(request, refusal)
        else:
            messages.success(request, done)
        return redirect("admin:pair", proposal.pair.public_id)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        context = {**self.admin_site.each_context(request), **context}
        return render(request, f"admin/cms/{name}.html", context, status=status)


def _view(desk: Desk, uid: uuid.UUID, ours: frozenset[str] = frozenset()) -> PairView:
    """The pair, if it lies in the operator's scope; 404 otherwise, as for one that does not exist."""
    pair = pair_list.in_scope(desk).filter(public_id=uid).first()
    if pair is None:
        raise Http404
    return holders.pairs_of(desk, [pair], ours)[0]


def _proposals(desk: Desk) -> QuerySet[RevocationProposal]:
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


def _propose(choice: Choice, **named: Any) -> list[RevocationProposal]:
    return [revocations.propose_revocation(choice, **named)]


def _name_of(proposal: RevocationProposal | None) -> str:
    person = User.objects.filter(pk=proposal.proposed_by).first() if proposal else None
    return str(person or "")


def _seen(standing: Standing) -> dict[str, Any]:
    sights = [
        {
            "source": str(_SOURCES[sight.source]),
            "badge": _sight_badge(sight.kind),
            "since": sight.since,
            "is_crl": sight.source == "crl",
            "drifts": sight.drifts,
        }
        for sight in standing.sights
    ]
    return {"standing": standing, "sights": sights}


def _sight_badge(kind: StatusKind | None) -> Badge:
    if kind is None:
        return Badge("neutral", "minus-circle", _("Nessuna risposta"))
    role, icon, word = _KINDS[kind]
    return Badge(role, icon, str(word))


def _why_closed(view: PairView) -> str:
    if view.proposal:
        return _("Per questi certificati una proposta di revoca è già in attesa di conferma.")
    return " ".join([_("Su questi certificati l'operazione non è possibile nello stato attuale."), *view.notes])


def _refused(request: HttpRequest, refusal: Exception) -> None:
    """Say what was not done, why, and the code in small."""
    if isinstance(refusal, DomainError):
        text, code = refusal.text, refusal.reason_code
    else:
        log.warning("panel.database-busy", error=type(refusal).__name__)
        text, code = (
            _("Il sistema è occupato con questi certificati: riprovi tra qualche secondo."),
            "service-unavailable",
        )
    said = _("Operazione non eseguita. %(why)s") % {"why": text}
    messages.error(request, format_html("{} <span class='code'>{}</span>", said, code))


def _told(request: HttpRequest, question: Question, *, news: bool) -> None:
    if news:
        messages.success(request, question.done)
    else:
        messages.info(request, question.already)
