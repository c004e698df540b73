"""The card client on the holder's computer: time to the window, what it costs at rest, and its own part of a renewal.

Limits: 2 s to the window, 1 % of a processor at rest, 200 MB with the card's helper process, 1 s of a renewal that is
neither card nor server. Peer for the start: the smallest window that Qt can show. Memory is what each process has alone
plus its part of what it shares (PSS), so that nothing is counted twice. Linux only: it reads `/proc`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import report, services
from benchmarks.report import Target

ROUNDS = 3 if services.IS_QUICK else 10
AT_REST = 5.0 if services.IS_QUICK else 30.0
"""Seconds at which the window is watched doing nothing."""
SETTLED = 4.0
TARGETS = {
    "start / 2 s": Target(at_most=1),
    "idle CPU / 1 %": Target(at_most=1),
    "memory / 200 MB": Target(at_most=1),
    "own part of a renewal / 1 s": Target(at_most=1),
}
BARE = "from PySide6.QtWidgets import QLabel; w = QLabel('Sigillo'); w.show(); sys.exit(a.exec())"
# Says "shown" when the first window is painted; the rest is the program as a person starts it.
WATCHED = """
import sys
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.isWindow():
            print("shown", flush=True)
            QApplication.instance().removeEventFilter(self)
        return False
a = QApplication(sys.argv[:1])
watch = Watch()
a.installEventFilter(watch)
"""
WINDOW = "from cardclient.ui.app import main; sys.exit(main({arguments!r}))"


def main() -> int:
    """Measure all four and report, whatever the figures."""
    with TemporaryDirectory(prefix="sigillo-client-") as folder:
        arguments = [
            "--simulator",
            str(Path(folder) / "no-card.json"),
            "--settings",
            folder,
            "--server",
            "http://localhost:9",
        ]
        starts, bare, idle, memory = [], [], [], []
        for _round in range(ROUNDS):
            bare.append(_seconds_to_show(WATCHED + BARE))
            starts.append(_seconds_to_show(WATCHED + WINDOW.format(arguments=arguments)))
        with _shown(WATCHED + WINDOW.format(arguments=arguments)) as process:
            time.sleep(SETTLED)
            idle.append(_share_of_a_processor(process.pid))
            memory.append(_megabytes(process.pid))
        helper = _helper_megabytes(folder)
    own, whole = _renewals()
    print(f"start {report.Spread.of(starts)} s, bare Qt window {report.Spread.of(bare)} s")
    print(f"at rest {idle[0] * 100:.2f} % of a processor, window {memory[0]:.0f} MB, helper {helper:.0f} MB")
    print(f"renewal {report.Spread.of(whole)} s, of which neither card nor server {report.Spread.of(own)} s\n")
    report.conclude(
        "cardclient",
        {
            "start / bare Qt window": report.quotients(starts, bare),
            "start / 2 s": [each / 2 for each in starts],
            "idle CPU / 1 %": [each / 0.01 for each in idle],
            "memory / 200 MB": [(each + helper) / 200 for each in memory],
            "own part of a renewal / 1 s": own,
        },
        TARGETS,
    )
    return 0


@contextmanager
def _shown(program: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program without a screen until its first window is painted; it is ended at the end."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "shown\n":
                raise RuntimeError("the window was not shown")
            yield process
        finally:
            process.kill()


def _seconds_to_show(program: str) -> float:
    began = time.monotonic()
    with _shown(program):
        return time.monotonic() - began


def _share_of_a_processor(pid: int) -> float:
    before = sum(map(_ticks, _family(pid)))
    time.sleep(AT_REST)
    return (sum(map(_ticks, _family(pid))) - before) / os.sysconf("SC_CLK_TCK") / AT_REST


def _family(pid: int) -> list[int]:
    """The process and all its descendants."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()]
    return [pid, *(each for child in children for each in _family(child))]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _megabytes(pid: int) -> float:
    return sum(_pss(each) for each in _family(pid)) / 1024


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _helper_megabytes(folder: str) -> float:
    """What the card's own process weighs, with SoftHSM2 as its module where there is one."""
    from cardclient.card_pkcs11 import Pkcs11Card  # noqa: PLC0415 - only this part needs it
    from cardclient.errors import CardError  # noqa: PLC0415
    from tests.cardclient import softhsm  # noqa: PLC0415

    module = softhsm.module()
    if module is None:
        return 0.0
    token = softhsm.make_token(Path(folder), pin="12345", puk="87654321")
    os.environ.update(token.environment)
    card = Pkcs11Card(str(module))
    try:
        card.scan()
        (helper,) = [each for each in _family(os.getpid()) if each != os.getpid() and "spawn_main" in _command(each)]
        return _pss(helper) / 1024
    except CardError:
        return 0.0
    finally:
        card.close()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


class _Timed:
    """Passes every call on and adds up what they took."""

    def __init__(self, behind: Any) -> None:
        self._behind, self.seconds = behind, 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        return self._measured(found) if callable(found) else found

    def _measured(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return measured


def _renewals() -> tuple[list[float], list[float]]:
    """Renew simulated cards at an office in memory; what is left of the time when card and office are taken out."""
    from cardclient import flow  # noqa: PLC0415
    from cardclient.office import HttpOffice  # noqa: PLC0415
    from cardclient.secret import Secret  # noqa: PLC0415
    from cardclient.simulator import SimulatedCard  # noqa: PLC0415
    from tests.cardclient import conftest  # noqa: PLC0415
    from tests.cardclient.fake_authority import FakeAuthority  # noqa: PLC0415
    from tests.cardclient.fake_office import FakeOffice  # noqa: PLC0415
    from tests.cardclient.recording_screen import RecordingScreen  # noqa: PLC0415

    cards: Any = conftest  # the tests are not typed
    authority, own, whole = FakeAuthority(), [], []
    for _round in range(ROUNDS):
        with TemporaryDirectory() as folder:
            made = SimulatedCard.create(
                Path(folder) / "card.json", serial=cards.SERIAL, pin=Secret(cards.PIN), puk=Secret(cards.PUK)
            )
            made.login(Secret(cards.PIN))
            server = FakeOffice(cards.SERIAL, cards.personalise(made, authority), authority, now=cards.NOW)
            made.close()
            card = _Timed(SimulatedCard(made.path))
            office = HttpOffice("https://ra.example.org", transport=server.transport(), sleep=lambda _seconds: None)
            spent = _Timed(office)
            began = time.perf_counter()
            flow.renew(flow.Desk(card, RecordingScreen(pin=[cards.PIN], puk=[cards.PUK]), spent, cards.NOW))
            whole.append(time.perf_counter() - began)
            own.append(whole[-1] - card.seconds - spent.seconds)
    return own, whole


if __name__ == "__main__":
    sys.exit(main())
