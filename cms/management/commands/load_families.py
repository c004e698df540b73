"""Card families as they ship with the product."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cms.services import families


class Command(BaseCommand):
    """Adds what is missing; what the register has it changes only where the code is named."""

    help = "Add the card families that the register lacks. `--anew CODE` gives a known one its shipped values back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Known codes that take the shipped values again."""
        parser.add_argument("--anew", action="append", default=[], metavar="CODE")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and name each code that was written."""
        del args
        named = frozenset(options["anew"])
        unknown = named - {values["code"] for values in families.shipped()}
        if unknown:
            raise CommandError(f"no shipped family: {', '.join(sorted(unknown))}")
        written = families.load_families(anew=named)
        self.stdout.write(", ".join(written) or "nothing to add")
