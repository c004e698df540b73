"""A card behind a PKCS#11 module, seen through the `Card` port; the module runs in a process of its own.

Vendor modules crash and hang. One child process (multiprocessing, spawn) and one pipe keep that away from the flow: a
crash becomes `driver-failed`, a hang is killed at its time limit (`driver-timeout`), and the next call starts anew.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Any

from cardclient.errors import CardError, DriverError
from cardclient.pkcs11_process import Request, serve
from cardclient.ports import CardKey, CardReport, CardView, KeyKind, ObjectRef, ReaderState
from cardclient.readers.families import known
from cardclient.readers.verdicts import judged
from cardclient.secret import Secret

# Seconds. The guides speak of two to three minutes for key generation on a card.
LIMITS = {"scan": 10.0, "view": 10.0, "slots": 10.0, "generate": 180.0}
OTHERWISE = 30.0


class Pkcs11Card:
    """The chosen card of a module. `slot` counts the slots that hold a token; None means all."""

    def __init__(self, module: str, *, slot: int | None = None, limits: dict[str, float] | None = None) -> None:
        """Keep the module's path; nothing is loaded before the first call."""
        self._module = module
        self._slot = slot
        self._limits = LIMITS | (limits or {})
        self._serial: str | None = None
        self._turn = threading.Lock()  # one call at a time: the window looks for cards while another thread works
        self._child: tuple[multiprocessing.process.BaseProcess, Connection[Any, Any]] | None = None

    def scan(self) -> tuple[CardView, ...]:
        """See `Card.scan`."""
        views: tuple[CardView, ...] = self._call("scan")
        if len(views) == 1:
            self._serial = views[0].serial
        return tuple(self._judged(view) for view in views)

    def choose(self, serial: str) -> None:
        """See `Card.choose`."""
        self._serial = serial
        self._call("view")

    def view(self) -> CardView:
        """See `Card.view`."""
        return self._judged(self._call("view"))

    def login(self, pin: Secret) -> None:
        """See `Card.login`."""
        self._call("login", pin)

    def verify_puk(self, puk: Secret) -> None:
        """See `Card.verify_puk`."""
        self._call("verify_puk", puk)

    def unblock(self, puk: Secret, new_pin: Secret) -> None:
        """See `Card.unblock`."""
        self._call("unblock", puk, new_pin)

    def change_pin(self, pin: Secret, new_pin: Secret) -> None:
        """See `Card.change_pin`."""
        self._call("change_pin", pin, new_pin)

    def keys(self) -> tuple[CardKey, ...]:
        """See `Card.keys`."""
        keys: tuple[CardKey, ...] = self._call("keys")
        return keys

    def sign(self, key: ObjectRef, data: bytes, pin: Secret) -> bytes:
        """See `Card.sign`."""
        signature: bytes = self._call("sign", key, data, pin)
        return signature

    def generate(self, key_id: bytes, label: str, kind: KeyKind) -> bytes:
        """See `Card.generate`."""
        public: bytes = self._call("generate", key_id, label, kind)
        return public

    def install(self, key_id: bytes, label: str, certificate: bytes) -> None:
        """See `Card.install`."""
        self._call("install", key_id, label, certificate)

    def remove(self, target: ObjectRef) -> None:
        """See `Card.remove`."""
        self._call("remove", target)

    def report(self) -> CardReport:
        """See `Card.report`."""
        report: CardReport = self._call("report")
        return report

    def slots(self) -> tuple[ReaderState, ...] | None:
        """Tell the module's readers and which hold a card; None while another call has its turn. Not of the port."""
        if not self._turn.acquire(blocking=False):
            return None
        try:
            states: tuple[ReaderState, ...] = self._ask("slots")
        finally:
            self._turn.release()
        return states

    @property
    def module(self) -> str:
        """Full path of the module."""
        return self._module

    def close(self) -> None:
        """Ask the process to log out and end; one that does not answer is ended."""
        with self._turn:
            if self._child is None:
                return
            process, pipe = self._child
            with contextlib.suppress(OSError, ValueError):
                pipe.send(None)
            process.join(2.0)
            self._stop()

    def _judged(self, view: CardView) -> CardView:
        return judged(view, families=known(), module=self._module)

    def _call(self, operation: str, *arguments: Any) -> Any:
        with self._turn:
            return self._ask(operation, *arguments)

    def _ask(self, operation: str, *arguments: Any) -> Any:
        """Send one typed call and wait for its answer as long as its kind may take; raises what the card raised."""
        pipe = self._started()
        try:
            pipe.send(Request(operation, self._serial, arguments))
            if not pipe.poll(self._limits.get(operation, OTHERWISE)):
                self._stop()
                raise DriverError("driver-timeout", operation=operation)
            answer, problem = pipe.recv()
        except (EOFError, OSError):
            self._stop()
            raise DriverError(operation=operation) from None
        if problem is not None:
            raise problem if isinstance(problem, CardError) else DriverError(operation=operation)
        return answer

    def _started(self) -> Connection[Any, Any]:
        """Return the pipe to a living process, starting one where there is none. A restart forgets any login."""
        if self._child is not None and self._child[0].is_alive():
            return self._child[1]
        self._stop()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._module, self._slot), daemon=True)
        process.start()
        theirs.close()
        self._child = (process, ours)
        return ours

    def _stop(self) -> None:
        if self._child is None:
            return
        process, pipe = self._child
        self._child = None
        pipe.close()
        if process.is_alive():
            process.kill()
        process.join(2.0)
        process.close()
