"""An account's own affairs: the way back in, the service chosen last, a word to its owner when a way in changes."""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_noop as _
from django.views.decorators.debug import sensitive_variables

from cms.models import User
from notifications import services as notifications
from notifications.catalog import Message
from runtime.transactions import use_case


class Change(enum.StrEnum):
    """What may have happened to an account; the owner reads it as it stands here."""

    PASSWORD = _("La password è stata cambiata.")
    APP_ADDED = _("È stata aggiunta un'app di autenticazione.")
    APP_REMOVED = _("È stata rimossa l'app di autenticazione.")
    PASSKEY_ADDED = _("È stata aggiunta una passkey.")
    PASSKEY_REMOVED = _("È stata rimossa una passkey.")
    RECOVERY_CODES = _("Sono stati generati nuovi codici di recupero: quelli di prima non valgono più.")
    FACTORS_REMOVED = _("I secondi fattori sono stati rimossi e le sessioni chiuse: ne imposti di nuovi.")
    ACCESS_REMOVED = _("Il suo accesso al CDRL è stato tolto e le sessioni sono state chiuse.")
    ACCOUNT_CLOSED = _("L'account è stato disattivato e le sessioni sono state chiuse.")


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


@use_case
def remember_language(user: User, language: str) -> None:
    """Keep the language in which somebody has logged in: his mails come in it."""
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])


@use_case
def warn_of_change(user: User, change: Change, *, now: datetime, author: User | None = None, place: str = "") -> None:
    """Tell the owner what changed, so that he notices what was not his doing. `author`: who did it, if another."""
    notifications.post(
        key=f"account-changed:{user.pk}:{change.name}:{now.isoformat()}",
        message=Message.ACCOUNT_CHANGED,
        to=user.email,
        context={
            "recipient_name": user.full_name or user.email,
            "change": change.value,
            "author_name": (author.full_name or author.email) if author else "",
            "place": place,
        },
        at=now,
    )
