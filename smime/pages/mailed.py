"""Pages behind mailed links, for people without an account: GET shows, POST with the button's own value acts.

Programs that open links of mails see pages and change nothing. Whoever's program presses the very button is taken for
the person: nothing that a page can ask tells the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cms.errors import DomainError, LinkExpired, LinkUnknown, LinkUsed
from runtime import clock
from smime import consent_text, errors, terms
from smime.errors.identification import ConsentMistyped
from smime.errors.links import ConfirmationMissing
from smime.models import MailedLink
from smime.pages import frame, qr
from smime.pages.mailed_forms import ConsentForm, TermsForm
from smime.services import consent, identification, links, mailbox, signature
from smime.services.acceptance import must_recipient_accept
from smime.services.consent import Answer
from smime.states import CheckKind, ConsentDecision, LinkPurpose

ACT, YES, WITHDRAW = "azione", "conferma", "ritira"
"""Name and values of the buttons: what a form that was sent without a click does not carry."""
_RESENDS: Mapping[str, Callable[..., None]] = {
    links.PAGES[LinkPurpose.MAILBOX]: mailbox.resend_by_link,
    links.PAGES[LinkPurpose.CONSENT]: consent.resend_by_link,
    links.PAGES[LinkPurpose.IDENTIFICATION]: identification.resend_by_link,
    links.PAGES[LinkPurpose.ALTERNATIVE]: signature.resend_by_link,
}
_TITLES: Mapping[type[DomainError], str] = {
    LinkUnknown: gettext_noop("Il collegamento non è valido"),
    LinkUsed: gettext_noop("Il collegamento è già stato usato"),
    LinkExpired: gettext_noop("Il collegamento è scaduto"),
}
_ENDS = ("riuscito", "fallito", "interrotto")

View = Callable[..., HttpResponseBase]


def of_link(purpose: LinkPurpose) -> Callable[[View], View]:
    """Give the view its `token` and `now`, and say a refusal in words that lead on."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, token: str) -> HttpResponseBase:
            try:
                return view(request, token=token, now=clock.now())
            except DomainError as refusal:
                return _refused(request, purpose, token, refusal)

        return require_http_methods(["GET", "HEAD", "POST"])(frame.counted(guarded))

    return around


@of_link(LinkPurpose.MAILBOX)
def confirm_mailbox(request: HttpRequest, *, token: str, now: datetime) -> HttpResponse:
    """GET asks whether the mailbox is to be confirmed, and shows a subscriber the terms; POST confirms and accepts."""
    link = links.open_link(token, LinkPurpose.MAILBOX, now=now)
    asks = must_recipient_accept(link.order)
    if request.method != "POST":
        return _mailbox_page(request, link, TermsForm(asks=asks), now=now)
    require_click(request, YES)
    form = TermsForm(request.POST, asks=asks)
    accepted = form.terms_accepted if form.is_valid() else None
    try:
        order = mailbox.confirm(token, accepted=accepted, address=frame.address_of(request), now=now)
    except (errors.TermsNotAccepted, errors.TermsOutdated) as refusal:
        form.refuse(refusal)
        return _mailbox_page(request, link, form, now=now)
    asks_consent = order.checks.filter(kind=CheckKind.CONSENT).exists()
    return show_page(request, "mailbox_confirmed.html", order=order, asks_consent=asks_consent)


@of_link(LinkPurpose.CONSENT)
def give_consent(request: HttpRequest, *, token: str, now: datetime) -> HttpResponse:
    """GET shows what is asked, or what was answered; POST answers, or takes the consent back."""
    link = links.open_link(token, LinkPurpose.CONSENT, now=now)
    standing = consent.standing_of(link.order)
    if request.method != "POST":
        return _consent_page(request, link, ConsentForm(link.order, _language()), now=now)
    if standing and request.POST.get(ACT) != WITHDRAW:  # pressed twice
        return _consent_page(request, link, ConsentForm(link.order, _language()), now=now)
    if standing:
        order = consent.withdraw(token, address=frame.address_of(request), language=_language(), now=now)
        return show_page(request, "consent_answered.html", order=order, standing=ConsentDecision.WITHDRAWN.value)
    form = ConsentForm(link.order, _language(), request.POST)
    if not form.is_valid():
        return _consent_page(request, link, form, now=now)
    try:
        order = consent.answer(token, _answer(request, form), now=now)
    except (ConsentMistyped, errors.TermsNotAccepted, errors.TermsOutdated) as refusal:
        form.refuse(refusal)
        return _consent_page(request, link, form, now=now)
    return show_page(request, "consent_answered.html", order=order, standing=consent.standing_of(order), link=link)


