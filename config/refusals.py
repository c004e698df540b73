"""Error pages: below the holder's pages in their frame and words, everywhere else as they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.csrf import csrf_failure

from renewals.pages import frame


def _is_holders(request: HttpRequest) -> bool:
    return request.path.startswith((settings.HOLDER_PATH, settings.CLIENT_PATH))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page."""
    if not _is_holders(request):
        return defaults.page_not_found(request, exception)
    said = [_("L'indirizzo non esiste, o non è più valido. Se lo ha copiato da un'e-mail, controlli che sia intero.")]
    return frame.refusal(request, _("Pagina non trovata"), said, status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: not for this visitor."""
    if not _is_holders(request):
        return defaults.permission_denied(request, exception)
    return frame.refusal(
        request, _("Pagina non disponibile"), [_("Questa pagina non può essere mostrata.")], status=403
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: not readable."""
    if not _is_holders(request):
        return defaults.bad_request(request, exception)
    said = [_("La richiesta non è leggibile e non è stata eseguita. Torni all'inizio e riprovi.")]
    return frame.refusal(request, _("Richiesta non valida"), said, status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """500: a defect. The page must need nothing that may be broken: no visit is looked up for it."""
    if not _is_holders(request):
        return defaults.server_error(request)
    said = [
        _("La richiesta non è stata eseguita per un nostro errore, che è stato registrato."),
        _("Riprovi tra qualche minuto. Se deve sospendere i certificati con urgenza, si rivolga al Suo CDRL."),
    ]
    return frame.refusal(request, _("Qualcosa non ha funzionato"), said, status=500, code="internal-error")


def forged(request: HttpRequest, reason: str = "", **more: Any) -> HttpResponse:
    """403 of the CSRF check: a form that was not ours, too old, or sent by a browser without cookies."""
    if not _is_holders(request):
        return csrf_failure(request, reason=reason, **more)
    said = [
        _("Il modulo non è stato inviato: la pagina era aperta da troppo tempo, o il browser non accetta i cookie."),
        _("Torni all'inizio e riprovi; se accade di nuovo, consenta i cookie per questo sito."),
    ]
    return frame.refusal(request, _("Il modulo non è più valido"), said, status=403, code="form-stale")
