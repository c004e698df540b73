"""`manage.py rehearse --at INSTANT [--csv FILE]`: what one round of the sweeps would do then, with nothing executed.

And when, until then, each holder would get which reminder or warning.
"""

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
from renewals.services import foretold, rehearsal
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
            self._summarise(chosen, _copied(turns, file, chosen), quietly=options["csv"] == "-")

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
        self._list_notices(out, chosen)

    def _list_notices(self, out: Any, chosen: datetime) -> None:
        """One line for each notice until then: instant, kind, threshold, and the case or the hold that it is about."""
        out.write(f"Notices until {chosen.isoformat()}:")
        for row in foretold.walk(now=chosen, today=min(clock.now(), chosen)):
            about = row.case.code if row.case else f"hold {row.pk}"
            for letter in row.letters:
                out.write(f"{letter.at.isoformat()} {letter.message:<20} {letter.days:>2} days left  {about}")


def _instant(text: str) -> datetime:
    """Read ISO 8601 with an offset: a local time without one means two instants in one night of the year."""
    try:
        return clock.as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _copied(turns: Iterator[Turn], file: TextIO, chosen: datetime) -> Iterator[Turn]:
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(rehearsed.head())
    for turn in turns:
        writer.writerow([cell(value) for value in rehearsed.cells(turn, datetime.isoformat)])
        yield turn
    for row in foretold.walk(now=chosen, today=min(clock.now(), chosen)):
        writer.writerows([cell(value) for value in cells] for cells in rehearsed.told_cells(row, datetime.isoformat))


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdout
        return
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        yield file
