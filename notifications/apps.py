"""The outbox as an application."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Holds the messages and the templates' filters."""

    name = "notifications"
    label = "notifications"
    verbose_name = "Messaggi"
