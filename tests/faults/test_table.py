"""docs/faults.md names tests that exist, and calls soak what has a long form."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`(?: \*(soak))?")


def test_every_test_that_the_table_names_exists():
    named = NAMED.findall((ROOT / "docs/faults.md").read_text())
    assert len(named) > 30
    lost = [f"{file}::{name}" for file, name, _soak in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert lost == []


def test_what_is_called_soak_has_a_long_form():
    named = NAMED.findall((ROOT / "docs/faults.md").read_text())
    assert [file for file, _name, soak in named if soak and "mark.soak" not in (ROOT / file).read_text()] == []


def test_every_file_of_this_folder_stands_in_the_table():
    named = {file for file, _name, _soak in NAMED.findall((ROOT / "docs/faults.md").read_text())}
    mine = {f"tests/faults/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert mine - named == {"tests/faults/test_table.py"}
