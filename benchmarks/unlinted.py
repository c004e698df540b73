"""The product's web application with a linter that finds nothing: tells what the lint costs. For benchmarks only.

The switch stands here and not in the product: there is none in the product.
"""

from __future__ import annotations

from config.wsgi import application
from pki import lint
from pki.gateway import Profile

__all__ = ["application"]


def _finds_nothing(_der: bytes, _profile: Profile) -> None:
    """Stand in for `pki.lint.require_clean_certificate`."""


lint.require_clean_certificate = _finds_nothing
