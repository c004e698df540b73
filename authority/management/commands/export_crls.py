"""`manage.py export_crls`: write the published CRLs and the CA certificates as files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authority.errors import CrlDamaged, CrlSuperseded
from authority.services.files import PublicFolder


class Command(BaseCommand):
    """What the task that publishes CRLs does after each publication: for the first time, and after a restore."""

    help = "Write the published CRLs and the CA certificates as files, in the layout of their public addresses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take another folder than the installation's."""
        parser.add_argument("--folder", default=settings.CRL_FOLDER, help="default: SIGILLO_CRL_FOLDER")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write, and say how many files are new."""
        if not options["folder"]:
            raise CommandError("Name a folder with --folder or SIGILLO_CRL_FOLDER.")
        try:
            written = PublicFolder(Path(options["folder"])).export()
        except (OSError, CrlDamaged, CrlSuperseded) as failure:
            raise CommandError(f"Not everything was written: {failure}") from failure
        self.stdout.write(f"{written} files written.")
