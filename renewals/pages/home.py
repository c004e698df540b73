"""The entrance: what can be done here, the language, and the way out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from django.views.i18n import set_language

from cms.services import visits
from renewals.pages import download, frame
from runtime import clock


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Offer what a holder can do alone."""
    return frame.show(request, "home.html", choices=_choices(), visit=frame.visit_in(request, clock.now()))


def _choices() -> list[dict[str, str]]:
    return [
        {
            "icon": "clock",
            "address": reverse("holder:case"),
            "title": _("Segua il rinnovo"),
            "text": _(
                "Veda a che punto è la Sua pratica, che cosa manca ed entro quando. Serve il codice della pratica."
            ),
        },
        {
            "icon": "card",
            "address": reverse("holder:enter"),
            "title": _("Gestisca i certificati"),
            "text": _("Li sospenda, li riattivi o li revochi, a qualsiasi ora. Serve il codice utente."),
        },
        {
            "icon": "key",
            "address": reverse("holder:ask_link"),
            "title": _("Codice smarrito o bloccato"),
            "text": _(
                "Sospenda subito i certificati, riapra l'accesso o chieda un nuovo codice con un collegamento "
                "all'e-mail registrata."
            ),
        },
        download.choice(),
    ]


# Without a CSRF token, so that reading a page leaves no cookie: whoever forges this changes a language, no more.
language = csrf_exempt(set_language)


def leave(request: HttpRequest) -> HttpResponse:
    """End the visit, in the register and in the browser; looking at this address alone ends nothing."""
    if request.method != "POST":
        return frame.show(request, "left.html", left=False)
    if token := frame.token_of(request):
        visits.end_visit(token, clock.now())
    return frame.farewell(frame.show(request, "left.html", left=True))
