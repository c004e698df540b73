"""The card client as it is offered: what the release's `client.json` says, and which of its files are really there.

The bundle's build writes `client.json` beside the files:
`{"version": "0.2.0", "files": [{"system": "windows-x64", "name": "...", "sha256": "...", "size": 123}]}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.urls import reverse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from renewals.errors import ClientOutdated
from renewals.versions import parse_version, require_version

log = structlog.get_logger(__name__)

MANIFEST = "client.json"
MOST_MANIFEST_BYTES = 64 * 1024

System = Literal["windows-x64", "linux-x64", "macos"]


class ReleaseFile(BaseModel):
    """One file of a release. `size` in bytes, `sha256` of its contents in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    system: System
    # A plain name: nothing that leaves the folder, nothing that a header or a shell would read as something else.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0)]


class Release(BaseModel):
    """A version of the client and its files."""

    model_config = ConfigDict(frozen=True)

    version: Annotated[str, AfterValidator(require_version)]
    files: tuple[ReleaseFile, ...] = Field(max_length=20)


def release() -> Release | None:
    """Read the release that is offered now, with those of its files that can be had; None without a readable one.

    Read anew each time: a new bundle is offered from the moment at which its `client.json` is in place.
    """
    folder = settings.RENEWALS.client_folder
    if not folder:
        return None
    try:
        with (Path(folder) / MANIFEST).open("rb") as file:
            found = Release.model_validate_json(file.read(MOST_MANIFEST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("client.manifest-unreadable", error=type(error).__name__)
        return None
    if settings.RENEWALS.client_files_url:
        return found
    return found.model_copy(update={"files": tuple(file for file in found.files if _is_whole(file))})


def path_of(file: ReleaseFile) -> Path:
    """Where the file lies on this machine."""
    return Path(settings.RENEWALS.client_folder) / file.name


def file_address(file: ReleaseFile) -> str:
    """Where a browser gets the file: from ourselves, or from where the installation keeps large files."""
    elsewhere: str = settings.RENEWALS.client_files_url
    return f"{elsewhere.rstrip('/')}/{file.name}" if elsewhere else reverse("client_file", args=[file.name])


def download_page() -> str:
    """Where holders get the client: the address in mails, in the API and in the refusal of old clients."""
    return settings.RENEWALS.client_url or f"{settings.BASE_URL}{settings.CLIENT_PATH}"


def current_version() -> str:
    """The newest version that can be had."""
    found = release()
    return found.version if found else settings.RENEWALS.client_current


def hosts() -> list[str]:
    """Hosts that a firewall must let through, our own first."""
    own = urlsplit(settings.BASE_URL).hostname or ""
    return list(dict.fromkeys(name for name in (own, *settings.RENEWALS.client_hosts) if name))


def require_served(header: str) -> None:
    """Refuse a client that says it is older than the minimum. One that says nothing, or nonsense, is let through."""
    version = parse_version(header)
    minimum = parse_version(settings.RENEWALS.client_minimum)
    if version is not None and minimum is not None and version < minimum:
        raise ClientOutdated(download_page())


def _is_whole(file: ReleaseFile) -> bool:
    """A file that is missing or is still being copied is not offered."""
    try:
        return path_of(file).stat().st_size == file.size
    except OSError:
        return False
