"""One renewal at a time per card and computer: two windows that write one card would make two pairs of everything.

The lock is the operating system's, on a file named after the card: it ends with the process, however that ends. It is
no fence against other people (another user's file that cannot be opened is no reason to refuse the holder).
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from cardclient.errors import CardError

# A file behind somebody else's link is not opened; Windows has no such flag and no such links for users.
_FLAGS = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)


class Locks(Protocol):
    """How a system locks an open file against every other opening of it."""

    def take(self, handle: int) -> bool:
        """Lock it; False where another has it."""

    def release(self, handle: int) -> None:
        """Let it go, before it is closed."""


class FileLocks:
    """Linux and macOS: the whole file, for this opening of it; a second one of the same process is refused too."""

    def take(self, handle: int) -> bool:
        """See `Locks`."""
        import fcntl  # noqa: PLC0415 - Windows has none

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def release(self, handle: int) -> None:
        """Nothing: closing the file lets it go."""


class RegionLocks:
    """Windows: the first byte, which need not exist. Not run on Windows: tests give a stand-in of `msvcrt`."""

    def __init__(self, library: Any) -> None:
        """Lock with this library."""
        self._library = library

    def take(self, handle: int) -> bool:
        """See `Locks`."""
        try:
            self._library.locking(handle, self._library.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def release(self, handle: int) -> None:
        """Unlock: a region still locked when its file is closed is freed "when the system has time" (LockFile)."""
        with suppress(OSError):
            self._library.locking(handle, self._library.LK_UNLCK, 1)


def of_this_system() -> Locks:
    """Return the locks that this system has."""
    return RegionLocks(importlib.import_module("msvcrt")) if sys.platform == "win32" else FileLocks()


@contextmanager
def exclusive(serial: str, folder: Path | None = None, locks: Locks | None = None) -> Iterator[None]:
    """Work on this card alone; raises CardError("card-in-use") while another run of this program does.

    `folder` holds the files of the locks; None means the system's folder for temporary files.
    """
    name = f"sigillo-card-{hashlib.sha256(serial.encode()).hexdigest()[:16]}.lock"
    locks = locks or of_this_system()
    try:
        handle = os.open(Path(folder or tempfile.gettempdir()) / name, _FLAGS, 0o600)
    except OSError:
        yield
        return
    try:
        if not locks.take(handle):
            raise CardError("card-in-use")
        try:
            yield
        finally:
            locks.release(handle)
    finally:
        os.close(handle)
