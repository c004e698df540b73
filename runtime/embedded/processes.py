"""Start a child that cannot outlive its parent, wait until it is ready, and stop it with all that it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from runtime.embedded.accounts import Account
from runtime.embedded.errors import ServiceFailed

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02

# Loaded before the fork: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class Child:
    """A running process: its name for messages, how it is asked to end, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path | None = None
    asked_to_stop: bool = field(default=False, init=False)

    @property
    def is_running(self) -> bool:
        """Tell whether the process has not ended yet."""
        return self.process.poll() is None

    def last_words(self, *, lines: int = 15) -> str:
        """Return the end of its output, for a message to the person at the terminal."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in good order; a process that has ended already is left alone."""
        self.asked_to_stop = True
        if self.is_running:
            self.process.send_signal(self.stop_signal)

    def stop(self, *, timeout: float = 20.0) -> int:
        """End it in good order, or by force after `timeout` seconds, with all of its group; return its exit status."""
        self.ask_to_stop()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._sweep_group()
        return self.process.wait()

    def kill(self) -> None:
        """End it and its group by force."""
        self._sweep_group()
        if self.is_running:
            self.process.kill()
        self.process.wait()

    def hurry(self) -> None:
        """Do not wait for its good order any longer, unless it keeps data (it ends on SIGINT): those need theirs."""
        if self.stop_signal is not signal.SIGINT:
            self._sweep_group()

    def _sweep_group(self) -> None:
        """Kill what the process has left behind: each child leads a group of its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start_child(
    name: str,
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    errors: TextIO | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
) -> Child:
    """Start `command` in a session of its own, so that Ctrl-C at the terminal reaches only the one who supervises.

    On Linux the kernel sends it `stop_signal` when the starting thread ends, whatever the reason (prctl(2),
    PR_SET_PDEATHSIG): even a supervisor killed by force leaves no orphan. `log` is opened by us, so that it may lie
    where the service account could not write; standard error goes there too unless `errors` names another place.
    """
    options = account.popen_options() if account else {}
    if folder is not None:
        options["cwd"] = folder
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(_opened(log)) if log else subprocess.DEVNULL
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors or subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
            preexec_fn=_leash(os.getpid(), stop_signal),  # noqa: PLW1509 - two system calls, nothing that locks
            **options,
        )
    return Child(name=name, process=process, stop_signal=stop_signal, log=log)


def wait_until(child: Child, is_ready: Callable[[], bool], *, timeout: float) -> None:
    """Wait until `is_ready` says yes; raise `ServiceFailed` if the child ends first or `timeout` seconds pass."""
    deadline = time.monotonic() + timeout
    while not is_ready():
        if not child.is_running:
            raise ServiceFailed(
                f"Il servizio «{child.name}» si è fermato subito. Ultime righe:\n{child.last_words()}",
                f"The service '{child.name}' ended at once (status {child.process.returncode}).",
            )
        if time.monotonic() > deadline:
            raise ServiceFailed(
                f"Il servizio «{child.name}» non risponde dopo {timeout:.0f} s. Ultime righe:\n{child.last_words()}",
                f"The service '{child.name}' does not answer after {timeout:.0f} seconds.",
            )
        time.sleep(POLL_SECONDS)


def command_of(pid: int) -> str:
    """Return the command line of the running process `pid`, or an empty text if there is none."""
    shown = Path("/proc", str(pid), "cmdline")
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return shown.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""
    listed = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return listed.stdout.strip()


def working_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is `folder`, as that of a database server is its data (Linux only)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


def end_stray(pid: int, stop_signal: signal.Signals, *, timeout: float = 20.0) -> None:
    """End a process that is not our child, such as a server left behind by a killed supervisor."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
        deadline = time.monotonic() + timeout
        while command_of(pid):
            os.kill(pid, 0 if time.monotonic() < deadline else signal.SIGKILL)
            time.sleep(POLL_SECONDS)


def _opened(log: Path) -> BinaryIO:
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _leash(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what the child does between fork and exec: tie its life to its parent's (Linux only)."""
    if _LIBC is None:
        return None
    prctl, number = _LIBC.prctl, int(death_signal)

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died in between: its signal will never come
            os._exit(1)

    return tie
