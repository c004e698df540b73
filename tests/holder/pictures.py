"""`python -m tests.holder.pictures [folder]`: take the pictures of the pages of a case, in both widths and both looks.

Without a folder, the ones that the guide shows (docs/titolare/) are made anew.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from tests.panel.pictures import PICTURES

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "titolare"
IN_GUIDE = ("attesa-390.png",)
COLOURS = 48


class IntoFolder:
    """A plugin that tells the walk where to leave its pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pytest_configure(self, config: pytest.Config) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config.stash[PICTURES] = self.folder


def taken(folder: Path) -> int:
    """Take them all; returns the exit status."""
    return int(pytest.main(["tests/holder/taking_pictures.py", "-q"], plugins=[IntoFolder(folder)]))


def into_guide(folder: Path) -> None:
    """Bring the guide's pictures to few colours: flat pages lose nothing that one sees."""
    for name in IN_GUIDE:
        with Image.open(folder / name) as picture:
            flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        flat.save(GUIDE / name, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(taken(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as name:
        outcome = taken(Path(name))
        into_guide(Path(name))
    sys.exit(outcome)
