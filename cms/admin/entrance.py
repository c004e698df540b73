"""Who may enter the panel: an active operator's account, with a second factor used in *this* session."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url


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
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    kinds = set(factors.values_list("type", flat=True))
    if not kinds:
        return redirect("mfa_index")
    page = "mfa_reauthenticate" if Authenticator.Type.TOTP in kinds else "mfa_reauthenticate_webauthn"
    return redirect(f"{resolve_url(page)}?{urlencode({'next': request.get_full_path()})}")
