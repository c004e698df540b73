"""Who may enter the panel: an active operator's account, with a second factor used in *this* session.

What cannot be undone asks for more: `confirmed_recently` wants the person to have shown again, a moment ago, who he is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

View = Callable[..., HttpResponseBase]


def is_admitted(request: HttpRequest) -> bool:
    """Whether account and session suffice. allauth has no such switch: a password alone makes a session too."""
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.is_staff and used_second_factor(request))


def used_second_factor(request: HttpRequest) -> bool:
    """Whether this session's own records, kept for this very user, hold a second factor."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def turn_away(request: HttpRequest) -> HttpResponse:
    """Send a visitor to what he lacks: login, use of his second factor, or setting one up. Raises PermissionDenied."""
    user = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
    if not (user.is_active and user.is_staff):
        raise PermissionDenied
    return ask_second_factor(request)


def ask_second_factor(request: HttpRequest) -> HttpResponse:
    """Send an account to the use of its second factor, or to setting one up, and back to this page."""
    page = _factor_page(request.user)
    return redirect("mfa_index") if page is None else _led_to(page, back=request.get_full_path())


def confirmed_recently(view: View, *, asks_at: str = "") -> View:
    """Let a view be reached only by someone who showed password or second factor within `CMS.confirmation_minutes`.

    Others are asked for it and come back to the page, by GET: a POST is not stored and not replayed, so nothing is done
    before the person has seen the question again. `asks_at` names the page that asks where the view takes POST only.
    """

    @wraps(view)
    def inner(*arguments: Any, **named: Any) -> HttpResponseBase:
        request = next(each for each in arguments if isinstance(each, HttpRequest))  # views are functions and methods
        if is_confirmed(request):
            return view(*arguments, **named)
        return ask_confirmation(request, back=reverse(asks_at, kwargs=named) if asks_at else request.get_full_path())

    return inner


def is_confirmed(request: HttpRequest) -> bool:
    """Whether this session's own records hold a password or a second factor that is minutes old at most."""
    longest = settings.CMS.confirmation_minutes * 60
    # The records carry the web server's own clock; another one would make the comparison wrong by their difference.
    now = time.time()  # noqa: TID251
    records = get_authentication_records(request, request.user)
    proofs = (record.get("at", 0) for record in records if record.get("method") in {"mfa", "password"})
    return any(0 <= now - at < longest for at in proofs)


def ask_confirmation(request: HttpRequest, *, back: str) -> HttpResponse:
    """Send to the page that asks again who he is, and from there to `back`. What was posted is told to be undone."""
    if request.method == "POST":
        undone = _("Non è stato eseguito nulla: confermi di nuovo la sua identità, poi ripeta l'operazione.")
        messages.warning(request, undone)
    return _led_to(_factor_page(request.user) or "account_reauthenticate", back=back)


def _factor_page(user: AbstractBaseUser | Any) -> str | None:
    """Name the page on which the account's best second factor is shown again; None where it has none."""
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    kinds = set(factors.values_list("type", flat=True))
    if not kinds:
        return None
    return "mfa_reauthenticate_webauthn" if Authenticator.Type.WEBAUTHN in kinds else "mfa_reauthenticate"


def _led_to(page: str, *, back: str) -> HttpResponse:
    return redirect(f"{resolve_url(page)}?{urlencode({'next': back})}")
