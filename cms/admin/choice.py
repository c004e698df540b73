"""Choosing the service: the page after login, and whenever the operator changes it in the bar."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from cms.admin.desk import SESSION_KEY, sit_down
from cms.models import Membership, Service, User
from cms.scope import services_of
from cms.services.accounts import remember_service

SEARCHED_FROM = 12
LONGEST_SEARCH = 60


def send_to_choice(request: HttpRequest) -> HttpResponse:
    """Ask for the service first, then go on where the operator wanted to go."""
    back = {"next": request.get_full_path()} if request.method == "GET" else {}
    return redirect(f"{reverse('admin:choose_service')}{'?' if back else ''}{urlencode(back)}")


def choose_service(request: HttpRequest) -> HttpResponse:
    """GET lists the services of the operator's centres; POST sits him down at one of them."""
    operator = request.user
    services = services_of(operator) if isinstance(operator, User) else []
    if request.method == "POST":
        chosen = next((service for service in services if str(service.pk) == request.POST.get("service")), None)
        if chosen is not None and isinstance(operator, User):
            sit_down(request, chosen)
            remember_service(operator.pk, chosen.pk)
            messages.success(request, _("Servizio scelto: %(service)s.") % {"service": chosen.name})
            return redirect(_where_to(request))
        messages.error(request, _("Il servizio indicato non è tra quelli del suo CDRL. Ne scelga uno dell'elenco."))
    return render(request, "admin/cms/services.html", _shown(request, services))


def _shown(request: HttpRequest, services: list[Service]) -> dict[str, Any]:
    """The list as it is read: the one used last on top, narrowed by name where there are many."""
    centres = Membership.objects.filter(user=request.user.pk, centre__active=True).select_related("centre")
    searched = request.GET.get("cerca", "").strip()[:LONGEST_SEARCH]
    last = getattr(request.user, "last_service_id", None)
    found = [service for service in services if searched.casefold() in service.name.casefold()]
    return {
        "services": sorted(found, key=lambda service: service.pk != last),
        "is_searchable": len(services) > SEARCHED_FROM,
        "searched": searched,
        "last": last,
        "centres": [membership.centre for membership in centres.order_by("centre__name")],
        "current": request.session.get(SESSION_KEY),
        "next": _where_to(request),
        "title": _("Scelta del servizio"),
    }


def _where_to(request: HttpRequest) -> str:
    """Only addresses of our own pages; a case of the former service would not be found under the new one."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else reverse("admin:index")
