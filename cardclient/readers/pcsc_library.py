"""The PC/SC library of each system as ctypes sees it: where it is, how wide its numbers are, which names it takes.

Sizes differ: on Windows a DWORD has 32 bits and a context is a pointer; macOS has 32 bits for both and packs its
structure; pcsc-lite on Linux uses `long` for both. Texts are UTF-16 on Windows. (winscard.h of each.)
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

from cardclient.readers.systems import System

PATHS = {
    System.WINDOWS: "winscard.dll",
    System.MACOS: "/System/Library/Frameworks/PCSC.framework/PCSC",
    System.LINUX: "libpcsclite.so.1",
}
_SYSTEM_FOLDER_ONLY = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32: never a winscard.dll from beside the program


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths and text form of one system's PC/SC."""

    dword: type[Any]
    long: type[Any]
    context: type[Any]
    atr_size: int
    is_packed: bool
    suffix: str  # of the functions that take texts
    encoding: str

    def encode(self, text: str) -> bytes:
        """Write a text as this library takes it, with its end."""
        return f"{text}\0".encode(self.encoding, self._errors)

    def decode_list(self, raw: bytes) -> list[str]:
        """Read a list of texts, each ended by a zero."""
        return [each for each in raw.decode(self.encoding, self._errors).split("\0") if each]

    @property
    def unit(self) -> int:
        """Bytes of one character, in which lengths are counted."""
        return 2 if self.encoding == "utf-16-le" else 1

    @property
    def _errors(self) -> str:
        """Readers' names must go back as they came, whatever bytes a driver put into them."""
        return "surrogatepass" if self.unit == 2 else "surrogateescape"


LAYOUTS = {
    System.WINDOWS: Layout(ctypes.c_uint32, ctypes.c_int32, ctypes.c_size_t, 36, False, "W", "utf-16-le"),  # noqa: FBT003
    System.MACOS: Layout(ctypes.c_uint32, ctypes.c_int32, ctypes.c_int32, 33, True, "", "utf-8"),  # noqa: FBT003
    System.LINUX: Layout(ctypes.c_ulong, ctypes.c_long, ctypes.c_long, 33, False, "", "utf-8"),  # noqa: FBT003
}


@functools.cache
def state_type(layout: Layout) -> type[ctypes.Structure]:
    """Build SCARD_READERSTATE for a layout."""
    parts: list[tuple[str, Any]] = [
        ("name", ctypes.c_void_p),
        ("user_data", ctypes.c_void_p),
        ("current_state", layout.dword),
        ("event_state", layout.dword),
        ("atr_length", layout.dword),
        ("atr", ctypes.c_ubyte * layout.atr_size),
    ]
    body: dict[str, Any] = {"_pack_": 1} if layout.is_packed else {}
    return type("ReaderStateC", (ctypes.Structure,), {**body, "_fields_": parts})


def open_library(system: System) -> Any | None:
    """Load the system's library, with return types set; None where there is none."""
    try:
        library = _load(PATHS[system], system)
    except OSError:
        return None
    layout = LAYOUTS[system]
    for name in ("SCardEstablishContext", "SCardReleaseContext"):
        getattr(library, name).restype = layout.long
    for name in ("SCardListReaders", "SCardGetStatusChange"):
        getattr(library, name + layout.suffix).restype = layout.long
    return library


def _load(path: str, system: System) -> Any:
    if system is not System.WINDOWS:
        return ctypes.CDLL(path)
    windows: Any = ctypes
    return windows.WinDLL(path, winmode=_SYSTEM_FOLDER_ONLY)
