"""`manage.py staff_demo`: the people who work in the demo, one for each role."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from config.demo import population
from config.demo.staff import STAFF


class Command(BaseCommand):
    """Create the accounts that are missing; their secrets are read from files."""

    help = "Demo only: an operator, a manager, an auditor and two administrators. Repeating it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder of the secrets."""
        parser.add_argument("--keys", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Hire; who is there already stays as he is."""
        del args
        for colleague in STAFF:
            population.hire(
                colleague,
                password=(options["keys"] / colleague.password).read_text().strip(),
                totp_secret=(options["keys"] / colleague.totp).read_text().strip(),
            )
