"""Readers and the ATRs of the cards in them, through PC/SC; works with no card driver installed.

Each call opens a context of its own and lets it go: a context dies with the service (Windows stops it with the last
reader), with a suspended computer, and must not be shared between threads. Nothing here talks to a card.
"""

from __future__ import annotations

import ctypes
import enum
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cardclient.ports import ReaderState
from cardclient.readers.atr import LONGEST
from cardclient.readers.pcsc_library import LAYOUTS, Layout, open_library, state_type
from cardclient.readers.systems import System, this_system

# Return values (PC/SC part 5; the same on all systems once cut to 32 bits).
SUCCESS = 0
TIMEOUT = 0x8010000A
NO_READERS = 0x8010002E
UNKNOWN_READER = 0x80100009
NO_SERVICE = 0x8010001D
REFUSED = frozenset({0x8010006A, 0x80100027, 5})  # SCARD_W_SECURITY_VIOLATION, SCARD_E_NO_ACCESS, access denied

# States of a reader.
UNAWARE, UNAVAILABLE, UNKNOWN, PRESENT, MUTE = 0x0, 0x8, 0x4, 0x20, 0x200

USER_SCOPE = 0
NEW_READERS = "\\\\?PnP?\\Notification"  # the pseudo reader whose state changes with the list of readers
LIST_LENGTH = 16384  # characters; a system has at most a few dozen readers of at most 128
LONGEST_WAIT = 1.0  # seconds in one call: where new readers are not announced, the list is read again that often
SHORTEST_PAUSE = 0.2  # seconds, where a library answers at once and nothing has changed


class Service(enum.StrEnum):
    """How the computer's card service does, as the diagnosis names it."""

    RUNNING = "running"
    STOPPED = "stopped"  # also Windows without any reader plugged in
    REFUSED = "refused"  # this user may not use it
    MISSING = "missing"  # no PC/SC library on this computer


