"""The three operating systems whose drivers, folders and reader services differ."""

from __future__ import annotations

import enum
import sys


class System(enum.StrEnum):
    """An operating system, as `families.toml` names it."""

    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"


def this_system(platform: str = sys.platform) -> System:
    """Return the system the program runs on; whatever is neither Windows nor macOS is taken for Linux."""
    return {"win32": System.WINDOWS, "darwin": System.MACOS}.get(platform, System.LINUX)
