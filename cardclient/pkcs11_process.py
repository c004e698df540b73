"""The child process around a PKCS#11 module: reads typed requests from a pipe, answers with a value or a coded error.

Texts of exceptions never leave it: a driver's message might quote what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import pkcs11
from pkcs11 import exceptions as kinds

from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    DriverError,
    NoCard,
    PinLength,
    PinLocked,
    WrongPin,
)
from cardclient.pkcs11_token import Pkcs11Token

WRITES = frozenset({"generate", "install", "remove"})
OPERATIONS = WRITES | {
    "scan",
    "view",
    "login",
    "verify_puk",
    "unblock",
    "change_pin",
    "keys",
    "sign",
    "report",
    "slots",
}

REMOVED = (
    kinds.DeviceRemoved,
    kinds.TokenNotPresent,
    kinds.SessionHandleInvalid,
    kinds.SessionClosed,
    kinds.SlotIDInvalid,
    kinds.TokenNotRecognised,
)


@dataclass(frozen=True, slots=True)
class Request:
    """One call: an operation of the list above, the serial of the chosen card, typed arguments."""

    operation: str
    serial: str | None
    arguments: tuple[Any, ...]


def serve(pipe: Connection[Any, Any], module: str, slot: int | None) -> None:
    """Answer requests until None comes or the pipe closes; the module is loaded at the first request."""
    token: Pkcs11Token | None = None
    while True:
        try:
            request = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            break
        if request is None:
            break
        try:
            token = token or _loaded(module, slot)
            pipe.send((_carry_out(token, request), None))
        except CardError as problem:
            pipe.send((None, problem))
    if token is not None:
        token.close()


def _loaded(module: str, slot: int | None) -> Pkcs11Token:
    try:
        return Pkcs11Token(pkcs11.lib(module), module, slot)
    except (kinds.PKCS11Error, RuntimeError, OSError):
        raise DriverError("driver-missing") from None


def _carry_out(token: Pkcs11Token, request: Request) -> Any:
    """Run one operation and turn whatever the module raises into one of our kinds."""
    if request.operation not in OPERATIONS:
        raise DriverError(operation="unknown")
    token.serial = request.serial
    try:
        return getattr(token, request.operation)(*request.arguments)
    except CardError as problem:
        problem.operation = problem.operation or request.operation
        raise
    except kinds.PKCS11Error as problem:
        raise _translated(problem, request.operation) from None
    except Exception:  # noqa: BLE001 - a wrapper's bug must not carry a code away in its text
        raise DriverError(operation=request.operation) from None


def _translated(problem: kinds.PKCS11Error, operation: str) -> CardError:
    """Map PKCS#11 return values to our kinds; what is left is access or, for a write, update."""
    name = type(problem).__name__
    if isinstance(problem, kinds.PinIncorrect):
        return WrongPin(operation=operation)
    if isinstance(problem, kinds.PinLocked):
        return PinLocked(operation=operation)
    if isinstance(problem, kinds.PinLenRange | kinds.PinInvalid | kinds.PinTooWeak):
        return PinLength(operation=operation)
    if isinstance(problem, REMOVED):
        return CardRemoved(operation=operation)
    if isinstance(problem, kinds.DeviceMemory):
        return CardUpdateError("card-memory", operation=operation)
    kind = CardUpdateError if operation in WRITES else CardError
    return kind(operation=f"{operation}:{name}")


__all__ = ["AnotherCard", "NoCard", "Request", "serve"]
