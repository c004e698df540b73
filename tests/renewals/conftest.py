"""Fixtures of renewals: a world on the fake CA, at a fixed instant inside the renewal window."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cms import ca as configured
from pki.fake import FakeAuthority
from tests.renewals.enrolment import Enrolment
from tests.renewals.world import World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def ca():
    """A CA in memory with switchable weather."""
    with configured.installed(FakeAuthority()) as fake:
        yield fake


@pytest.fixture
def world(committed, clock, ca, settings):
    """One centre, its operator, stock of ten pairs; the doors' clock stands at NOW."""
    # A million rounds for every user code would be most of what these tests do.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock.instant = NOW
    return World(ca, NOW)


@pytest.fixture
def card(world):
    """A holder's card, 29 days before its certificates expire."""
    return world.card()


@pytest.fixture
def enrolment(card):
    """The holder of that card at home."""
    return Enrolment(card)
