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
    """Pack each picture as tightly as PNG can, without losing a colour."""
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            plain = picture.convert("RGB")
        plain.save(path, optimize=True)


if __name__ == "__main__":
    # The key must be the one that the fixtures import, not this script's own copy.
    from tests.panel.pictures import IntoTheDocumentation as Plugin

    outcome = pytest.main(["tests/panel/test_pictures.py", "-q"], plugins=[Plugin()])
    lighten(FOLDER)
    sys.exit(outcome)
