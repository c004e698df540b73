"""A whole check from outside, walked by a test, and rows written past the register."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from authority.services import publication
from cms.registers import Known
from cms.services import checks
from pki.gateway import CertificateRef
from tests.plugin import services

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LAG = timedelta(minutes=3)


def ref(row) -> CertificateRef:
    """Its name at the CA."""
    return Known(row.pk, row.issuer_key_id, row.serial, row.status).ref


def tampered(row, **columns) -> None:
    """Write past the register's own triggers, as somebody with the database's password would."""
    assignments = ", ".join(f"{name} = %s" for name in columns)
    with services.superuser.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        statement = f"UPDATE {row._meta.db_table} SET {assignments} WHERE id = %s"  # noqa: S608 - our own names
        connection.execute(statement, [*columns.values(), row.pk])


def walked(clock, wire, *, at=NOW, changes=lambda: None) -> list[tuple]:
    """A whole check: the walk, the publication lag (in which `changes` happen), the second look. Its differences."""
    check = checks.begin_check(now=at)
    for instant in (at, at + LAG):
        clock.instant = instant
        publication.publish_due(instant)
        checks.carry_out(check.pk, at=instant, wire=wire)
        if instant == at:
            changes()
    check.refresh_from_db()
    how = (check.stage, check.position, check.next_attempt_at, list(check.differences.values()))
    assert check.finished_at is not None, how
    return [
        (each.kind, each.certificate_id, each.register_status, each.ca_status, each.crl_status, each.ocsp_status)
        for each in check.differences.order_by("kind", "pk")
    ]
