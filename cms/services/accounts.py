"""An account's own affairs: the way back in for who has forgotten his password, the service he chose last."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cms.models import User
from notifications import services as notifications
from notifications.catalog import Message
from runtime.transactions import use_case


@use_case
@sensitive_variables("url")
def post_password_link(user: User, *, url: str, now: datetime) -> None:
    """Mail the single-use link to a new password. The login still asks for the second factor afterwards."""
    expires_at = now + timedelta(minutes=settings.CMS.password_link_minutes)
    notifications.post(
        key=f"password-link:{hashlib.sha256(url.encode()).hexdigest()}",
        message=Message.PASSWORD_LINK,
        to=user.email,
        context={"recipient_name": user.full_name or user.email, "expires_at": expires_at.isoformat()},
        secrets={"password_url": url},
        at=now,
    )


@use_case
def remember_service(user_id: int, service_id: int) -> None:
    """Keep the service that somebody chose last: it stands on top at his next choice."""
    User.objects.filter(pk=user_id).exclude(last_service_id=service_id).update(last_service_id=service_id)
