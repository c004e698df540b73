"""The embedded CA keeps what every CA behind the port must keep."""

from __future__ import annotations

from tests.contract.gateway_contract import GatewayContract


class TestEmbeddedGateway(GatewayContract):
    """All claims of the port, on the real ledger; the fixture `gateway` is this folder's."""
