"""Settings of the register."""

from datetime import time, timedelta
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class CmsSettings(BaseSettings):
    """How the register talks to its certification authority, and how long it trusts who sits before it."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_CMS_", frozen=True)

    gateway: Literal["embedded"] = "embedded"
    ca_lease_seconds: int = 60
    # Changes of status that are carried out together; fewer where the CA must be asked for each within one lease.
    ca_batch: int = 500
    ca_batch_one_by_one: int = 25
    ca_retry_seconds: tuple[int, ...] = (2, 5, 15, 30, 60, 120, 300, 600)

    # The nightly check from outside: when it starts (Europe/Rome); from where the CA's addresses are reached (empty:
    # the base URL; `as-issued`: at the addresses themselves); after what time a difference is no change under way;
    # about how many active certificates OCSP is asked a night, in turn (about all others it is always asked).
    status_check_at: time = time(2, 30)
    status_origin: str = ""
    status_lag_seconds: int = 120
    status_ocsp_most: int = 20_000

    credit_four_eyes: bool = True
    # Days of a suspension, of any cause; the last one is included in full, then comes revocation (rules.md R9).
    hold_days: int = 120
    # So many days before an end the holder is reminded or warned of it (rules.md R23).
    notice_days: tuple[int, ...] = (30, 15, 7, 1)

    import_most_rows: int = 10_000
    import_most_bytes: int = 64 * 1024 * 1024
    import_most_csv_bytes: int = 8 * 1024 * 1024
    import_keep_hours: int = 72

    confirmation_minutes: int = 5
    invitation_hours: int = 72
    password_link_minutes: int = 30

    # A holder's visit to his own pages; leaving ends it earlier.
    holder_visit_minutes: int = 15
    # A link to the registered mailbox; how many an hour one person gets, and one network address may ask for.
    holder_link_hours: int = 24
    holder_links_an_hour: int = 5
    holder_link_wishes_an_hour: int = 20

    @property
    def ca_lease(self) -> timedelta:
        """How long one worker may hold a CA request before another takes over."""
        return timedelta(seconds=self.ca_lease_seconds)
