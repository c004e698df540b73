"""The embedded CA keeps what every CA behind the port must keep."""

from __future__ import annotations

import pytest

from tests.contract.batch_contract import BatchContract, InBatches
from tests.contract.gateway_contract import GatewayContract
from tests.contract.status_contract import StatusContract


class TestEmbeddedGateway(GatewayContract):
    """All claims of the port, on the real ledger; the fixture `gateway` is this folder's."""


class TestEmbeddedGatewayInBatches(StatusContract):
    """The same orders, each in a batch."""

    @pytest.fixture
    def gateway(self, gateway):
        return InBatches(gateway)


class TestBatchesOfTheEmbeddedGateway(BatchContract):
    """Many orders in one transaction."""
