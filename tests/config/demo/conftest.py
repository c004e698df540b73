"""The CA in memory serves the demo's tests too."""

from tests.renewals.conftest import ca

__all__ = ["ca"]
