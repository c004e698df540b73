"""Campaigns of extension from a file: the guide's own, or the provider's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cms.errors import DomainError
from cms.services import campaigns


class Command(BaseCommand):
    """Adds what is missing and changes nothing."""

    help = "Add the campaigns of a TOML file (by default the SogeiExtend guide's) that the register lacks."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file."""
        parser.add_argument("file", nargs="?", type=Path, default=campaigns.FILE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and name each campaign that was added."""
        del args
        try:
            added = campaigns.load_campaigns(options["file"].read_text("utf-8"))
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        except DomainError as refusal:
            raise CommandError(f"{options['file']}: {refusal.reason_code} (families first: load_families)") from refusal
        self.stdout.write(", ".join(added) or "nothing to add")
