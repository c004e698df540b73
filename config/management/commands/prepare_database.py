"""Bring the database to what this release needs: roles, tables, grants, the card families that it lacks."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cms.services import families
from config import database


class Command(BaseCommand):
    """Run with a login that may become the owner; can be repeated, and changes nothing the second time."""

    help = "Create the database roles if allowed, migrate as the owner, grant the application its rights, add families."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, and say in one line why not if it cannot be done."""
        del args
        try:
            database.prepare(verbosity=options["verbosity"])
        except database.RolesMissing as refusal:
            raise CommandError(str(refusal)) from refusal
        with database.connected(role=database.OWNER):
            families.load_families()
