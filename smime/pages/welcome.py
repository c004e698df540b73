"""The first visit of a customer for whom a purchase has made an account."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from cms.errors import DomainError, LinkUsed
from runtime import clock
from smime.pages import frame
from smime.services import welcome


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token")
def open_account(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET shows whose account it is, POST leads to its password; whoever has one already logs in."""
    try:
        user = welcome.account_behind(token, now=clock.now())
    except LinkUsed:
        return frame.kept_nowhere(redirect("smime:dashboard"))
    except DomainError as refusal:
        return frame.refused(request, refusal)
    if request.method == "POST":
        query = urlencode({"next": reverse("smime:dashboard")})  # from his password he logs in to the area
        return frame.kept_nowhere(redirect(f"{welcome.password_address(user)}?{query}"))
    return frame.show(request, "welcome.html", account=user, section="")
