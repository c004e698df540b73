"""Which drivers' PKCS#11 modules are on this computer: searched by fixed names in fixed folders of the system only.

Whoever is loaded sees the PIN. So a module comes from a folder that only the system's administrator can write; a path
from a setting, a server or the user's own folders is never looked at.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cardclient.readers.families import Driver, Families, Guess, known
from cardclient.readers.systems import System, this_system
from cardclient.readers.windows import file_version, system_folder

FOLDERS = {
    System.LINUX: (
        "/usr/lib/x64-athena",
        "/usr/lib/bit4id",
        "/usr/lib/pkcs11",
        "/usr/lib64/pkcs11",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu/pkcs11",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ),
    System.MACOS: (
        "/Library/bit4id/pkcs11",
        "/Library/Application Support/Athena",
        "/Library/OpenSC/lib",
        "/usr/local/lib",
    ),
}
_VERSION_IN_NAME = re.compile(r"\.so\.(\d+(?:\.\d+)*)$|\.(\d+(?:\.\d+)*)\.dylib$")


@dataclass(frozen=True, slots=True)
class Module:
    """A module that is here: full path, the driver it belongs to, its file version where that is cheap to know."""

    path: str
    driver: Driver
    version: str | None = None

    @property
    def name(self) -> str:
        """File name, without the folder, for reports."""
        return Path(self.path).name


class Disk(Protocol):
    """What is asked of the computer's disk."""

    def folders(self) -> Sequence[str]:
        """Return the system's folders where drivers put their modules, the most special first."""

    def find(self, folder: str, name: str) -> str | None:
        """Return the full path of a module that only administrators could have put there, or None."""

    def version(self, path: str) -> str | None:
        """Return the file's version, or None where the file does not tell it cheaply."""


class SystemDisk:
    """The disk of this computer."""

    def __init__(self, system: System) -> None:
        """Look where this system's drivers lie."""
        self._system = system

    def folders(self) -> Sequence[str]:
        """See `Disk.folders`; Windows has one, and says itself where it is (never by an environment variable)."""
        if self._system is System.WINDOWS:
            return (system_folder(),)
        return FOLDERS[self._system]

    def find(self, folder: str, name: str) -> str | None:
        """See `Disk.find`; a link is followed first, so that it cannot lead to a user's folder."""
        try:
            path = Path(folder, name).resolve(strict=True)
            if not path.is_file() or not (self._system is System.WINDOWS or is_protected(path)):
                return None
        except OSError:
            return None
        return str(path)

    def version(self, path: str) -> str | None:
        """See `Disk.version`."""
        return file_version(path) if self._system is System.WINDOWS else version_in_name(path)


def is_protected(path: Path) -> bool:
    """Tell whether only the superuser can replace this file: it and every folder above are his alone to write.

    A group may write where it is the superuser's own (gid 0), as on macOS.
    """
    for each in (path, *path.parents):
        found = each.stat()
        if found.st_uid != 0 or found.st_mode & stat.S_IWOTH:
            return False
        if found.st_mode & stat.S_IWGRP and found.st_gid != 0:
            return False
    return True


def version_in_name(path: str) -> str | None:
    """Read the version that ends a shared library's name: libx.so.1.4.10, libx.1.4.dylib."""
    found = _VERSION_IN_NAME.search(path)
    return next((each for each in found.groups() if each), None) if found else None


def installed(
    disk: Disk | None = None, *, families: Families | None = None, system: System | None = None
) -> tuple[Module, ...]:
    """Return every known module on this computer, in the order of `families.toml`; one per file name."""
    searched = system or this_system()
    place = disk or SystemDisk(searched)
    found = [
        Module(path, driver, place.version(path))
        for driver in (families or known()).drivers
        for name in driver.modules[searched]
        for path in _first(place.find(folder, name) for folder in place.folders())
    ]
    return tuple({each.path: each for each in found}.values())


def ordered_for(guess: Guess | None, modules: Iterable[Module]) -> tuple[Module, ...]:
    """Return the modules worth trying on a card: its family's driver first, then the others.

    One that cannot write is tried only on cards of no known family: on others it would hide that the driver is missing.
    """
    wanted = guess.driver if guess else None
    useful = [each for each in modules if guess is None or each.driver.writes]
    return tuple(sorted(useful, key=lambda each: (each.driver is not wanted, not each.driver.writes)))


def _first(paths: Iterable[str | None]) -> list[str]:
    """Return the first path that is there, as a list of one or none."""
    found = next((path for path in paths if path), None)
    return [found] if found else []
