"""What beat pokes, in code: nobody can switch revocation off in a web form.

Intervals only, counted in UTC: local-time crontabs skip or double at the change of the clocks. A missed or doubled poke
does no harm, since every task asks the database what is due now.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

RESCAN = timedelta(seconds=30)


class Entry(TypedDict):
    """One line of the beat schedule."""

    task: str
    schedule: timedelta


def every(task: str, interval: timedelta = RESCAN) -> Entry:
    """Poke `task` at this interval."""
    return {"task": task, "schedule": interval}


SCHEDULE: dict[str, Entry] = {
    "drain-outbox": every("notifications.tasks.drain", timedelta(seconds=15)),
    "settle-bounces": every("renewals.tasks.settle_bounces", timedelta(seconds=15)),
    "forget-old-secrets": every("notifications.tasks.forget_old_secrets", timedelta(hours=1)),
    "sing": every("config.tasks.sing"),
    "publish-crls": every("authority.tasks.publish_crls", timedelta(seconds=10)),
    "rescan-ca-requests": every("cms.tasks.rescan_requests"),
    "rescan-imports": every("cms.tasks.rescan_imports"),
    "forget-imports": every("cms.tasks.forget_imports", timedelta(hours=1)),
    "write-to-holders": every("cms.tasks.write_to_holders", timedelta(seconds=15)),
    "forget-visits": every("cms.tasks.forget_visits", timedelta(hours=1)),
    "seal-events": every("cms.tasks.seal_events"),
    "check-statuses": every("cms.tasks.check_statuses"),
    "sweep-low-stock": every("cms.tasks.sweep_low_stock"),
    "rescan-bulk-decisions": every("renewals.tasks.rescan_bulk"),
    "forget-support-logs": every("renewals.tasks.forget_support_logs", timedelta(hours=1)),
    "tell-day": every("renewals.tasks.tell_day"),
    "tell-notices": every("renewals.tasks.sweep_notices"),
    "open-windows": every("renewals.tasks.sweep_windows"),
    "expire-cases": every("renewals.tasks.sweep_expired"),
    "suspend-unauthorised": every("renewals.tasks.sweep_unauthorised"),
    "revoke-unrecovered": every("renewals.tasks.sweep_unrecovered"),
    "destroy-bundles": every("smime.tasks.destroy_bundles"),
    "tell-expiring": every("smime.tasks.tell_expiring"),
    "rescan-smime-ca-orders": every("smime.tasks.rescan_ca_orders"),
    "rescan-identifications": every("smime.tasks.rescan_identifications"),
    "scan-uploads": every("smime.tasks.scan_files"),
    "validate-signatures": every("smime.tasks.validate_signatures"),
    "fetch-revocation-lists": every("smime.tasks.fetch_revocation_lists"),
    "refresh-trusted-lists": every("smime.tasks.refresh_trusted_lists", timedelta(hours=1)),
    "forget-tax-codes": every("smime.tasks.forget_tax_codes", timedelta(hours=1)),
    "erase-identity-evidence": every("smime.tasks.erase_identity_evidence", timedelta(hours=1)),
    "lapse-smime-orders": every("smime.tasks.lapse_abandoned_orders", timedelta(hours=1)),
    "forget-smime-links": every("smime.tasks.forget_links", timedelta(hours=1)),
}
