"""What only Windows is asked: where its system folder is, and the version of a file, through ctypes.

Not run on Windows yet; the tests put a library in memory in the place of kernel32.dll and version.dll.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

LONGEST_PATH = 260  # MAX_PATH
FIXED_INFO = "<13I"  # VS_FIXEDFILEINFO: signature, structure version, file version high and low, nine more
SIGNATURE = 0xFEEF04BD


def system_folder(kernel: Any | None = None) -> str:
    r"""Return Windows' own folder of libraries, C:\Windows\System32 on most computers; empty when it does not say."""
    library = kernel if kernel is not None else _library("kernel32")
    text = ctypes.create_unicode_buffer(LONGEST_PATH)
    length = library.GetSystemDirectoryW(text, LONGEST_PATH)
    return text.value if 0 < length < LONGEST_PATH else ""


def file_version(path: str, versions: Any | None = None) -> str | None:
    """Return a file's version as four numbers, "1.4.10.647"; None for a file without one."""
    library = versions if versions is not None else _library("version")
    size = library.GetFileVersionInfoSizeW(path, None)
    if not size:
        return None
    data = ctypes.create_string_buffer(size)
    value, length = ctypes.c_void_p(), ctypes.c_uint()
    if not library.GetFileVersionInfoW(path, 0, size, data):
        return None
    if not library.VerQueryValueW(data, "\\", ctypes.byref(value), ctypes.byref(length)):
        return None
    return _numbers(value.value, length.value)


def _numbers(address: int | None, length: int) -> str | None:
    """Read the four 16-bit numbers out of the fixed part of the version resource."""
    if not address or length < struct.calcsize(FIXED_INFO):
        return None
    fixed = struct.unpack(FIXED_INFO, ctypes.string_at(address, struct.calcsize(FIXED_INFO)))
    if fixed[0] != SIGNATURE:
        return None
    high, low = fixed[2], fixed[3]
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"


def _library(name: str) -> Any:
    windows: Any = ctypes
    return windows.WinDLL(f"{name}.dll", winmode=0x800)  # LOAD_LIBRARY_SEARCH_SYSTEM32
