"""`manage.py ceremony`: found the CA, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authority.services import ceremony, publication
from authority.signer import KEY_TYPES
from runtime import clock


class Command(BaseCommand):
    """Make root, issuing CAs and OCSP signers, and publish their first CRLs. Founded before: only what is missing."""

    help = "Found the embedded CA: keys, certificates, first CRLs. Repeating it adds what came later."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Everything that the certificates will carry for good."""
        parser.add_argument("--key-type", choices=KEY_TYPES, default=ceremony.DEFAULT_KEY_TYPE)
        parser.add_argument(
            "--valid-from", type=_instant, metavar="DATE", help="notBefore of the CAs, ISO date in UTC (default: now)"
        )
        parser.add_argument(
            "--base-url",
            default=ceremony.DEFAULT_BASE_URL,
            help="where relying parties reach CRLs and OCSP; goes into every certificate (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Hold the ceremony and print the CAs with their key identifiers."""
        del args
        at = clock.now()
        valid_from = options["valid_from"] or at
        if valid_from > at:
            raise CommandError("--valid-from lies in the future: no certificate could be issued until then.")
        authorities = ceremony.hold_ceremony(
            key_type=options["key_type"], valid_from=valid_from, base_url=options["base_url"], at=at
        )
        published = publication.publish_due(at)
        for each in authorities:
            self.stdout.write(f"{each.role:<10} {each.key} {each.ca_url}")
        self.stdout.write(f"CRLs published: {published}")


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
