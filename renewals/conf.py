"""Settings of renewals."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from renewals.versions import require_version

Version = Annotated[str, AfterValidator(require_version)]


class RenewalSettings(BaseSettings):
    """Deadlines that are settings and not law; the rest stands in `renewals.policy`."""

    model_config = SettingsConfigDict(env_prefix="SIGILLO_RENEWAL_", frozen=True)

    device_years: int = 6
    challenge_seconds: int = 300
    session_seconds: int = 1800
    confirmation_seconds: int = 3600
    confirmation_tries: int = 5
    # Where holders get the card client: our own page `/scarica/` unless another address is named.
    client_url: str = ""
    # Clients below the minimum are refused at the login. What is current stands in the release's `client.json`; without
    # one, and where files come from elsewhere, it is told here.
    client_minimum: Version = "0.1.0"
    client_current: Version = "0.1.0"
    # Folder with the files of the client and their `client.json`; where they are fetched from, if not from ourselves.
    client_folder: str = ""
    client_files_url: str = ""
    # What firewalls must let through beside our own host, one name each (JSON list).
    client_hosts: tuple[str, ...] = ()
    # The client's log in a request for help is deleted so many days after the request was closed.
    support_log_days: int = Field(default=90, ge=1)
    sweep_batch: int = 1000
    notice_batch: int = 500
    # From this hour on (Europe/Rome) the centres are told of the day.
    digest_hour: int = Field(default=7, ge=0, le=23)
    digest_most: int = Field(default=20, ge=1, le=50)
    bulk_most: int = 200
