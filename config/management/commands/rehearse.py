"""`manage.py rehearse --at INSTANT [--csv FILE]`: what one round of the sweeps would do then, with nothing executed."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand

from cms.admin.exports import cell
from renewals.admin import rehearsed
from renewals.services import rehearsal
from renewals.services.rounds import Sweep, Turn
from runtime import clock


class Command(BaseCommand):
    """Reads in chunks, locks nothing, writes nothing; names no person, so that its output may be kept."""

    help = "Say what one round of the sweeps would do at an instant, on the register as it is. Nothing is executed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--at", type=_instant, help="instant with its offset (2027-03-12T10:15:00+01:00); now if left out"
        )
        parser.add_argument("--csv", metavar="FILE", help="write every row to this file; - is the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        chosen: datetime = options["at"] or clock.now()
        turns = rehearsal.walk(now=chosen)
        if options["csv"] is None:
            self._summarise(chosen, turns)
            return
        with _opened(options["csv"]) as file:
            self._summarise(chosen, _copied(turns, file), quietly=options["csv"] == "-")

    def _summarise(self, chosen: datetime, turns: Iterator[Turn], *, quietly: bool = False) -> None:
        done, passed, mails = Counter[str](), Counter[str](), Counter[str]()
        for turn in turns:
            (passed if rehearsed.is_idle(turn) else done)[turn.sweep] += 1
            mails.update([turn.mail.message] if turn.mail else [])
        out = self.stderr if quietly else self.stdout
        out.write(f"One round at {chosen.isoformat()}; nothing was executed.")
        for sweep in Sweep:
            out.write(f"{sweep.value:<12} {done[sweep]:>8} done, {passed[sweep]} without effect")
        for message, count in sorted(mails.items()):
            out.write(f"mail {message:<20} {count:>8}")


def _instant(text: str) -> datetime:
    """Read ISO 8601 with an offset: a local time without one means two instants in one night of the year."""
    try:
        return clock.as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _copied(turns: Iterator[Turn], file: TextIO) -> Iterator[Turn]:
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(rehearsed.head())
    for turn in turns:
        writer.writerow([cell(value) for value in rehearsed.cells(turn, datetime.isoformat)])
        yield turn


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdout
        return
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        yield file
