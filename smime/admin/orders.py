"""Pratiche: orders of S/MIME with everything about them, the last word, the rejection, and their certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cms.admin.counting import BOUND, bounded_counts
from cms.admin.desk import Desk, at
from cms.admin.entrance import confirmed_recently
from cms.admin.office import Question, ask_or_do
from cms.admin.paging import page_of
from cms.admin.site import PanelPage
from cms.admin.words import bounded
from cms.errors import DomainError
from cms.states import Flow
from smime.admin import dossier, queue
from smime.admin.check_forms import EvidenceForm, GroundForm, ReasonForm
from smime.admin.queue import Chip, orders_in_scope
from smime.admin.slots import SMIME
from smime.admin.words import order_badge
from smime.models import EvidenceFile, Order, SmimeCertificate
from smime.services import desk as office
from smime.services import desk_certificates, evidence
from smime.states import OrderState, RevocationGround, Validation

MOST_FOUND = 50
_STATES: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("Tutte"), Q()),
    "in-verifica": (gettext_lazy("In verifica"), Q(state=OrderState.CHECKING)),
    "da-approvare": (gettext_lazy("Da approvare"), Q(state=OrderState.CHECKING)),
    "in-emissione": (gettext_lazy("In emissione"), Q(state=OrderState.APPROVED)),
    "emesse": (gettext_lazy("Emesse"), Q(state=OrderState.ISSUED)),
    "chiuse": (
        gettext_lazy("Chiuse senza certificato"),
        Q(state__in=[OrderState.REJECTED, OrderState.CANCELLED, OrderState.LAPSED]),
    ),
    "bozze": (gettext_lazy("Da completare"), Q(state=OrderState.DRAFT)),
}


class OrdersPage(PanelPage):
    """S/MIME › Pratiche."""

    slug = "pratiche"
    title = gettext_lazy("Pratiche")
    icon = "files"
    group = SMIME
    url_name = "smime_orders"
    waiting_words = gettext_lazy("da approvare")

    def pages(self) -> Sequence[URLPattern]:
        """List, search, one order, its files, what is decided about it and its certificates."""
        approve, reject = confirmed_recently(self.approve), confirmed_recently(self.reject)
        revoke = confirmed_recently(self.revoke)
        return [
            path("", self.at_desk(require_safe(self.show_list)), name="smime_orders"),
            path("cerca/", self.at_desk(require_POST(self.search)), name="find_smime_order"),
            path("<str:code>/", self.at_desk(require_safe(self.show_order)), name="smime_order"),
            path("<str:code>/approva/", self.at_desk(approve), name="approve_smime_order"),
            path("<str:code>/respingi/", self.at_desk(reject), name="reject_smime_order"),
            path("<str:code>/allega/", self.at_desk(self.attach), name="attach_smime_evidence"),
            path(
                "<str:code>/file/<uuid:file>/<int:page>.png",
                self.at_desk(require_safe(self.show_page)),
                name="smime_page",
            ),
            path("<str:code>/file/<uuid:file>/", self.at_desk(require_safe(self.download)), name="smime_file"),
            path("<str:code>/certificati/<int:edition>/revoca/", self.at_desk(revoke), name="revoke_smime"),
            path("<str:code>/certificati/<int:edition>/sospendi/", self.at_desk(self.hold), name="hold_smime"),
            path("<str:code>/certificati/<int:edition>/riattiva/", self.at_desk(self.release), name="release_smime"),
        ]

    def is_open_to(self, desk: Desk) -> bool:
        """Where S/MIME is sold."""
        return desk.service.flow == Flow.SMIME

    def waiting(self, desk: Desk) -> QuerySet[Order] | None:
        """Orders that wait for the last word."""
        return queue.to_approve(desk) if self.is_open_to(desk) else None

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Show the orders of the scope, newest first."""
        desk = at(request)
        state, kind = request.GET.get("stato", ""), request.GET.get("tipo", "")
        state, kind = state if state in _STATES else "", kind if kind in Validation.values else ""
        found = _narrowed(desk, state).filter(Q(validation=kind) if kind else Q())
        page = page_of(found.select_related("buyer"), request.GET)
        context = {"page": page, "rows": _rows(page.rows), "is_narrow": bool(state or kind)}
        return self._list(request, desk, context, state, kind)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Lead to a code, or list what a mailbox or a customer has. By POST: they do not belong into an address."""
        desk = at(request)
        typed = " ".join(request.POST.get("cerca", "").replace("\0", "").split())[:120]
        by_code = orders_in_scope(desk).filter(code=typed.upper()).first()
        if by_code is not None:
            return redirect("admin:smime_order", by_code.code)
        named = Q(mailbox__iexact=typed) | Q(buyer__email__iexact=typed) | Q(surname__iexact=typed)
        named |= Q(buyer__full_name__icontains=typed) | Q(organisation_name__icontains=typed)
        found = orders_in_scope(desk).filter(named) if typed else Order.objects.none()
        rows = list(found.select_related("buyer").order_by("-pk")[:MOST_FOUND])
        return self._list(request, desk, {"rows": _rows(rows), "typed": typed, "is_narrow": True}, "", "")

    def show_order(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show one order."""
        desk = at(request)
        order = _chosen(desk, code)
        context = {**self.admin_site.each_context(request), **dossier.context_of(order, desk), "title": order.code}
        return render(request, "admin/smime/order_page.html", context)

    def approve(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks, POST sends the order to issuance."""
        desk = at(request)
        order = _chosen(desk, code)
        lines = [
            _("Il certificato viene emesso con i dati verificati; il destinatario riceve l'e-mail con la password."),
            _("Approva solo chi non ha deciso nessuna verifica di questa pratica."),
        ]
        question = _question(order, _("Approva l'emissione"), lines)

        def deed() -> Order:
            return office.approve_order(order.uid, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Emissione approvata."))

    def reject(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks why, POST refuses the order for good."""
        desk = at(request)
        order = _chosen(desk, code)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        lines = [
            _("La pratica si chiude per sempre e il destinatario legge il motivo per e-mail."),
            _("L'attivazione torna disponibile: il cliente può iniziare una nuova pratica."),
        ]
        question = _question(order, _("Respingi la pratica"), lines, form, is_risky=True)

        def deed() -> Order:
            reason = form.cleaned_data["reason"]
            return office.reject_order(order.uid, reason=reason, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Pratica respinta."))

    def attach(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET asks for a paper, POST keeps it."""
        desk = at(request)
        order = _chosen(desk, code)
        is_post = request.method == "POST"
        form = EvidenceForm(request.POST, request.FILES) if is_post else EvidenceForm()
        lines = [_("Il documento resta nella pratica come prova e si vede dopo il controllo antivirus.")]
        question = _question(order, _("Allega un documento"), lines, form)

        def deed() -> EvidenceFile:
            sent = form.cleaned_data["file"]
            who: dict[str, Any] = {"operator": desk.operator, "now": desk.now}
            return office.add_evidence(
                order.uid, name=sent.name, content=sent.read(), sent_as=sent.content_type or "", **who
            )

        return ask_or_do(request, self, question, deed, _("Documento allegato."))

    def show_page(self, request: HttpRequest, code: str, file: UUID, page: int) -> HttpResponse:
        """Show one page of a clean file, painted anew."""
        row = _file(_chosen(at(request), code), file)
        answer = HttpResponse(_or_nothing(lambda: evidence.preview(row, page)), content_type="image/png")
        answer["Cache-Control"] = "no-store"
        return answer

    def download(self, request: HttpRequest, code: str, file: UUID) -> HttpResponse:
        """Hand out a clean file as it came, never to be opened inside the panel."""
        row = _file(_chosen(at(request), code), file)
        content = _or_nothing(lambda: evidence.read_clean(row))
        ending = row.name.rpartition(".")[2] if "." in row.name else "bin"
        answer = HttpResponse(content, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="{code}-{row.pk}.{ending}"'
        answer["Cache-Control"] = "no-store"
        return answer

    def revoke(self, request: HttpRequest, code: str, edition: int) -> HttpResponse:
        """GET asks for the ground, POST has the certificate revoked."""
        desk = at(request)
        certificate = _certificate(desk, code, edition)
        form = GroundForm(dossier.grounds(), request.POST if request.method == "POST" else None)
        lines = [
            _("La revoca è definitiva; il motivo decide entro quando la CA deve eseguirla."),
            _("Destinatario e contatto tecnico ricevono un'e-mail con il motivo."),
        ]
        question = _question(certificate.order, _("Revoca il certificato"), lines, form, is_risky=True)

        def deed() -> Any:
            ground = RevocationGround(form.cleaned_data["ground"])
            return desk_certificates.revoke(certificate.pk, ground=ground, operator=desk.operator, now=desk.now)

        return ask_or_do(request, self, question, deed, _("Revoca richiesta alla CA."))

    def hold(self, request: HttpRequest, code: str, edition: int) -> HttpResponse:
        """GET asks, POST has the certificate suspended."""
        lines = [_("Il certificato non vale finché non viene riattivato.")]
        title, done = _("Sospendi il certificato"), _("Sospensione richiesta alla CA.")
        return self._change(
            request, _certificate(at(request), code, edition), title, lines, desk_certificates.hold, done
        )

    def release(self, request: HttpRequest, code: str, edition: int) -> HttpResponse:
        """GET asks, POST has the suspension lifted."""
        lines = [_("Il certificato torna valido.")]
        title, done = _("Riattiva il certificato"), _("Riattivazione richiesta alla CA.")
        certificate = _certificate(at(request), code, edition)
        return self._change(request, certificate, title, lines, desk_certificates.release, done)

    def _change(
        self,
        request: HttpRequest,
        certificate: SmimeCertificate,
        title: str,
        lines: list[str],
        change: Callable[..., Any],
        done: str,
    ) -> HttpResponse:
        desk = at(request)
        question = _question(certificate.order, title, lines)
        return ask_or_do(
            request, self, question, lambda: change(certificate.pk, operator=desk.operator, now=desk.now), done
        )

    def _list(self, request: HttpRequest, desk: Desk, context: dict[str, Any], state: str, kind: str) -> HttpResponse:
        sets = {slug: _narrowed(desk, slug) for slug in _STATES}
        sets |= {f"tipo-{each}": orders_in_scope(desk).filter(validation=each) for each in Validation.values}
        counts = bounded_counts(sets)
        states = [
            Chip(str(word), f"?stato={slug}" if slug else "?", bounded(counts[slug], BOUND), slug == state, not slug)
            for slug, (word, _condition) in _STATES.items()
        ]
        kinds = [
            Chip(
                _(each.label),
                "?" if each == kind else f"?tipo={each.value}",
                bounded(counts[f"tipo-{each.value}"], BOUND),
                each == kind,
            )
            for each in Validation
        ]
        frame = {**self.admin_site.each_context(request), "states": states, "kinds": kinds, "title": self.title}
        return render(request, "admin/smime/orders.html", {**frame, **context})


def _narrowed(desk: Desk, state: str) -> QuerySet[Order]:
    return queue.to_approve(desk) if state == "da-approvare" else orders_in_scope(desk).filter(_STATES[state][1])


def _rows(found: Sequence[Order]) -> list[tuple[Order, Any, Any]]:
    return [(order, order_badge(order), queue.lapses_at(order)) for order in found]


def _chosen(desk: Desk, code: str) -> Order:
    """An order in scope; 404 otherwise, as for one that is not there."""
    order = orders_in_scope(desk).filter(code=code).select_related("buyer", "centre", "service", "slot").first()
    if order is None:
        raise Http404
    return order


def _certificate(desk: Desk, code: str, edition: int) -> SmimeCertificate:
    row = _chosen(desk, code).certificates.filter(edition=edition).select_related("order").first()
    if row is None:
        raise Http404
    return row


def _file(order: Order, uid: UUID) -> EvidenceFile:
    row = EvidenceFile.objects.filter(order=order, uid=uid).first()
    if row is None:
        raise Http404
    return row


def _or_nothing(read: Callable[[], bytes]) -> bytes:
    """Nothing of a file that is erased, unreadable or not yet clean is shown to a person."""
    try:
        return read()
    except DomainError as refusal:
        raise Http404 from refusal


def _question(order: Order, title: str, lines: Sequence[str], form: Any = None, *, is_risky: bool = False) -> Question:
    facts = [
        (_("Pratica"), order.code),
        (_("Destinatario"), f"{order.given_name} {order.surname}"),
        (_("Casella e-mail"), order.mailbox),
        (_("Tipo"), _(Validation(order.validation).label)),
    ]
    return Question(title, title, reverse("admin:smime_order", args=[order.code]), facts, lines, is_risky, form)
