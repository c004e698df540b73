"""What the pages of a case share: finding it in scope, saying what was done and what was refused."""

from __future__ import annotations

import structlog
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from cms.admin import words
from cms.admin.desk import Desk, at
from cms.errors import DomainError
from renewals import queries
from renewals.admin.dossier import cases_with_relations
from renewals.codes import parse_code
from renewals.models import RenewalCase

log = structlog.get_logger(__name__)


def case_in_scope(desk: Desk, code: str) -> RenewalCase:
    """The case, if the operator's centres and chosen service hold it; 404 otherwise, as for one that is not there."""
    parsed = parse_code(code)
    case = cases_with_relations(desk).filter(code=parsed).first() if parsed == code else None
    if case is None:
        raise Http404
    return case


def refused(request: HttpRequest, case: RenewalCase, refusal: Exception) -> HttpResponse:
    """Say what was not done, why, and the code in small; back to the case."""
    if isinstance(refusal, DomainError):
        text, code = _(refusal.text), refusal.reason_code
    else:
        log.warning("panel.database-busy", error=type(refusal).__name__)
        text, code = _("Il sistema è occupato con questa pratica: riprovi tra qualche secondo."), "service-unavailable"
    said = _("Operazione non eseguita. %(why)s") % {"why": text}
    messages.error(request, format_html("{} <span class='code'>{}</span>", said, code))
    return redirect("admin:case", case.code)


def decided(request: HttpRequest, case: RenewalCase, done: str, before: str, *, news: bool) -> None:
    """Say what was decided for whom, whether the holder hears of it, and which case waits next."""
    onward = _next_one(at(request))
    told(
        request,
        format_html("{} {} {}", done, _mail_to(case), onward),
        format_html("{} {}", before, onward),
        news=news,
    )


def _mail_to(case: RenewalCase) -> str:
    if not case.holder.email:
        return _("%(holder)s non ha un indirizzo e-mail: nessun avviso.") % {"holder": case.holder}
    return _("%(holder)s riceve un'e-mail.") % {"holder": case.holder}


def _next_one(desk: Desk) -> str:
    """The link to the case that would be suspended first among those that this operator may decide."""
    mine = [centre for centre in desk.scope.centre_ids if desk.may_decide(centre)]
    waiting = queries.waiting_for_decision(desk.scope).filter(centre_id__in=mine).select_related("holder")
    if desk.operator.tax_code:
        waiting = waiting.exclude(holder__tax_code=desk.operator.tax_code)
    case = waiting.first()
    if case is None:
        return _("Nessun'altra pratica da autorizzare.")
    return format_html(
        '<a class="onward" href="{}">{}: {}, {}</a>',
        reverse("admin:case", args=[case.code]),
        _("Prossima da autorizzare"),
        case.holder,
        words.day(case.old_not_after),
    )


def told(request: HttpRequest, done: str, before: str, *, news: bool) -> None:
    """Say what was done, or that it had been done before."""
    if news:
        messages.success(request, done)
    else:
        messages.info(request, before)
