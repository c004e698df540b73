"""What a code of client or office means, in the reader's language: what was told, what happened, the cure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cms.errors import DomainError

# The client's own table, written down by `python -m tests.docs`: the server imports nothing of the client.
_TABLE = Path(__file__).resolve().parent.parent / "client_codes.json"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`told` as the client says it, then what happened and what the holder can do; either may be empty."""

    told: str
    cause: str = ""
    advice: str = ""

    @property
    def short(self) -> str:
        """One line for a list: what happened, since many codes share what is told."""
        return self.cause or self.told


def meaning_of(code: str) -> Meaning | None:
    """Look the code up in the client's table, then among our own refusals; None for a code that we do not know."""
    row = _client().get(code)
    if row is not None:
        said = row["en" if get_language() == "en" else "it"]
        return Meaning(said["told"], said["cause"], said["advice"])
    refusal = _refusals().get(code)
    return Meaning(_(refusal.detail)) if refusal else None


@cache
def _client() -> Mapping[str, Any]:
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


@cache
def _refusals() -> Mapping[str, type[DomainError]]:
    return {kind.code: kind for kind in _below(DomainError)}


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
