"""CK_TOKEN_INFO in full (PKCS#11 v2.40 §3.2), for what the wrapper leaves out: lengths of the PIN and free memory.

Asked of the module that is loaded already, inside the card process. On Windows the standard's structures are packed.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from typing import Any

_PACKED: dict[str, Any] = {"_pack_": 1} if sys.platform == "win32" else {}
_NUMBERS = (
    "flags",
    "most_sessions",
    "sessions",
    "most_writing_sessions",
    "writing_sessions",
    "longest_pin",
    "shortest_pin",
    "total_public_memory",
    "free_public_memory",
    "total_private_memory",
    "free_private_memory",
)
_FIELDS: list[tuple[str, Any]] = [
    ("label", ctypes.c_ubyte * 32),
    ("manufacturer", ctypes.c_ubyte * 32),
    ("model", ctypes.c_ubyte * 16),
    ("serial", ctypes.c_ubyte * 16),
    *((name, ctypes.c_ulong) for name in _NUMBERS),
    ("versions", ctypes.c_ubyte * 4),
    ("time", ctypes.c_ubyte * 16),
]
TokenInfo = type("TokenInfo", (ctypes.Structure,), {**_PACKED, "_fields_": _FIELDS})
_GET_TOKEN_INFO = 6  # C_GetTokenInfo's place in CK_FUNCTION_LIST
FunctionList = type(
    "FunctionList",
    (ctypes.Structure,),
    {**_PACKED, "_fields_": [("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * (_GET_TOKEN_INFO + 1))]},
)
UNTOLD = ctypes.c_ulong(-1).value  # CK_UNAVAILABLE_INFORMATION


def token_facts(module: str, slot_id: int) -> Mapping[str, str]:
    """Return `shortest_pin`, `longest_pin` (characters) and `free_memory` (octets), as far as the module tells them."""
    try:
        info: Any = _token_info(module, slot_id)
    except OSError:
        return {}
    if info is None:
        return {}
    told = {
        "shortest_pin": info.shortest_pin,
        "longest_pin": info.longest_pin,
        "free_memory": info.free_private_memory,
    }
    return {name: str(value) for name, value in told.items() if value not in {UNTOLD, 0}}


def _token_info(module: str, slot_id: int) -> Any | None:
    """Call C_GetTokenInfo through the module's own list of functions; None where it refuses."""
    library = ctypes.CDLL(module)
    functions: Any = ctypes.POINTER(FunctionList)()
    if library.C_GetFunctionList(ctypes.byref(functions)) != 0:
        return None
    made: Any = functions.contents
    call = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p)(made.functions[_GET_TOKEN_INFO])
    info = TokenInfo()
    return info if call(slot_id, ctypes.byref(info)) == 0 else None
