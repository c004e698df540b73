"""`python -m tests.panel.pictures`: take the pictures of docs/panel/ anew, by the browser walk that the suite runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "panel"
PICTURES: pytest.StashKey[Path] = pytest.StashKey()


class IntoTheDocumentation:
    """A plugin that tells the walk where to leave its pictures."""

    def pytest_configure(self, config: pytest.Config) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        config.stash[PICTURES] = FOLDER


def lighten(folder: Path) -> None:
    """Keep 256 colours of each picture: a third of the bytes, and nobody sees it."""
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


if __name__ == "__main__":
    # The key must be the one that the fixtures import, not this script's own copy.
    from tests.panel.pictures import IntoTheDocumentation as Plugin

    outcome = pytest.main(["tests/panel/test_pictures.py", "-q"], plugins=[Plugin()])
    lighten(FOLDER)
    sys.exit(outcome)
