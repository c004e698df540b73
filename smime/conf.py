"""Settings of S/MIME: what a certification practice statement decides. Rule constants carry the date they hold from."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SmimeSettings(BaseSettings):
    """How orders are checked, issued and delivered. Spans of the Baseline Requirements (SBR) are upper bounds."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_SMIME_", frozen=True)

    # SBR 4.2.1 as of 1.0.16: reuse of evidence, and the life of a mailed value (3.2.2.2).
    requirements_version: str = "1.0.16"
    mailbox_link_hours: int = Field(default=24, ge=1, le=24)
    mailbox_days: int = Field(default=30, ge=1, le=30)
    evidence_days: int = Field(default=825, ge=1, le=825)
    # A mailbox proof older than this at issuance is renewed by a fresh mail first.
    mailbox_renew_days: int = Field(default=28, ge=1, le=30)
    # Links to consent, to the alternative and to a download: whoever is away for a week still finds them good.
    link_days: int = Field(default=14, ge=1, le=90)
    link_cooldown_seconds: int = Field(default=60, ge=1)
    links_a_day: int = Field(default=10, ge=1)

    # The identification provider: `local` is the stand-in of `make run`; links 24 h, sessions 30 minutes (the guide).
    idp_url: str = ""
    idp_key: str = ""
    idp_secret: SecretStr = SecretStr("")
    idp_webhook_secret: SecretStr = SecretStr("")
    idp_environment: Literal["local", "test", "live"] = "local"
    identification_hours: int = Field(default=24, ge=1, le=720)
    identification_session_seconds: int = Field(default=1800, ge=60, le=3600)
    identification_attempts: int = Field(default=2, ge=1)

    # Whether a qualified signature identifies alone or an officer looks too (SBR 3.2.4.1 lists no framework yet).
    evidence_policy: Literal["sufficient", "with-officer"] = "with-officer"
    # Folder of trusted lists (ETSI TS 119 612) with the list of lists; empty: the shipped schedule's own downloads.
    trusted_lists_folder: str = ""
    trusted_lists_url: str = "https://ec.europa.eu/tools/lotl/eu-lotl.xml"
    # PEM file of who may sign the list of lists; empty: the folder's signers.pem, else the library release's.
    trusted_lists_signers: str = ""

    attestation_days: int = Field(default=30, ge=1)
    upload_most_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    upload_most_pages: int = Field(default=20, ge=1)
    upload_most_pixels: int = Field(default=40_000_000, ge=1)
    # host:port or unix path of clamd; empty: nothing is scanned, and nothing uploaded is ever shown.
    clamd: str = ""

    # Resolver that validates DNSSEC (host or host:port); empty: those of the system.
    resolver: str = ""
    caa_issuers: tuple[str, ...] = ("example.org",)

    ca_lease_seconds: int = 60
    ca_batch: int = Field(default=50, ge=1)
    ca_retry_seconds: tuple[int, ...] = (2, 5, 15, 30, 60, 120, 300, 600)

    bundle_days: int = Field(default=30, ge=1)
    bundle_downloads: int = Field(default=5, ge=1)
    bundle_iterations: int = Field(default=600_000, ge=1000)
    download_code_minutes: int = Field(default=10, ge=1)
    draft_days: int = Field(default=90, ge=1)
    checking_days: int = Field(default=180, ge=1)
    reminder_days: tuple[int, ...] = (60, 30, 10, 1)

    @property
    def ca_lease(self) -> timedelta:
        """How long one worker may hold an order to the CA before another takes over."""
        return timedelta(seconds=self.ca_lease_seconds)
