"""`python -m config.demo.stand_ins --clamd PORT --resolver PORT`: serve both until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import threading

from config.demo.stand_ins.clamd import Clamd
from config.demo.stand_ins.resolver import Resolver


def main() -> int:
    """Serve until a signal comes; the status of the process."""
    parser = argparse.ArgumentParser(prog="python -m config.demo.stand_ins", description=__doc__)
    parser.add_argument("--clamd", type=int, required=True)
    parser.add_argument("--resolver", type=int, required=True)
    chosen = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with Clamd(chosen.clamd), Resolver(chosen.resolver):
        stopped.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
