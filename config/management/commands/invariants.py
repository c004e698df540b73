"""`manage.py invariants`: register = CA ledger = CRLs = stock = outbox, or exit status 1 with every breach named."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authority import invariants as embedded_ca
from renewals import invariants as register
from runtime import clock


class Command(BaseCommand):
    """Checks everything, changes nothing."""

    help = "Check that register, CA ledger, CRLs, stock and outbox agree."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print each breach; raise when there is one."""
        now = clock.now()
        found = [*map(str, register.breaches(now=now)), *embedded_ca.breaches(at=now)]
        for breach in found:
            self.stdout.write(breach)
        if found:
            message = f"{len(found)} invariants broken"
            raise CommandError(message)
        self.stdout.write("All invariants hold.")
