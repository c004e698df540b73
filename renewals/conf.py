"""Settings of renewals."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class RenewalSettings(BaseSettings):
    """Deadlines that are settings and not law; the rest stands in `renewals.policy`."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_RENEWAL_", frozen=True)

    recoverable_days: int = 120
    notice_days: tuple[int, ...] = (30, 15, 7, 1)
    device_years: int = 6
    challenge_seconds: int = 300
    session_seconds: int = 1800
    confirmation_seconds: int = 3600
    confirmation_tries: int = 5
    issue_wait_seconds: float = 3.0
    client_url: str = "https://sigillo.example.org/scarica/"
    sweep_batch: int = 1000

    @model_validator(mode="after")
    def notices_fit(self) -> Self:
        """Notices lie within the recoverable days, nearest last."""
        if max(self.notice_days) >= self.recoverable_days or list(self.notice_days) != sorted(
            self.notice_days, reverse=True
        ):
            message = "notice_days fall, and lie within recoverable_days"
            raise ValueError(message)
        return self
