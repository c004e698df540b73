"""The local log: one file per run of the program, the last twenty kept, none larger than a megabyte.

Each program writes a file of its own, so two at once never touch each other's. Whatever goes wrong with the files (disk
full, folder read-only, removed under our feet) costs lines of the log and never a renewal: the last lines are kept in
memory too, so that the failure's screen has something to save. Every line passes `redaction`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from cardclient.support.redaction import redacted

FOLDER = "logs"
RUNS = 20
HALF = 512 * 1024  # bytes; a run keeps its latest two halves
REMEMBERED = 2000  # lines of this run kept in memory, for a folder that cannot be written
OURS = "cardclient"
LOGGER = logging.getLogger(OURS)
SHOWN = re.compile(r"(?P<at>\d{4}-\d{2}-\d{2}T[\d:.]+Z) (?P<level>[A-Z]+) (?P<logger>\S+) (?P<text>.*)")
NAME = re.compile(r"run-\d{8}T\d{6}Z-\d+\.log")
LONGEST = 20_000  # characters of one entry
MARK = "    "  # begins the further lines of an entry

Ending = tuple[type[BaseException], BaseException, TracebackType | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: when (UTC, as written), level's name, logger, text (may have several lines)."""

    at: str
    level: str
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class RunFile:
    """The log of one run: when it began (UTC), its size in bytes, whether it is the run that is going on."""

    path: Path
    began: datetime
    size: int
    current: bool


