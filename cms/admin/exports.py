"""CSV as an Italian spreadsheet opens it: semicolons, UTF-8 with its mark, streamed, and no cell that is a formula.

A list of a million rows never lies in memory: rows are read by key in chunks while the answer is being sent.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

Row = TypeVar("Row", bound=Model)
Cell = str | int | None

CHUNK = 500
# A spreadsheet shows 1,048,576 lines; a file that goes on after them would only seem complete.
MOST_ROWS = 1_000_000
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
# What starts a formula, also written wide, and the controls that spreadsheets skip before looking for one.
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n|%")


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """Send rows as `<name>.csv`; `rows` is consumed while the answer leaves, so it must read by key and in chunks."""
    answer = StreamingHttpResponse(_lines(head, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def walked(found: QuerySet[Row], *, most: int = MOST_ROWS) -> Iterator[list[Row]]:
    """Read rows newest first, in chunks by key, with no transaction and no cursor kept open."""
    last: int | None = None
    left = most
    while left > 0:
        beyond = found if last is None else found.filter(pk__lt=last)
        chunk = list(beyond.order_by("-pk")[: min(CHUNK, left)])
        if not chunk:
            return
        yield chunk
        last, left = chunk[-1].pk, left - len(chunk)


def cell(value: Cell) -> str:
    """Write one value. Text that a spreadsheet would calculate gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = value.replace("\x00", "")
    return f"'{text}" if text.lstrip(" \N{NO-BREAK SPACE}")[:1] in _FORMULA and text else text


def _lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    yield _BYTE_ORDER_MARK + writer.writerow([cell(title) for title in head])
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            yield writer.writerow([_("Elenco interrotto: troppe righe. Restringa la ricerca e scarichi di nuovo.")])
            return
        yield writer.writerow([cell(value) for value in row])


class _Echo:
    """A file that gives back what is written to it."""

    @staticmethod
    def write(line: str) -> str:
        return line
