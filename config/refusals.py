"""Error pages: below the holders' pages and the customer area in their frame and words, everywhere else as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views import defaults
from django.views.csrf import csrf_failure

from renewals.pages import frame as holders
from smime.pages import frame as customers

Refusal = Callable[..., HttpResponse]
OWN_FRAMES: dict[str, Refusal] = {
    settings.HOLDER_PATH: holders.refusal,
    settings.CLIENT_PATH: holders.refusal,
    settings.CUSTOMER_PATH: customers.refusal,
}
_WAYS_ON: dict[Refusal, str] = {
    holders.refusal: gettext_noop(
        "Riprovi tra qualche minuto. Se deve sospendere i certificati con urgenza, si rivolga al Suo CDRL."
    ),
    customers.refusal: gettext_noop("Riprovi tra qualche minuto: i dati già salvati non si perdono."),
}


def _refusal_of(request: HttpRequest) -> Refusal | None:
    """How a page's errors are told in its own frame; None for the panel and all else."""
    return next((refusal for path, refusal in OWN_FRAMES.items() if request.path.startswith(path)), None)


def _is_customer_at_panel(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    is_customer = bool(user is not None and user.is_authenticated and not user.is_staff)
    return is_customer and request.path.startswith(reverse("admin:index"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page."""
    refusal = _refusal_of(request)
    if refusal is None:
        return defaults.page_not_found(request, exception)
    said = [_("L'indirizzo non esiste, o non è più valido. Se lo ha copiato da un'e-mail, controlli che sia intero.")]
    return refusal(request, _("Pagina non trovata"), said, status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: not for this visitor. A customer at the panel is led to his own area."""
    if _is_customer_at_panel(request):
        said = [_("Il pannello è riservato agli operatori. I Suoi certificati S/MIME sono nell'Area clienti.")]
        return customers.refusal(request, _("Pagina riservata agli operatori"), said, status=403)
    refusal = _refusal_of(request)
    if refusal is None:
        return defaults.permission_denied(request, exception)
    return refusal(request, _("Pagina non disponibile"), [_("Questa pagina non può essere mostrata.")], status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: not readable."""
    refusal = _refusal_of(request)
    if refusal is None:
        return defaults.bad_request(request, exception)
    said = [_("La richiesta non è leggibile e non è stata eseguita. Torni all'inizio e riprovi.")]
    return refusal(request, _("Richiesta non valida"), said, status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """500: a defect. The page must need nothing that may be broken: no visit is looked up for it."""
    refusal = _refusal_of(request)
    if refusal is None:
        return defaults.server_error(request)
    said = [
        gettext_noop("La richiesta non è stata eseguita per un nostro errore, che è stato registrato."),
        _WAYS_ON[refusal],
    ]
    title, words = _("Qualcosa non ha funzionato"), [_(sentence) for sentence in said]
    return refusal(request, title, words, status=500, code="internal-error", without_account=True)


def forged(request: HttpRequest, reason: str = "", **more: Any) -> HttpResponse:
    """403 of the CSRF check: a form that was not ours, too old, or sent by a browser without cookies."""
    refusal = _refusal_of(request)
    if refusal is None:
        return csrf_failure(request, reason=reason, **more)
    said = [
        _("Il modulo non è stato inviato: la pagina era aperta da troppo tempo, o il browser non accetta i cookie."),
        _("Torni all'inizio e riprovi; se accade di nuovo, consenta i cookie per questo sito."),
    ]
    return refusal(request, _("Il modulo non è più valido"), said, status=403, code="form-stale")
