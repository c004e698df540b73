"""The port to whoever identifies people by document and face, in this product's words; adapters translate.

A provider is asked to open a session, to say what became of it, to hand over what it collected, and to forget it. What
it says of its own accord (a webhook) is only a reason to ask.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol


class ProviderError(Exception):
    """The provider has not done what was asked; `code` is what is stored and logged, and never what it said."""

    code = "provider-failed"

    def __init__(self, code: str | None = None) -> None:
        """Narrow the code where more is known."""
        self.code = code or self.code
        super().__init__(self.code)


class ProviderUnavailable(ProviderError):
    """No answer, a fault of its own, or too many calls: ask again later."""

    code = "provider-unavailable"


class ProviderRefused(ProviderError):
    """It understood and refused: key, contract or request are wrong. Asked again later, but a person should look."""

    code = "provider-refused"


class NotErasable(ProviderError):
    """It keeps the data as long as the person could still use the session."""

    code = "provider-session-alive"


class Overall(enum.StrEnum):
    """What a provider says of a session as a whole."""

    ACTIVE = "active"
    REVIEWING = "reviewing"
    APPROVED = "approved"
    SUSPECTED = "suspected"
    DENIED = "denied"
    EXPIRED = "expired"
    GONE = "gone"


class Picture(enum.StrEnum):
    """What photos show; the values are the provider's names of them."""

    FRONT = "FRONT"
    BACK = "BACK"
    FACE = "FACE"


@dataclass(frozen=True, slots=True)
class Wish:
    """A session to open. `client_id` is fresh for each; names are sent so that the provider compares them too."""

    client_id: str
    reference: str
    given_name: str = field(repr=False)
    surname: str = field(repr=False)
    language: str
    link_seconds: int
    session_seconds: int
    back_to: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Session:
    """An opened session; `address` leads the person there and is nobody else's business."""

    scan_ref: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the provider says when it is asked: the whole, and tags of what did not fit. `details` are its own words."""

    overall: Overall
    tags: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What a webhook tells: about which session, and whether nothing more will follow."""

    scan_ref: str
    is_final: bool


class Provider(Protocol):
    """Calls raise `ProviderUnavailable` or `ProviderRefused`, `erase` also `NotErasable`, and nothing else."""

    def open_session(self, wish: Wish) -> Session:
        """Open a session whose life begins now."""
        ...

    def outcome(self, scan_ref: str) -> Outcome:
        """Say how a session stands."""
        ...

    def document(self, scan_ref: str) -> Mapping[str, str]:
        """Hand over what was read from the document, under the provider's names, without what is empty."""
        ...

    def pictures(self, scan_ref: str) -> Mapping[Picture, bytes]:
        """Hand over the photos. Their addresses are good for an hour: they are fetched at once."""
        ...

    def erase(self, scan_ref: str) -> None:
        """Forget the session and all that belongs to it; twice is once."""
        ...

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Whether these very bytes come from the provider."""
        ...

    def message(self, body: bytes, *, at: datetime) -> Message | None:
        """Read a message whose signature was verified; None for what is none."""
        ...


_installed: list[Provider] = []


def provider() -> Provider:
    """Return the provider that this installation uses."""
    return _installed[-1] if _installed else _configured()


@contextmanager
def installed(other: Provider) -> Iterator[Provider]:
    """Let another provider answer inside the block: fakes in tests."""
    _installed.append(other)
    try:
        yield other
    finally:
        _installed.remove(other)


@cache
def _configured() -> Provider:
    made: Provider = import_module("smime.services.idenfy").configured()
    return made
