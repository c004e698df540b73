"""A holder's certificates, and the three things that he can do with them. GET asks, POST acts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from cms import policy
from cms.errors import DomainError, NotFound
from cms.models import HolderVisit
from cms.services import codes, holder_letters
from cms.states import HALVES, CertificateType, LinkPurpose, VisitKind
from cms.templatetags.public import long_day
from renewals.pages import frame, holding
from renewals.pages.forms import ChooseForm, RevokeForm
from renewals.pages.holding import PairCard
from renewals.services import self_service
from renewals.services.self_service import Wanted

_ENTRANCE = "holder:enter"


@dataclass(frozen=True, slots=True)
class Question:
    """The confirmation page of one action."""

    action: str
    title: Any
    button: Any
    use_case: Callable[..., Any]
    form: type[ChooseForm] = ChooseForm
    is_risky: bool = False


SUSPEND = Question(
    "suspend",
    gettext_lazy("Sospenda i certificati"),
    gettext_lazy("Sospendi i certificati scelti"),
    self_service.suspend_certificates,
)
REACTIVATE = Question(
    "reactivate",
    gettext_lazy("Riattivi i certificati"),
    gettext_lazy("Riattiva i certificati scelti"),
    self_service.reactivate_certificates,
)
REVOKE = Question(
    "revoke",
    gettext_lazy("Revochi i certificati per sempre"),
    gettext_lazy("Revoca per sempre i certificati scelti"),
    self_service.revoke_certificates,
    RevokeForm,
    is_risky=True,
)


@require_GET
@frame.visited(VisitKind.USER_CODE, VisitKind.LINK, entrance=_ENTRANCE)
def show(request: HttpRequest, visit: HolderVisit, now: datetime) -> HttpResponse:
    """List the holder's certificates, those of use first."""
    cards = holding.cards_of(visit, now)
    return frame.show(
        request,
        "certificates.html",
        visit=visit,
        now=now,
        current=[card for card in cards if not card.is_over],
        past=[card for card in cards if card.is_over],
        deed=holding.last_deed(visit, cards),
        centre=holder_letters.centre_of(visit.holder_id),
        is_link=visit.kind == VisitKind.LINK,
        may_reopen=visit.purpose == LinkPurpose.REOPEN and codes.is_closed(visit.holder),
        may_reissue=visit.purpose == LinkPurpose.REISSUE,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
@frame.visited(VisitKind.USER_CODE, VisitKind.LINK, entrance=_ENTRANCE)
def suspend(request: HttpRequest, visit: HolderVisit, now: datetime, uid: uuid.UUID) -> HttpResponseBase:
    """GET asks, POST suspends."""
    return _act(request, visit, now, uid, SUSPEND)


@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
@frame.visited(VisitKind.USER_CODE, VisitKind.LINK, entrance=_ENTRANCE)
def reactivate(request: HttpRequest, visit: HolderVisit, now: datetime, uid: uuid.UUID) -> HttpResponseBase:
    """GET asks, POST reactivates."""
    return _act(request, visit, now, uid, REACTIVATE)


@require_http_methods(["GET", "HEAD", "POST"])
@frame.counted
@frame.visited(VisitKind.USER_CODE, VisitKind.LINK, entrance=_ENTRANCE)
def revoke(request: HttpRequest, visit: HolderVisit, now: datetime, uid: uuid.UUID) -> HttpResponseBase:
    """GET asks, POST revokes."""
    return _act(request, visit, now, uid, REVOKE)


def _act(
    request: HttpRequest, visit: HolderVisit, now: datetime, uid: uuid.UUID, question: Question
) -> HttpResponseBase:
    card = next(iter(holding.cards_of(visit, now, uid)), None)
    if card is None:
        raise Http404
    offered = [CertificateType(half.certificate.type) for half in card.eligible(question.action)]
    if request.method != "POST":
        return _asked(request, visit, now, card, question, question.form(offered=offered))
    form = question.form(request.POST, offered=HALVES)
    if not form.is_valid():
        return _asked(request, visit, now, card, question, question.form(request.POST, offered=offered))
    wanted = Wanted(uid, frozenset(form.cleaned_data["certificates"]))
    named = {"cause": form.cleaned_data["cause"]} if "cause" in form.cleaned_data else {}
    try:
        question.use_case(wanted, visit=visit, now=now, **named)
    except NotFound as gone:
        raise Http404 from gone
    except DomainError as refusal:
        back = reverse("holder:certificates")
        return frame.refused(request, refusal, back=back, visit=visit, centre=card.pair.centre)
    except OperationalError:
        return _busy(request, visit)
    return frame.kept_nowhere(redirect("holder:certificates"))


def _asked(
    request: HttpRequest, visit: HolderVisit, now: datetime, card: PairCard, question: Question, form: ChooseForm
) -> HttpResponse:
    """Show the confirmation page; where nothing can be asked any more, say why."""
    eligible = card.eligible(question.action)
    if not eligible:
        return _nothing_to_ask(request, visit, card)
    return frame.show(
        request,
        "act.html",
        status=422 if form.is_bound else 200,
        visit=visit,
        card=card,
        halves=eligible,
        question=question,
        form=form,
        consequence=_consequence(question, card, now),
        untold=not visit.holder.email,
    )


def _nothing_to_ask(request: HttpRequest, visit: HolderVisit, card: PairCard) -> HttpResponse:
    said = [_("Su questi certificati l'operazione non è possibile nello stato attuale."), *card.notes]
    if visit.kind == VisitKind.LINK:
        said.append(_("Con il collegamento ricevuto per e-mail i certificati si possono solo sospendere."))
    title, back = _("Non c'è nulla da fare qui"), reverse("holder:certificates")
    word = _("Torni ai Suoi certificati")
    return frame.refusal(
        request, title, said, status=409, code="state-conflict", back=back, back_word=word, visit=visit
    )


def _busy(request: HttpRequest, visit: HolderVisit) -> HttpResponse:
    said = [
        _("In questo momento qualcun altro sta lavorando su questi certificati."),
        _("Riprovi tra qualche secondo."),
    ]
    title, back = _("L'operazione non è stata eseguita"), reverse("holder:certificates")
    word = _("Torni ai Suoi certificati")
    return frame.refusal(request, title, said, status=503, code="busy", back=back, back_word=word, visit=visit)


def _consequence(question: Question, card: PairCard, now: datetime) -> list[str]:
    if question is SUSPEND:
        return _of_suspension(card, now)
    if question is REACTIVATE:
        return _of_reactivation(card)
    return [
        _("La revoca è definitiva: i certificati scelti non potranno mai più essere riattivati, da nessuno."),
        _("Le firme di cui si può provare che sono state fatte prima restano valide."),
        _("Per avere di nuovo certificati validi dovrà acquistarne di nuovi presso il Suo CDRL."),
        _("Se pensa di ritrovare la carta, basta sospenderli: smettono di valere subito, e poi si riattivano."),
    ]


def _of_suspension(card: PairCard, now: datetime) -> list[str]:
    held = any(half.holds for half in card.eligible("suspend"))
    also = _("Sono già sospesi per un'altra causa: con la Sua restano sospesi anche quando l'altra viene rimossa.")
    return [
        *([also] if held else []),
        _("Da subito i certificati scelti non valgono: con la carta non si può firmare né accedere ai servizi."),
        *_end_of_suspension(card, now),
    ]


def _end_of_suspension(card: PairCard, now: datetime) -> list[str]:
    """What comes if nobody reactivates: the revocation on day 121, or before it the certificates' own end."""
    lapse = policy.hold_lapses_at(now, settings.CMS.hold_days)
    ends = [half.certificate.not_after for half in card.eligible("suspend")]
    if max(ends) < lapse:
        return [
            _("Può riattivarli Lei, con il codice utente, finché non scadono: %(day)s.") % {"day": long_day(min(ends))}
        ]
    return [
        _("Può riattivarli Lei, con il codice utente, per %(days)d giorni.") % {"days": settings.CMS.hold_days},
        _("Se non li riattiva, %(day)s (il %(last)dº giorno) saranno revocati per sempre.")
        % {"day": long_day(lapse), "last": settings.CMS.hold_days + 1},
    ]


def _of_reactivation(card: PairCard) -> list[str]:
    others = any(hold.cause != "holder" for half in card.eligible("reactivate") for _who, hold in half.holds)
    if others:
        return [_("La Sua sospensione viene tolta, ma i certificati restano sospesi per l'altra causa."), *card.notes]
    return [_("I certificati scelti tornano a valere da subito, e la revoca prevista non avverrà.")]
