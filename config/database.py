"""Roles and grants of the database: the owner migrates, the application reads and writes rows and can do nothing else.

The application's role has no TRUNCATE and owns nothing, so triggers and row policies cannot be stepped around by it.
The panel works as one of two weaker roles, whose row policies let through what lies within the fence (ADR 22).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection

OWNER = "sigillo_owner"
APP = "sigillo_app"
PANEL = "sigillo_panel"
"""Pages of the panel: rows of the operator's centres and services."""
PROVIDER = "sigillo_provider"
"""The same, and every centre's business: what administrators of the provider work as on pages of administration."""
PREPARING = 0x51611
"""Number of the advisory lock that lets one preparation run at a time."""

OWNER_LOCK_TIMEOUT_MS = 60_000


class RolesMissing(Exception):
    """The roles are not there and this login may not create them."""


def prepare(*, verbosity: int = 1) -> None:
    """Create the roles if they are missing, migrate as the owner, grant the application its rights. Idempotent."""
    with connected(role=None):
        _ensure_roles()
        _let_application_change_role()
    with connected(role=OWNER):
        _take_turn()
        _grant_on_future_tables()
        call_command("migrate", interactive=False, verbosity=verbosity)
        _grant_on_tables()


@contextmanager
def connected(*, role: str | None, user: str | None = None) -> Iterator[None]:
    """Let the default connection act as `role` (None: the login itself) within the block, on its own connection."""
    before = connection.settings_dict
    options = f"-c lock_timeout={OWNER_LOCK_TIMEOUT_MS}" + (f" -c role={role}" if role else "")
    connection.close()
    connection.settings_dict = {
        **before,
        "USER": user or before["USER"],
        "OPTIONS": {**before["OPTIONS"], "options": options},
    }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def _ensure_roles() -> None:
    _take_turn()
    missing = [role for role in (OWNER, APP, PANEL, PROVIDER) if not _exists(role)]
    if missing and not _scalar("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"):
        msg = f"The database roles {', '.join(missing)} do not exist, and this login may not create them."
        raise RolesMissing(msg)
    for role in missing:
        # NOINHERIT: the application may become a fenced role, it does not fall under that role's policies.
        _execute(f"CREATE ROLE {role} {'LOGIN NOINHERIT' if role == APP else 'NOLOGIN'}")
    is_superuser = _scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if OWNER in missing and not is_superuser:
        _execute(f"GRANT {OWNER} TO CURRENT_USER")  # making a role does not yet allow to become it
    if OWNER in missing or is_superuser:
        _let_owner_build()


def _exists(role: str) -> bool:
    return bool(_scalar("SELECT count(*) FROM pg_roles WHERE rolname = %s", role))


def _let_application_change_role() -> None:
    lacking = [role for role in (PANEL, PROVIDER) if not _scalar("SELECT pg_has_role(%s, %s, 'MEMBER')", APP, role)]
    if lacking:
        _execute(f"GRANT {', '.join(lacking)} TO {APP}")


def _let_owner_build() -> None:
    _execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}")
    _execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def _grant_on_future_tables() -> None:
    workers = f"{APP}, {PANEL}, {PROVIDER}"
    _execute(f"GRANT USAGE ON SCHEMA public TO {workers}")
    _execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {workers};"
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {workers}"
    )


def _grant_on_tables() -> None:
    workers = f"{APP}, {PANEL}, {PROVIDER}"
    _execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {workers}")
    _execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {workers}")
    _execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {workers}")


def _take_turn() -> None:
    """Wait for a preparation that runs elsewhere; the lock ends with the connection."""
    _scalar("SELECT pg_advisory_lock(%s)", PREPARING)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _scalar(statement: str, *values: str | int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]
