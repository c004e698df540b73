"""Skeletons: what many mails of one kind have in common, rendered once; names, numbers and dates are put in for each.

A template is rendered with stand-ins in the place of values that it only shows (`OPAQUE`); the filters of the mails
pass on a stand-in with a note of what to do to the value later. What a template decides by (days, reasons, whether a
value is there, whether a day is over) belongs to the key of the skeleton. A skeleton that does not give to the letter
what the template gives is thrown away, and its mails are rendered as ever. Mails with a secret never come here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import conditional_escape

OPAQUE = frozenset(
    {
        "authorise_by",
        "card_serial",
        "case_code",
        "centre_email",
        "centre_name",
        "centre_phone",
        "client_url",
        "ended_entries",
        "entries",
        "holder_name",
        "new_not_after",
        "old_not_after",
        "posted_at",
        "purchase_url",
        "reactivated_at",
        "revoke_on",
        "revoked_at",
        "service_name",
        "subject",
        "suspend_at",
        "suspended_at",
    }
)
"""Values that templates show and never compare; a test tries every message with others in their place."""
_INSTANTS = frozenset(name for name in OPAQUE if name.endswith(("_at", "_after", "_by", "_on"))) - {"posted_at"}

MOST_KEPT = 500
_OPEN, _CLOSE = "\x02", "\x03"  # no value holds control characters (policy), no template either
_TOKEN = re.compile(f"{_OPEN}([a-z_]+)((?:\\|[a-z_:]+)*){_CLOSE}")

Values = Mapping[str, Any]
Fill = Callable[[str, Values, bool], str]


class StandIn(str):
    """Stands for a value: what it is called, what it is, and which filters are to be applied to it."""

    __slots__ = ("name", "real", "steps")

    name: str
    real: str
    steps: tuple[str, ...]

    @classmethod
    def of(cls, name: str, real: str, steps: tuple[str, ...] = ()) -> StandIn:
        """Make one; its text is a token that a filled skeleton finds again."""
        made = cls(_OPEN + "|".join((name, *steps)) + _CLOSE)
        made.name, made.real, made.steps = name, real, steps
        return made

    def through(self, step: str) -> StandIn:
        """Note that a filter has been asked for."""
        return StandIn.of(self.name, self.real, (*self.steps, step))

    @property
    def result(self) -> str:
        """The value as it stands after the filters so far."""
        return _applied(self.real, self.steps, {})


_STEPS: dict[str, Callable[..., str]] = {}


def passing(function: Callable[[str], str]) -> Callable[[str], str]:
    """Let a filter of one value take note of a stand-in instead of reading it."""
    _STEPS[function.__name__] = function

    @functools.wraps(function)
    def noting(value: str) -> str:
        return value.through(function.__name__) if isinstance(value, StandIn) else function(value)

    return noting


def passing_since(function: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """Do the same for a filter that compares two instants; nothing stays nothing, because templates ask for that."""
    _STEPS[function.__name__] = function

    @functools.wraps(function)
    def noting(value: str, since: str) -> str:
        if not isinstance(value, StandIn) or not isinstance(since, StandIn):
            return function(str(value), str(since))
        is_said = function(value.result, since.result)
        return value.through(f"{function.__name__}:{since.name}") if is_said else ""

    return noting


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """Fixed text, a value, fixed text and so on: values as their name and steps."""

    parts: Sequence[str | tuple[str, tuple[str, ...]]]

    @classmethod
    def of(cls, text: str) -> _Skeleton:
        found = _TOKEN.split(text)
        parts: list[str | tuple[str, tuple[str, ...]]] = [found[0]]
        for name, steps, fixed in zip(found[1::3], found[2::3], found[3::3], strict=True):
            parts += [(name, tuple(steps.split("|")[1:])), fixed]
        return cls(tuple(parts))

    def filled(self, values: Values, *, autoescape: bool) -> str:
        said: dict[tuple[str, tuple[str, ...]], str] = {}
        for part in self.parts:
            if isinstance(part, tuple) and part not in said:
                value = _applied(values[part[0]], part[1], values)
                said[part] = conditional_escape(value) if autoescape else value
        return "".join(part if isinstance(part, str) else said[part] for part in self.parts)


class Shelf:
    """The skeletons of this process, the oldest thrown out where they are too many."""

    def __init__(self, fill: Fill, is_over: Callable[[str, str], bool]) -> None:
        """`fill` renders a template; `is_over` says whether a first instant lies on a day before a second."""
        self._fill, self._is_over = fill, is_over
        self._kept: dict[Hashable, _Skeleton | None] = {}

    def decided_by(self, values: Values) -> Hashable | None:
        """All that the templates may decide by; None where no two mails are alike (lists of cases and so on)."""
        decides = tuple((key, None if _is_opaque(key, value) else value) for key, value in values.items())
        over = tuple(self._is_over(values[key], values["posted_at"]) for key in sorted(_INSTANTS) if values.get(key))
        try:
            hash(decides)
        except TypeError:
            return None
        return decides, over

    def filled(self, name: str, values: Values, decided_by: Hashable | None, *, autoescape: bool) -> str:
        """Give the text that the template gives for these values."""
        if decided_by is None:
            return self._fill(name, values, autoescape)
        key = (name, autoescape, decided_by)
        if key not in self._kept:
            return self._built(key, name, values, autoescape=autoescape)
        skeleton = self._kept.get(key)
        return skeleton.filled(values, autoescape=autoescape) if skeleton else self._fill(name, values, autoescape)

    def _built(self, key: Hashable, name: str, values: Values, *, autoescape: bool) -> str:
        """Render both ways; keep the skeleton only if they agree."""
        text = self._fill(name, values, autoescape)
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = self._agreeing(text, name, values, autoescape=autoescape)
        return text

    def _agreeing(self, text: str, name: str, values: Values, *, autoescape: bool) -> _Skeleton | None:
        stood_in = {key: StandIn.of(key, value) if _is_opaque(key, value) else value for key, value in values.items()}
        try:
            skeleton = _Skeleton.of(self._fill(name, stood_in, autoescape))
            agrees = skeleton.filled(values, autoescape=autoescape) == text
        except Exception:  # noqa: BLE001 - a template that cannot live with stand-ins is rendered as ever
            return None
        return skeleton if agrees else None


def _is_opaque(key: str, value: Any) -> bool:
    return key in OPAQUE and isinstance(value, str) and bool(value)


def _applied(value: str, steps: Sequence[str], values: Values) -> str:
    for step in steps:
        name, _, since = step.partition(":")
        value = _STEPS[name](value, values[since]) if since else _STEPS[name](value)
    return value
