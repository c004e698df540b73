"""Certificati: search, list, pages of a holder and of a pair; suspend, reactivate, revoke; proposals of revocation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin import certificate_actions as actions
from cms.admin import holders, pair_list, subjects
from cms.admin.certificate_actions import REACTIVATE, SUSPEND, Question
from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.holders import PairView, status_badge
from cms.admin.proposals import RevocationPages, name_of, proposals_in, tell_refusal, view_of
from cms.admin.search import find_holders
from cms.admin.site import SERVICES
from cms.admin.user_codes import UserCodePages
from cms.admin.words import Badge
from cms.errors import DomainError
from cms.models import Certificate, Holder, Pair, RevocationProposal, User
from cms.services import holds, revocations
from cms.services.halves import Choice
from cms.services.standing import Standing, our_issuers, standing_of
from pki.gateway import StatusKind

__all__ = ["CertificateAdmin", "status_badge"]

MOST_PAIRS = 60
_KINDS = {
    StatusKind.GOOD: ("ok", "check-circle", gettext_lazy("Attivo")),
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


class CertificateAdmin(UserCodePages, RevocationPages):
    """Gestione Servizi › Certificati."""

    slug = "certificati"
    title = gettext_lazy("Certificati")
    icon = "key"
    group = SERVICES
    url_name = "certificates"

    def pages(self) -> Sequence[URLPattern]:
        """List and search, holder, pair with its three actions, proposals of revocation."""
        revoke = confirmed_recently(self.revoke)
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="certificates"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_certificates"),
            path("titolare/<int:pk>/", self.at_desk(require_safe(self.show_holder)), name="holder"),
            path("coppia/<uuid:uid>/", self.at_desk(require_safe(self.show_pair)), name="pair"),
            path("coppia/<uuid:uid>/sospendi/", self.at_desk(self.suspend), name="suspend_pair"),
            path("coppia/<uuid:uid>/riattiva/", self.at_desk(self.reactivate), name="reactivate_pair"),
            path("coppia/<uuid:uid>/revoca/", self.at_desk(revoke), name="revoke_pair"),
            *self.proposal_pages(),
            *self.code_pages(),
        ]

    # What cases add: who knows them overrides these (`renewals.admin.certificates`).

    def case_codes(self, desk: Desk, pairs: list[Pair]) -> dict[int, str]:
        """Cases from which these pairs came and which this desk can open, by pair."""
        del desk, pairs
        return {}

    def carry_out(self, choice: Choice, *, cause: str, note: str, operator: User, now: Any) -> list[Certificate]:
        """Revoke."""
        return revocations.revoke_certificates(choice, cause=cause, note=note, operator=operator, now=now)

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
            "user_code": self.code_of(desk, holder),
            "title": str(holder),
        }
        return self.page(request, "holder", context)

    def show_pair(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """Show a pair, and how register, CA, CRL and OCSP see it."""
        desk = at(request)
        ours = our_issuers()
        view = view_of(desk, uid, ours)
        seen = [standing_of(half.certificate, at=desk.now, ours=ours) for half in view.halves]
        context = {
            "view": view,
            "standings": [_seen(standing) for standing in seen],
            "drifts": any(standing.drifts and not standing.is_changing for standing in seen),
            "proposed_by": name_of(view.proposal),
            "code": self.case_codes(desk, [view.pair]).get(view.pair.pk, ""),
            "title": str(view.pair.holder),
        }
        return self.page(request, "certificate_pair", context)

    def suspend(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST suspends."""
        return self._act(request, uid, SUSPEND, holds.suspend_certificates)

    def reactivate(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST reactivates."""
        return self._act(request, uid, REACTIVATE, holds.reactivate_certificates)

    def revoke(self, request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
        """GET asks, POST revokes, or proposes it where the agreement wants two persons."""
        agreement = view_of(at(request), uid).pair.agreement
        question = actions.revocation_of(agreement)
        return self._act(request, uid, question, _propose if agreement.four_eyes_revocation else self.carry_out)

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
            "has_proposals": proposals_in(desk).exists(),
            "title": self.title,
        }
        return self.page(request, "certificates", context)

    def _act(
        self, request: HttpRequest, uid: uuid.UUID, question: Question, use_case: Callable[..., Any]
    ) -> HttpResponse:
        desk = at(request)
        view = view_of(desk, uid, our_issuers())
        form = question.form(request.POST if request.method == "POST" else None)
        choice = actions.choice_of(view, request.POST, self.case_codes(desk, [view.pair]).get(view.pair.pk, ""))
        if request.method != "POST" or view.obstacle or not form.is_valid() or not choice.certificate_ids:
            return self._question(request, view, question, form)
        try:
            done = use_case(choice, **form.cleaned_data, operator=desk.operator, now=desk.now)
        except (DomainError, OperationalError) as refusal:
            tell_refusal(request, refusal)
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
        return self.page(request, "certificate_act", context, status=422 if form.is_bound else 200)


def _propose(choice: Choice, **named: Any) -> list[RevocationProposal]:
    return [revocations.propose_revocation(choice, **named)]


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


def _told(request: HttpRequest, question: Question, *, news: bool) -> None:
    if news:
        messages.success(request, question.done)
    else:
        messages.info(request, question.already)
