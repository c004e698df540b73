"""App configuration of renewals."""

from django.apps import AppConfig


class RenewalsConfig(AppConfig):
    """Names the app; nothing happens at start."""

    name = "renewals"
    verbose_name = "Rinnovi"
    default_auto_field = "django.db.models.BigAutoField"
