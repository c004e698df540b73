"""Fixtures of the holder's pages: a town at a fixed instant, and browsers that nobody knows."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.panel.town import NOW, Town
from tests.renewals.conftest import ca, world

__all__ = ["ca", "world"]


@pytest.fixture
def town(db, clock):
    """Rows to look at; the doors' clock stands at NOW."""
    clock.instant = NOW
    return Town()


@pytest.fixture
def stranger():
    """A browser that nobody knows; defects are answered as users would see them."""
    return Client(raise_request_exception=False)
