"""The project as an application: holds the start-up checks, the commands that concern the whole, and the task app."""

from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Registers what concerns no single package."""

    name = "config"
    verbose_name = "Sigillo"

    def ready(self) -> None:
        """Make the Celery app the current one in every process, register the checks, and give signs of life."""
        from config import celery, checks, pulse, registers  # noqa: F401, PLC0415 - they need the loaded apps
