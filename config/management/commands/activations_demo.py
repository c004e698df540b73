"""`manage.py activations_demo`: S/MIME in the demo."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from config.demo import activations
from runtime import clock


class Command(BaseCommand):
    """Found a missing CA, settle customer and activations, and publish fresh trusted lists."""

    help = "Demo only: a customer with S/MIME activations, trusted lists. Repeated, it renews old lists alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the customer's password lies, and where the lists go; without a folder there are none."""
        parser.add_argument("--password", type=Path, required=True, help="file that holds the customer's password")
        parser.add_argument("--lists", type=Path, help="folder of the trusted lists")

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle."""
        del args
        at = clock.now()
        call_command("ceremony", verbosity=0)  # an installation that is older than S/MIME has no CA for it yet
        activations.settle(password=options["password"].read_text().strip(), at=at)
        if options["lists"]:
            activations.write_lists(options["lists"], at=at)
            call_command("load_trusted_lists", verbosity=0)
