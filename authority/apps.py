"""The embedded CA as a Django app."""

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """Label `authority`: its tables are written by nobody else."""

    name = "authority"
    label = "authority"
    verbose_name = "Autorità di certificazione"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the key check of `manage.py check --database default`."""
        from authority import checks  # noqa: F401, PLC0415 (registers itself; needs the app registry)
