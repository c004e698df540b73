"""Who calls, as far as limits care: one network address, or of IPv6 the network that one caller has."""

from __future__ import annotations

from ipaddress import ip_address, ip_network


def network_of(remote_address: str) -> str:
    """Return the address that the trusted proxy left, for IPv6 its /64; what is no address (a unix socket) as it is."""
    text = remote_address or "local"
    try:
        caller = ip_address(text)
    except ValueError:
        return text
    return text if caller.version == 4 else str(ip_network((caller, 64), strict=False))
