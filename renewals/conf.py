"""Settings of renewals."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RenewalSettings(BaseSettings):
    """Deadlines that are settings and not law; the rest stands in `renewals.policy`."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_RENEWAL_", frozen=True)

    device_years: int = 6
    challenge_seconds: int = 300
    session_seconds: int = 1800
    confirmation_seconds: int = 3600
    confirmation_tries: int = 5
    client_url: str = "https://sigillo.example.org/scarica/"
    sweep_batch: int = 1000
    notice_batch: int = 500
    # From this hour on (Europe/Rome) the centres are told of the day.
    digest_hour: int = Field(default=7, ge=0, le=23)
    digest_most: int = Field(default=20, ge=1, le=50)
    bulk_most: int = 200
