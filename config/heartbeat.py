"""Signs of life of worker and beat: each touches a file, and a health check looks how old it is.

    python -m config.heartbeat FILE      exits 0 when FILE was touched in the last minute

The check runs every few seconds in a container of its own memory limit: so it loads nothing of the project. The file's
age is taken on one machine's own clock, where both times were written.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

LONGEST_SILENCE_SECONDS = 60.0
SHORTEST_PAUSE_SECONDS = 5.0

_last_touch: dict[Path, float] = {}


def touch(file: Path) -> None:
    """Show that this process is alive; called often, writes every few seconds."""
    now = time.monotonic()
    if now - _last_touch.get(file, -SHORTEST_PAUSE_SECONDS) < SHORTEST_PAUSE_SECONDS:
        return
    _last_touch[file] = now
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def silence(file: Path) -> float:
    """Return for how many seconds `file` was not touched; infinite when it is not there."""
    try:
        return max(0.0, time.time() - file.stat().st_mtime)  # noqa: TID251 - as old as the file system says
    except FileNotFoundError:
        return float("inf")


def main(arguments: list[str] | None = None) -> int:
    """Check one file; say on standard error what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m config.heartbeat", description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args(arguments).file
    age = silence(file)
    if age <= LONGEST_SILENCE_SECONDS:
        return 0
    sys.stderr.write(f"{file}: no sign of life for {age:.0f} s\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
