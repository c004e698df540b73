"""What the contexts of messages are made of: shapes of values, what one kind carries, files that travel with it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


class Shape(enum.Enum):
    """What a value of a context must look like."""

    LINE = "a line of text"
    LINE_OR_NOTHING = "a line of text, possibly empty"
    PROSE = "a text of one or more lines"
    PROSE_OR_NOTHING = "a text of one or more lines, or empty"
    LINES = "a list of lines of text, possibly empty"
    CASES = "a list of cases, each `{code, at, remark}`: a line, an instant or empty, a line or empty"
    FAILURES = "a list of failures, each `{code, count, cases}`: a line, a positive number, a list of lines"
    COUNTERS = "a list of counters, each `{type, free, threshold}`: a line and two whole numbers"
    INSTANT = "an ISO 8601 instant with its offset"
    INSTANT_OR_NOTHING = "an ISO 8601 instant with its offset, or empty"
    DAY_START = "an ISO 8601 date, or the instant at which that day begins"
    URL = "an http(s) address"
    URL_OR_NOTHING = "an http(s) address, or empty"
    MAILBOX = "an e-mail address"
    COUNT = "a positive whole number"
    NUMBER = "a whole number, zero included"


@dataclass(frozen=True, slots=True)
class Contents:
    """What one kind of message carries. `optional` keys may be left out; they then count as empty."""

    required: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    secrets: frozenset[str] = frozenset()
    takes_attachments: bool = False
    is_urgent: bool = False
    """Somebody sits before a screen and waits for it: it overtakes notices in the queue."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every key that the context may hold."""
        return {**self.optional, **self.required}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a message: its name as the recipient sees it, media type, bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
