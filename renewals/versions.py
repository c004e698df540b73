"""Versions of the card client: three numbers, compared as numbers."""

from __future__ import annotations

import re

Version = tuple[int, int, int]

# Leading zeros, other scripts' digits and more than three numbers are no version of ours; a suffix (`rc1`, `.dev2`,
# `+local`) is a build of the version before it and counts as that one.
_SHAPE = re.compile(
    r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})(?:\.(0|[1-9][0-9]{0,4}))?(?:[-+.]?[A-Za-z][A-Za-z0-9.+-]{0,20})?"
)


def parse_version(text: str) -> Version | None:
    """Return the numbers of `0.2.0`, or None for what is no version; `0.2` is `0.2.0`."""
    found = _SHAPE.fullmatch(text.strip())
    return None if found is None else (int(found[1]), int(found[2]), int(found[3] or 0))


def require_version(text: str) -> str:
    """Check a setting; raise ValueError for what is no version."""
    if parse_version(text) is None:
        msg = "must be a version such as 0.2.0"
        raise ValueError(msg)
    return text
