"""Keep a row of services running: start them in order, start again what dies, stop them in the opposite order."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

from runtime.embedded.errors import EmbeddedError
from runtime.embedded.processes import Child

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_SECONDS = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0  # who has run this long starts again without a pause


class StopRequested(BaseException):
    """Somebody asked us to stop (Ctrl-C, SIGTERM, a closed terminal): a wish, as `KeyboardInterrupt`, no error."""


@dataclass
class Service:
    """One supervised service: how it starts (returning when it is ready) and how long its stop may take."""

    name: str
    start: Callable[[], Child]
    stop_seconds: float = 15.0
    child: Child | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    pause: float = field(default=0.0, init=False)
    restart_at: float = field(default=0.0, init=False)


@dataclass
class Supervisor:
    """Owns the services of one run; use it as a context manager, which stops everything however the block ends.

    `say` shows one line to the person at the terminal.
    """

    say: Callable[[str], None]
    services: list[Service] = field(default_factory=list, init=False)
    _stop_requested: bool = field(default=False, init=False)
    _busy: bool = field(default=False, init=False)
    _stopping: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        """Listen to the signals that ask to stop; must be the main thread, which also has to live as long as we do."""
        for number in SIGNALS:
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1) keeps its word
                signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every service, the last started first."""
        self._stopping = True
        for service in reversed(self.services):
            if service.child is not None:
                service.child.stop(timeout=service.stop_seconds)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def start(self, service: Service) -> Child:
        """Start a service for the first time; raise what its start raises."""
        self.services.append(service)
        return self._start(service)

    def run_step(self, start: Callable[[], Child]) -> int:
        """Run a process to its end and return its exit status, watching the services meanwhile."""
        with self._uninterrupted():
            child = start()
        try:
            while child.is_running:
                self._tick()
        finally:
            child.stop()
        return child.process.returncode

    def watch(self) -> None:
        """Start again what dies, until somebody asks to stop (`StopRequested`)."""
        while True:
            self._tick()

    def wait_for(self, is_done: Callable[[], bool], *, timeout: float) -> bool:
        """Watch until `is_done` says yes (True) or `timeout` seconds have passed (False)."""
        deadline = time.monotonic() + timeout
        while not is_done():
            if time.monotonic() > deadline:
                return False
            self._tick()
        return True

    def _tick(self) -> None:
        for service in self.services:
            self._attend(service)
        time.sleep(WATCH_SECONDS)

    def _attend(self, service: Service) -> None:
        now = time.monotonic()
        if service.child is not None:
            if service.child.is_running:
                return
            self._report_death(service, now)
        if now >= service.restart_at:
            try:
                self._start(service)
            except EmbeddedError as error:
                self.say(f"«{service.name}» non riparte: {error.italian}")
                _set_back(service, now)

    def _report_death(self, service: Service, now: float) -> None:
        child = service.child
        if child is None:
            return
        child.stop()  # what is left of its group
        service.child = None
        if now - service.started_at > STEADY_SECONDS:
            service.pause = 0.0
        _set_back(service, now)
        self.say(
            f"Il servizio «{service.name}» si è fermato (stato {child.process.returncode}): "
            f"riparte tra {service.pause:.0f} s. Ultime righe in {child.log}."
        )

    def _start(self, service: Service) -> Child:
        with self._uninterrupted():
            service.child = service.start()
            service.started_at = time.monotonic()
            return service.child

    @contextlib.contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """Let a signal wait until a process that was just started is known, or nobody would stop it."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._stop_requested:
            raise StopRequested

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Ask to stop; who asks again while we stop gets it at once."""
        del number, frame
        if self._stopping:
            for child in self._running():
                child.hurry()
            return
        self._stop_requested = True
        if not self._busy:
            raise StopRequested

    def _running(self) -> Sequence[Child]:
        return [service.child for service in self.services if service.child is not None]


def _set_back(service: Service, now: float) -> None:
    service.pause = min(max(service.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
    service.restart_at = now + service.pause
