"""The world of renewals serves the register's tests too."""

from tests.renewals.conftest import ca, card, world

__all__ = ["ca", "card", "world"]
