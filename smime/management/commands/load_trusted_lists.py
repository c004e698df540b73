"""Trusted lists by hand: from files, or as the schedule does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cms.errors import DomainError
from runtime import clock
from smime.services import trusted_lists


class Command(BaseCommand):
    """Stores lists whose signatures hold and which are in force; changes nothing that is there."""

    help = (
        "Load trusted lists (ETSI TS 119 612) from XML files, the list of lists first; "
        "without files, refresh as the schedule does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The files."""
        parser.add_argument("files", nargs="*", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say what is in force afterwards."""
        del args
        now = clock.now()
        for file in options["files"]:
            try:
                trusted_lists.load(file.read_bytes(), at=now, source=file.name)
            except OSError as error:
                raise CommandError(f"{file}: {error}") from error
            except DomainError as refusal:
                raise CommandError(f"{file}: {refusal.reason_code}") from refusal
        if not options["files"]:
            trusted_lists.refresh(at=now)
        found = trusted_lists.in_force(now)
        for row in found.rows:
            self.stdout.write(f"{row.territory} {row.sequence} until {row.next_update_at:%Y-%m-%d %H:%M} UTC")
        if not found.rows:
            raise CommandError("no list of lists is in force: signatures stay unanswered")
