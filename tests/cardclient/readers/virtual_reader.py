"""A card in a virtual reader of the real PC/SC service: vsmartcard's vpcd, spoken to as its README says."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

DRIVERS = Path("/usr/lib/pcsc/drivers/serial")
SOCKET = Path("/run/pcscd/pcscd.comm")
PORT = 0x8C7B
GIVE_ATR = b"\x04"


def missing() -> str | None:
    """Name what the machine lacks to run a service of its own, for a visible skip."""
    if shutil.which("pcscd") is None:
        return "pcscd"
    if driver() is None:
        return "vsmartcard-vpcd"
    return "a free PC/SC service" if SOCKET.exists() else None


def driver() -> Path | None:
    return next(iter(sorted(DRIVERS.glob("libifdvpcd.so*"))), None)


@contextlib.contextmanager
def service(folder: Path):
    """Run a PC/SC service with one virtual reader."""
    configuration = folder / "readers"
    configuration.mkdir()
    lines = (
        'FRIENDLYNAME "Virtual PCD"',
        f"DEVICENAME /dev/null:{PORT:#x}",
        f"LIBPATH {driver()}",
        f"CHANNELID {PORT:#x}",
    )
    (configuration / "vpcd").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(["pcscd", "--foreground", "-c", str(configuration)], stdout=subprocess.DEVNULL)
    try:
        _await(SOCKET.exists)
        yield process
    finally:
        process.kill()
        process.wait(5)
        SOCKET.unlink(missing_ok=True)


class VirtualCard:
    """A card that answers a reset and refuses every command."""

    def __init__(self, atr: bytes) -> None:
        """Go into the reader."""
        self._atr = atr
        self._line = socket.create_connection(("127.0.0.1", PORT), timeout=10)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def out(self) -> None:
        """Leave the reader."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
        self._thread.join(5)

    def _answer(self) -> None:
        """Read commands, each after its length in two octets; one octet is a word to the reader, more are an APDU."""
        with contextlib.suppress(OSError):
            while length := self._line.recv(2, socket.MSG_WAITALL):
                told = self._line.recv(int.from_bytes(length), socket.MSG_WAITALL)
                if told == GIVE_ATR:
                    self._line.sendall(len(self._atr).to_bytes(2) + self._atr)
                elif len(told) > 1:
                    self._line.sendall(b"\0\2\x6d\0")


def _await(is_so) -> None:
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)
