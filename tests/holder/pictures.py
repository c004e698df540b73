"""`python -m tests.holder.pictures [folder]`: take the pictures of the pages of a case (docs/titolare/)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.panel.pictures import PICTURES, lighten

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "titolare"


class IntoFolder:
    """A plugin that tells the walk where to leave its pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pytest_configure(self, config: pytest.Config) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config.stash[PICTURES] = self.folder


if __name__ == "__main__":
    asked = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    outcome = pytest.main(["tests/holder/taking_pictures.py", "-q"], plugins=[IntoFolder(asked)])
    lighten(asked)
    sys.exit(outcome)
