"""Whether the customer has just shown who he is, and by what: a file with a key is handed to nobody on an old login."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

_NAMES = {"webauthn": "passkey", "totp": "totp", "recovery_codes": "totp"}


def fresh_factor(request: HttpRequest) -> str:
    """Name the second element shown within `CMS.confirmation_minutes` (`passkey`, `totp`); empty if none was."""
    shown = [record for record in _recent(request) if record.get("method") == "mfa"]
    return _NAMES.get(str(shown[0].get("type")), "totp") if shown else ""


def is_fresh(request: HttpRequest) -> bool:
    """Whether password or second element were shown within `CMS.confirmation_minutes`."""
    return bool(_recent(request))


def has_factor(request: HttpRequest) -> bool:
    """Whether the account has a passkey or an app; without one a mailed code takes its place."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=request.user.pk, type__in=kinds).exists())


def page_to_confirm(request: HttpRequest) -> str:
    """Address at which the customer shows again who he is, and from which he comes back to this page."""
    kinds = set(Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True))
    page = "account_reauthenticate"
    if Authenticator.Type.WEBAUTHN in kinds:
        page = "mfa_reauthenticate_webauthn"
    elif Authenticator.Type.TOTP in kinds:
        page = "mfa_reauthenticate"
    return f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}"


def _recent(request: HttpRequest) -> list[dict[str, object]]:
    # The records carry the web server's own clock; another one would make the comparison wrong by their difference.
    since = time.time() - settings.CMS.confirmation_minutes * 60  # noqa: TID251
    records = get_authentication_records(request, request.user)
    return [record for record in reversed(records) if float(str(record.get("at", 0))) >= since]
