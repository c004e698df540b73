"""App configuration of S/MIME."""

from django.apps import AppConfig


class SmimeConfig(AppConfig):
    """Names the app; nothing happens at start."""

    name = "smime"
    verbose_name = "S/MIME"
    default_auto_field = "django.db.models.BigAutoField"
