"""One renewal at a time per card and computer: two windows that write one card would make two pairs of everything.

The lock is the operating system's, on a file named after the card: it ends with the process, however that ends. It is
no fence against other people (another user's file that cannot be opened is no reason to refuse the holder).
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardclient.errors import CardError

# A file behind somebody else's link is not opened; Windows has no such flag and no such links for users.
_FLAGS = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def exclusive(serial: str, folder: Path | None = None) -> Iterator[None]:
    """Work on this card alone; raises CardError("card-in-use") while another run of this program does.

    `folder` holds the files of the locks; None means the system's folder for temporary files.
    """
    name = f"sigillo-card-{hashlib.sha256(serial.encode()).hexdigest()[:16]}.lock"
    try:
        handle = os.open(Path(folder or tempfile.gettempdir()) / name, _FLAGS, 0o600)
    except OSError:
        yield
        return
    try:
        if not _locked(handle):
            raise CardError("card-in-use")
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":  # pragma: no cover - has not been run on Windows
    import msvcrt

    def _locked(handle: int) -> bool:
        """Lock the first byte; it need not exist."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _locked(handle: int) -> bool:
        """Lock the whole file for this opening of it: a second one of the same process is refused too."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
