"""`manage.py write_openapi`: the enrollment API's contract, as the code has it, into `docs/`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import openapi
from config.api import api


class Command(BaseCommand):
    """Write the file that clients are made from; a test fails while it differs from the code."""

    help = f"Write {openapi.FILE} anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite the file."""
        del args, options
        (settings.ROOT / openapi.FILE).write_text(openapi.document(api), encoding="utf-8")
