"""Opens the way to the server: a transport for `HttpOffice` over the proxy and the trust that the preferences name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from cardclient.network import trust
from cardclient.network.backend import Backend
from cardclient.network.credentials import Logins
from cardclient.network.routes import EnvironmentProxy, SystemProxy
from cardclient.network.transport import ProxiedTransport
from cardclient.preferences import Preferences


def transport(
    preferences: Preferences,
    logins: Logins,
    *,
    system: SystemProxy | None = None,
    ca_file: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> httpx.BaseTransport:
    """Make the transport for `HttpOffice`; `system` is asked for the system's proxy, `ca_file` replaces its trust."""
    backend = Backend(preferences.proxy, logins, system or EnvironmentProxy(), now=now)
    return ProxiedTransport(backend, trust.context(ca_file))