class Logbook:
    """The log of this run and of the last ones, in a folder of this user's (`preferences.user_folder() / FOLDER`)."""

    def __init__(self, folder: Path, *, now: datetime, debug: bool = False, half: int = HALF) -> None:
        """Begin this run's file and forget the oldest runs; nothing is raised when the folder cannot be written.

        `half` is the size in bytes at which a file is put aside; a run keeps two of them.
        """
        self._folder = folder
        self._path = folder / f"run-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
        self._lines: deque[str] = deque(maxlen=REMEMBERED)
        self._handler = _Writer(self._path, self._lines, half)
        self._attached = _attached(self._handler, debug=debug)
        self._attached.__enter__()
        self._prune()

    @property
    def debug(self) -> bool:
        """Tell whether the detailed log is on."""
        return LOGGER.level == logging.DEBUG

    def set_debug(self, debug: bool) -> None:  # noqa: FBT001 - the switch itself
        """Write everything, or only what a support desk reads first."""
        LOGGER.setLevel(logging.DEBUG if debug else logging.INFO)

    @property
    def on_disk(self) -> bool:
        """Tell whether this run's lines reach the disk."""
        return not self._handler.broken

    def close(self) -> None:
        """End this run's log."""
        self._attached.__exit__(None, None, None)

    def runs(self) -> tuple[RunFile, ...]:
        """List the runs whose log is kept, newest first."""
        found = []
        for path in sorted(self._files(), key=lambda each: each.name, reverse=True):
            with contextlib.suppress(OSError):
                began = datetime.strptime(path.name[4:20], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                size = sum(each.stat().st_size for each in _halves(path) if each.exists())
                found.append(RunFile(path, began, size, path == self._path))
        return tuple(found)

    def text(self, run: RunFile | None = None) -> str:
        """Return the log of a run, of this one if none is named; from memory where the disk has nothing."""
        path = run.path if run else self._path
        kept = "".join(_read(each) for each in _halves(path))
        if path == self._path and (self._handler.broken or not kept):
            return "".join(f"{line}\n" for line in self._handler.remembered())
        return kept

    def entries(
        self, run: RunFile | None = None, *, level: int = logging.NOTSET, contains: str = ""
    ) -> Iterator[Entry]:
        """Walk over a run's entries from a level on that hold a text (case ignored), for the log's window."""
        wanted = contains.casefold()
        levels = logging.getLevelNamesMapping()
        for entry in _entries(self.text(run)):
            shown = f"{entry.logger} {entry.text}".casefold()
            if levels.get(entry.level, logging.INFO) >= level and wanted in shown:
                yield entry

    def export(self) -> str:
        """Return all runs as one text, the oldest first ("Scarica i log"); this run is there even without a disk."""
        parts = [f"=== {run.path.name} ===\n{self.text(run)}" for run in reversed(self.runs())]
        if not any(run.current for run in self.runs()):
            parts.append(f"=== {self._path.name} ===\n{self.text()}")
        return "\n".join(parts)

    def excerpt(self, characters: int) -> str:
        """Return the latest part of this run's log, whole lines, for a request for support."""
        text = self.text()
        return text if len(text) <= characters else text[-characters:].partition("\n")[2]

    def clear(self) -> None:
        """Delete the logs of all runs but this one."""
        for path in self._files():
            if path != self._path:
                _delete(path)

    def _files(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if NAME.fullmatch(path.name)]
        except OSError:
            return []

    def _prune(self) -> None:
        for path in sorted(self._files(), key=lambda each: each.name, reverse=True)[RUNS:]:
            if path != self._path:
                _delete(path)


class _Writer(RotatingFileHandler):
    """Writes with mode 0600, two halves at most, and remembers the latest lines; never raises and never prints."""

    def __init__(self, path: Path, lines: deque[str], half: int) -> None:
        super().__init__(path, maxBytes=half, backupCount=1, encoding="utf-8", delay=True)
        self.setFormatter(_Formatter())
        self.broken = False
        self._lines = lines

    def remembered(self) -> list[str]:
        """Return the latest lines of this run."""
        with contextlib.ExitStack() as held:
            if self.lock:
                held.enter_context(self.lock)
            return list(self._lines)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The built-in one, because it alone takes an opener, so that the file never lies open to others for a moment.
        return open(path, "a", encoding="utf-8", newline="\n", opener=_owner_only)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember the entry, then write it; a disk that was full is tried again with the next one."""
        try:
            self._lines.append(self.format(record))
        except Exception:  # noqa: BLE001 - an argument that does not fit its text costs the line, not the run
            return
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Note that lines are lost, and let the program go on."""
        del record
        self.broken = True
        if self.stream:
            with contextlib.suppress(OSError, ValueError):
                self.stream.close()
            self.stream = None


class _Formatter(logging.Formatter):
    """One entry: UTC with milliseconds, level, logger, text; further lines are indented, so no text can forge one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format without traceback: a traceback holds values of the failure's text; see `crashed`."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        text = redacted(record.getMessage()[:LONGEST]).rstrip("\n").replace("\n", f"\n{MARK}")
        return f"{at}Z {record.levelname} {record.name} {text}"


@contextlib.contextmanager
def one_file(path: Path, *, debug: bool = False) -> Iterator[None]:
    """Write the log to one file of the caller's choice, masked as ever."""
    with _attached(_Writer(path, deque(maxlen=REMEMBERED), half=0), debug=debug):
        yield


@contextlib.contextmanager
def _attached(handler: logging.Handler, *, debug: bool) -> Iterator[None]:
    """Have our loggers write to one handler only, and leave them as they were."""
    before = LOGGER.propagate, LOGGER.level
    LOGGER.propagate = False
    LOGGER.setLevel(logging.DEBUG if debug else logging.INFO)
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        handler.close()
        LOGGER.propagate = before[0]
        LOGGER.setLevel(before[1])


def crashed(ending: Ending, *, where: str) -> None:
    """Log an unexpected failure as `client-error`: kind and places, neither its text nor any value."""
    kind, _, places = ending
    frames = "".join(traceback.format_tb(places)) if places else ""
    LOGGER.getChild("crash").error("client-error in %s: %s\n%s", where, kind.__name__, frames)


@contextlib.contextmanager
def watching(told: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Log what nobody caught, in this thread or another, instead of printing it; `told` lets a window say so."""

    def uncaught(kind: type[BaseException], problem: BaseException, places: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            crashed((kind, problem, places), where="the program")
            told()

    def uncaught_elsewhere(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            crashed((args.exc_type, args.exc_value, args.exc_traceback), where="a thread")
            told()

    before = sys.excepthook, threading.excepthook
    sys.excepthook, threading.excepthook = uncaught, uncaught_elsewhere
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before


def _entries(text: str) -> Iterator[Entry]:
    """Parse what `_Formatter` wrote; a line it did not write belongs to the entry before it."""
    head: re.Match[str] | None = None
    more: list[str] = []
    for line in [*text.splitlines(), None]:
        begins = SHOWN.fullmatch(line) if line is not None else None
        if line is None or begins:
            if head:
                yield Entry(head["at"], head["level"], head["logger"], "\n".join([head["text"], *more]))
            head, more = begins, []
        else:
            more.append(line.removeprefix(MARK))


def _halves(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.1"), path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _delete(path: Path) -> None:
    """Delete a run's files; one that another program holds open (Windows) stays until next time."""
    for each in _halves(path):
        with contextlib.suppress(OSError):
            each.unlink()


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
