"""A founded CA and its gateway."""

from __future__ import annotations

import pytest

from tests.authority import asking


@pytest.fixture
def gateway(db):
    """The embedded CA with RSA-2048 keys, inside the test's own transaction."""
    from authority.gateway import EmbeddedGateway
    from tests.authority.founding import found

    found()
    return EmbeddedGateway()


@pytest.fixture
def committed_gateway(committed):
    """The same with real commits, for threads and other processes."""
    from authority.gateway import EmbeddedGateway
    from tests.authority.founding import found

    found()
    return EmbeddedGateway()


@pytest.fixture
def issued(gateway):
    """One certificate."""
    return gateway.issue(asking.request(), at=asking.AT)


@pytest.fixture
def signed(gateway):
    """One qualified certificate."""
    from pki.gateway import Profile

    return gateway.issue(asking.request(Profile.QUALIFIED_SIGNATURE), at=asking.AT)
