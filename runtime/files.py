"""Files that are whole at every instant: whoever opens one reads the old content or the new one, also after a crash."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

READABLE_BY_ALL = 0o644
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class Disk:
    """The four steps of a replacement, in their order. Tests put a disk here that fills up or stops at one of them."""

    def write(self, descriptor: int, octets: bytes) -> None:
        """Write all of it."""
        left = memoryview(octets)
        while left:
            left = left[os.write(descriptor, left) :]

    def flush(self, descriptor: int) -> None:
        """Have the content on the disk before any name leads to it."""
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Let the name lead to the new content: the one step that readers see."""
        old.replace(new)

    def flush_folder(self, folder: Path) -> None:
        """Have the name on the disk, so that a power cut does not bring the old content back."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace(path: Path, octets: bytes, disk: Disk) -> None:
    """Give the file this content; whatever fails leaves the old file whole and raises `OSError`.

    The new content is first written beside it under one fixed name, so what a killed process leaves behind is written
    over by the next one. One writer at a time: see `alone_in`.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(beside, _NEW, READABLE_BY_ALL)
        try:
            disk.write(descriptor, octets)
            disk.flush(descriptor)
        finally:
            os.close(descriptor)
        disk.rename(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    disk.flush_folder(path.parent)


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Keep other processes of this machine from writing here; says whether they are kept, and never waits.

    The lock is the kernel's and ends with its process, however that ends.
    """
    descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
