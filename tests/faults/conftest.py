"""Fixtures of the fault suite: the small world of renewals."""

from __future__ import annotations

from tests.renewals.conftest import ca, world

__all__ = ["ca", "world"]