@of_link(LinkPurpose.IDENTIFICATION)
def start_identification(request: HttpRequest, *, token: str, now: datetime) -> HttpResponse:
    """GET says what will be needed; POST begins the thirty minutes and leads to the provider."""
    if request.method != "POST":
        link = links.open_link(token, LinkPurpose.IDENTIFICATION, now=now)
        picture = qr.data_address(links.address_of(LinkPurpose.IDENTIFICATION, token))
        return show_page(request, "identification.html", order=link.order, link=link, qr=picture, now=now)
    require_click(request, YES)
    address = identification.start(token, address=frame.address_of(request), now=now)
    response = show_page(request, "identification_leaving.html", address=address)
    # Not a redirect: `form-action 'self'` forbids a form to end at another origin, whatever lies between.
    response["Refresh"] = f"0; url={address}"
    return response


@require_GET
def identification_ended(request: HttpRequest, end: str) -> HttpResponse:
    """Where the provider sends people afterwards: what they see there decides nothing."""
    if end not in _ENDS:
        raise Http404
    return show_page(request, "identification_ended.html", end=end)


@require_POST
@frame.counted
def send_again(request: HttpRequest, kind: str, token: str) -> HttpResponse:
    """Send another link to the same mailbox: whoever holds an old one reads it."""
    resend = _RESENDS.get(kind)
    if resend is None:
        raise Http404
    try:
        require_click(request, YES)
        resend(token, now=clock.now())
    except DomainError as refusal:
        return _say(request, _("L'email non è stata inviata"), refusal)
    return show_page(request, "link_sent.html")


def _mailbox_page(request: HttpRequest, link: MailedLink, form: TermsForm, *, now: datetime) -> HttpResponse:
    context = {"order": link.order, "link": link, "form": form, "now": now, "terms": terms.in_force()}
    return show_page(request, "mailbox.html", status=422 if form.is_bound else 200, **context)


def _answer(request: HttpRequest, form: ConsentForm) -> Answer:
    return Answer(
        decision=form.decision,
        typed=form.cleaned_data["full_name"],
        shown=form.shown,
        language=_language(),
        terms=form.terms_accepted,
        address=frame.address_of(request),
    )


def _consent_page(request: HttpRequest, link: MailedLink, form: ConsentForm, *, now: datetime) -> HttpResponse:
    standing = consent.standing_of(link.order)
    if standing:
        return show_page(request, "consent_answered.html", order=link.order, standing=standing, link=link)
    context = {"order": link.order, "link": link, "form": form, "now": now, "terms": terms.in_force()}
    status = 422 if form.is_bound else 200
    return show_page(request, "consent.html", status=status, text=consent_text.in_force(_language()), **context)


def require_click(request: HttpRequest, value: str) -> None:
    """Raise `ConfirmationMissing` for a form that came without its button."""
    if request.POST.get(ACT) != value:
        raise ConfirmationMissing


@sensitive_variables("token")
def _refused(request: HttpRequest, purpose: LinkPurpose, token: str, refusal: DomainError) -> HttpResponse:
    """Say why; where another mail would help, offer it, without telling strangers whether a link ever existed."""
    kind = links.PAGES[purpose]
    again = ""
    if isinstance(refusal, LinkExpired) and kind in _RESENDS:
        again = reverse("smime:link_again", kwargs={"kind": kind, "token": token})
    back = request.path if isinstance(refusal, ConfirmationMissing) else ""
    return _say(request, _(_TITLES.get(type(refusal), "Il collegamento non si può usare")), refusal, again, back)


def _say(request: HttpRequest, title: str, refusal: DomainError, again: str = "", back: str = "") -> HttpResponse:
    context = {"title": title, "sentence": _(refusal.text), "code": refusal.reason_code, "again": again, "back": back}
    return show_page(request, "link_refused.html", status=frame.status_of(refusal), **context)


def show_page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render `templates/smime/mailed/<template>` in the frame without an account."""
    return frame.show(request, f"mailed/{template}", status=status, without_account=True, **context)


def _language() -> str:
    return (get_language() or "it")[:2]
