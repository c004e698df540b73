"""Settings of the outbox: how long, how often, under which domain. Server and credentials are Django's `EMAIL_*`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SLOW_REPLIES_PER_MAIL = 5
"""MAIL, RCPT, DATA, final dot and the RSET after a refusal: each may take one whole `reply_seconds`."""
SHORTEST_WEBHOOK_SECRET = 32


class NotificationSettings(BaseSettings):
    """Built once in `config/settings`; read as `settings.NOTIFICATIONS`. All durations in seconds unless named."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_MAIL_", frozen=True, hide_input_in_errors=True)

    message_id_domain: str = Field(default="", pattern=r"^$|^[a-z0-9-]+(\.[a-z0-9-]+)*$")
    """Right side of Message-ID and List-Id; empty: the domain of the sender's address."""

    reply_seconds: int = Field(default=15, ge=1)
    """Longest wait for one reply of the mail server."""

    lease_seconds: int = Field(default=90, ge=2)
    """How long a claimed batch belongs to one drain; a killed drain gives it back by this end."""

    mails_per_batch: int = Field(default=100, ge=1, le=1000)
    """So many messages are claimed and marked together; as many may go out twice after a kill, and no more."""

    mails_per_connection: int = Field(default=100, ge=1)
    """After so many mails a new connection is opened: servers cut longer ones."""

    server_retry_seconds: int = Field(default=60, ge=1)
    """Pause after the server could not be reached or refused us; costs no message an attempt."""

    first_retry_seconds: int = Field(default=60, ge=1)
    longest_retry_seconds: int = Field(default=900, ge=1)
    """A message put off (451) waits the first, then twice as long each time, up to the longest."""

    give_up_days: int = Field(default=5, ge=1)
    """A message that is put off for so long has failed (RFC 5321 §4.5.4.1: at least 4-5 days)."""

    failed_secret_days: int = Field(default=30, ge=1)
    """The sealed secret of a failed message is wiped after this; sending it is a reissue from then on."""

    webhook_secret: SecretStr = SecretStr("")
    """Signs what the mail provider reports (docs/mail.md); empty: nobody may report."""

    webhook_former_secret: SecretStr = SecretStr("")
    """Valid beside the other while the provider changes from one to the other."""

    @field_validator("webhook_secret", "webhook_former_secret")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_WEBHOOK_SECRET:
            msg = f"must be at least {SHORTEST_WEBHOOK_SECRET} characters of randomness, or empty"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _a_lease_outlives_one_mail(self) -> NotificationSettings:
        if self.lease_seconds <= SLOW_REPLIES_PER_MAIL * self.reply_seconds:
            msg = f"lease_seconds must exceed {SLOW_REPLIES_PER_MAIL} x reply_seconds, or a slow mail goes out twice"
            raise ValueError(msg)
        if self.longest_retry_seconds < self.first_retry_seconds:
            msg = "longest_retry_seconds must not be shorter than first_retry_seconds"
            raise ValueError(msg)
        return self

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """The secrets that sign reports now."""
        both = (self.webhook_secret, self.webhook_former_secret)
        return tuple(secret.get_secret_value().encode() for secret in both if secret.get_secret_value())

    @property
    def lease(self) -> timedelta:
        """`lease_seconds` as a duration."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def lease_of_a_batch(self) -> timedelta:
        """How far into its lease a batch may start another mail, which may then be as slow as mails can be."""
        return timedelta(seconds=self.lease_seconds - SLOW_REPLIES_PER_MAIL * self.reply_seconds)

    def pause_after(self, attempts: int) -> timedelta:
        """Wait before the next try of a message that was put off `attempts` times."""
        doubled = self.first_retry_seconds * 2 ** min(attempts - 1, 16)
        return timedelta(seconds=min(doubled, self.longest_retry_seconds))
