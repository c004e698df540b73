"""App configuration of the register."""

from django.apps import AppConfig


class CmsConfig(AppConfig):
    """Names the register; nothing happens at start."""

    name = "cms"
    verbose_name = "Gestione Servizi"
    default_auto_field = "django.db.models.BigAutoField"
