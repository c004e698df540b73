"""Pieces of Markdown that the made documents share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ".venv/bin/python -m tests.plugin .venv/bin/python -m tests.docs"

# References to papers that are not part of this repository say nothing to its readers.
_OUR_PAPERS = re.compile(r" \((?:[\w.]+\.md|domain|guide|HTTP|REG)\b[^)]*\)")


def head(title: str) -> list[str]:
    """Return title and the note that a made document starts with."""
    return [f"# {title}", "", f"Made from the code by `{COMMAND}`. Do not edit: a test compares.", ""]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table and the empty line after it."""
    lines = [_line(columns), _line(["---"] * len(columns))]
    return [*lines, *(_line(row) for row in rows), ""]


def sentence(thing: object) -> str:
    """Return the first line of a docstring, without references to papers that readers do not have."""
    return _OUR_PAPERS.sub("", (thing.__doc__ or "").strip().partition("\n")[0])


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if text != "" else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
