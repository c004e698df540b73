"""Which processor core runs what: the server under test alone on the first, everything else on the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_ALL = sorted(os.sched_getaffinity(0))
SERVER = frozenset(_ALL[:1])
REST = frozenset(_ALL[1:] or _ALL)
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def on(chosen: frozenset[int]) -> Iterator[None]:
    """Run the block, and processes that it starts, on the chosen cores (the calling thread; children inherit)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def keep(pid: int, chosen: frozenset[int]) -> None:
    """Bind a running process of one thread (such as PostgreSQL's), and what it will start, to the chosen cores."""
    os.sched_setaffinity(pid, chosen)


def tree(pid: int) -> list[int]:
    """Return a process with all its descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(entry.parent.name)] = int(_fields(entry)[1])
    found = [pid]
    for number in found:  # grows as we go
        found += [child for child, parent in parents.items() if parent == number]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its living descendants have used."""
    total = 0
    for number in tree(pid):
        fields = _fields(Path(f"/proc/{number}/stat"))
        total += int(fields[11]) + int(fields[12])  # utime, stime: proc(5)
    return total / _TICKS


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process and its descendants in MiB: pages counted for each, or shared out (PSS)."""

    resident: float
    proportional: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        """Measure now."""
        kibibytes = {"Rss:": 0, "Pss:": 0}
        for number in tree(pid):
            for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
                name, *rest = line.split()
                if name in kibibytes:
                    kibibytes[name] += int(rest[0])
        return cls(kibibytes["Rss:"] / 1024, kibibytes["Pss:"] / 1024)


def _fields(stat: Path) -> list[str]:
    """The fields of proc(5) `stat` from the third on: the second, the name, may hold spaces."""
    return stat.read_text().rpartition(")")[2].split()
