"""Which office a bundle speaks to: named where it is built (`SIGILLO_SERVER`), refused where it cannot be one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cardclient.preferences import SHIPPED

VARIABLE = "SIGILLO_SERVER"
DEMO, DEMO_SERVER = "demo", "http://localhost:8000"
"""The one value that is no address: a bundle that is tried on this machine beside `make run`, never handed out."""


class NoServer(ValueError):
    """No address, or one that holders must not be sent to."""


def address_of(environment: Mapping[str, str]) -> str:
    """Return the address to ship; raises NoServer unless it is `https://host[:port]`, or the demo's word."""
    given = environment.get(VARIABLE, "").strip().rstrip("/")
    if given == DEMO:
        return DEMO_SERVER
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError:
        raise NoServer(f"{VARIABLE}: no address") from None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path or parts.query or parts.fragment:
        raise NoServer(f"{VARIABLE}=https://HOST names the service that this bundle speaks to ({DEMO}: this machine)")
    return given


def write(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write the data file that travels in the bundle and return where it lies."""
    address = address_of(environment)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / SHIPPED
    made.write_text(address + "\n", encoding="ascii")
    return made
