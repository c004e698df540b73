"""`manage.py invariants`: register = CA ledger = stock = outbox, or exit status 1 with every breach named."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from renewals import invariants
from runtime import clock


class Command(BaseCommand):
    """Checks everything, changes nothing."""

    help = "Check that register, CA ledger, stock and outbox agree."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print each breach; raise when there is one."""
        found = invariants.breaches(now=clock.now())
        for breach in found:
            self.stdout.write(str(breach))
        if found:
            message = f"{len(found)} invariants broken"
            raise CommandError(message)
        self.stdout.write("All invariants hold.")