class PcscError(Exception):
    """A call was refused; `code` is the return value cut to 32 bits. Never leaves this module."""

    def __init__(self, code: int) -> None:
        """Keep the return value."""
        super().__init__(f"{code:#010x}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Seen:
    """A reader as one call told it: what is shown of it, and the raw state that the next call is given."""

    state: ReaderState
    raw: int


class PcscReaders:
    """The `Readers` of this computer. For one watcher: `wait` compares with what `snapshot` or `wait` saw last."""

    def __init__(
        self,
        library: Any | None,
        system: System,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Speak to a library with a system's sizes; None is a computer without one."""
        self._library = library
        self._layout = LAYOUTS[system]
        self._sleep = sleep
        self._clock = clock
        self._last: tuple[Seen, ...] | None = None
        self._announces = True

    @classmethod
    def of_this_computer(cls) -> PcscReaders:
        """Use the system's own library."""
        system = this_system()
        return cls(open_library(system), system)

    def service(self) -> Service:
        """Tell how the card service does; a refusal that is not about rights means that it does not run."""
        if self._library is None:
            return Service.MISSING
        try:
            with self._context():
                return Service.RUNNING
        except PcscError as problem:
            if problem.code in REFUSED:
                return Service.REFUSED
            return Service.STOPPED

    def snapshot(self) -> tuple[ReaderState, ...]:
        """See `Readers.snapshot`; a card that does not answer (upside down, say) has an empty ATR."""
        self._last = self._look()
        return tuple(each.state for each in self._last)

    def wait(self, seconds: float) -> bool:
        """See `Readers.wait`."""
        before = self._last if self._last is not None else self._look()
        ends = self._clock() + seconds
        while True:
            self._last = self._look()
            if [each.state for each in self._last] != [each.state for each in before]:
                return True
            left = ends - self._clock()
            if left <= 0:
                return False
            self._pause(self._last, min(left, LONGEST_WAIT))

    def _look(self) -> tuple[Seen, ...]:
        """Read list and states; a service that is not there has no readers.

        Asked twice: what a suspended computer, or a reader that vanished meanwhile, broke is whole in a new one.
        """
        for _ in range(2):
            try:
                with self._context() as context:
                    return self._states(context, self._names(context))
            except PcscError:
                continue
        return ()

    def _pause(self, seen: Sequence[Seen], seconds: float) -> None:
        """Sleep until the library tells of an event, at most so long; without a service just sleep."""
        began = self._clock()
        try:
            with self._context() as context:
                happened = self._await(context, seen, seconds)
        except PcscError:
            happened = False
        spent = self._clock() - began
        if not happened or spent < SHORTEST_PAUSE:
            self._sleep(max(0.0, min(seconds, SHORTEST_PAUSE if happened else seconds) - spent))

    def _await(self, context: Any, seen: Sequence[Seen], seconds: float) -> bool:
        """Let the library wait; returns whether it waited (False: it has no way to, or failed)."""
        watched = [(each.state.name, each.raw) for each in seen]
        if self._announces:
            watched.append((NEW_READERS, len(seen) << 16))
        if not watched:
            return False
        try:
            self._change(context, watched, seconds)
        except PcscError as problem:
            if problem.code == UNKNOWN_READER and self._announces:
                self._announces = False
                return self._await(context, seen, seconds)
            return problem.code == TIMEOUT
        return True

    def _names(self, context: Any) -> list[str]:
        length = self._layout.dword(LIST_LENGTH)
        buffer = ctypes.create_string_buffer(LIST_LENGTH * self._layout.unit)
        code = self._call("SCardListReaders" + self._layout.suffix, context, None, buffer, ctypes.byref(length))
        if code == NO_READERS:
            return []
        _require(code)
        return self._layout.decode_list(buffer.raw[: length.value * self._layout.unit])

    def _states(self, context: Any, names: Sequence[str]) -> tuple[Seen, ...]:
        if not names:
            return ()
        told = self._change(context, [(name, UNAWARE) for name in names], 0.0)
        return tuple(
            _seen(name, each)
            for name, each in zip(names, told, strict=True)
            if not each.event_state & (UNKNOWN | UNAVAILABLE)
        )

    def _change(self, context: Any, watched: Sequence[tuple[str, int]], seconds: float) -> Any:
        """Call SCardGetStatusChange; the texts are kept alive until it returns."""
        states = (state_type(self._layout) * len(watched))()
        texts = [ctypes.create_string_buffer(self._layout.encode(name)) for name, _ in watched]
        for state, text, (_, current) in zip(states, texts, watched, strict=True):
            state.name = ctypes.addressof(text)
            state.current_state = current
        count, limit = self._layout.dword(len(watched)), self._layout.dword(int(seconds * 1000))
        name = "SCardGetStatusChange" + self._layout.suffix
        _require(self._call(name, context, limit, states, count))
        return states

    @contextmanager
    def _context(self) -> Iterator[Any]:
        if self._library is None:
            raise PcscError(NO_SERVICE)
        context = self._layout.context()
        scope = self._layout.dword(USER_SCOPE)
        _require(self._call("SCardEstablishContext", scope, None, None, ctypes.byref(context)))
        try:
            yield context
        finally:
            self._call("SCardReleaseContext", context)

    def _call(self, name: str, *arguments: Any) -> int:
        return int(getattr(self._library, name)(*arguments)) & 0xFFFFFFFF


def _require(code: int) -> None:
    if code != SUCCESS:
        raise PcscError(code)


def _seen(name: str, told: Any) -> Seen:
    raw = int(told.event_state)
    return Seen(ReaderState(name, _atr_of(told), raw >> 16 & 0xFFFF), raw)


def _atr_of(told: Any) -> bytes | None:
    if not told.event_state & PRESENT:
        return None
    return b"" if told.event_state & MUTE else bytes(told.atr[: min(told.atr_length, LONGEST)])


__all__ = ["Layout", "PcscReaders", "Service"]
