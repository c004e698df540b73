"""Saving a text where the person wants it. The question is a function, so that tests answer it."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from cardclient.words import tr

LOG = logging.getLogger("cardclient.ui.saving")

# Parent, suggested file name, and the kinds of file as Qt writes them; None when the person changes his mind.
AskPath = Callable[[QWidget, str, str], Path | None]


def ask_path(parent: QWidget, name: str, kinds: str) -> Path | None:
    """Ask with the system's own dialog, beginning in the folder of documents."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Salva"), str(Path(folder) / name), kinds)
    return Path(chosen) if chosen else None


def save_text(path: Path, text: str) -> bool:
    """Write the whole file or nothing, readable by this user only; False when the place cannot be written."""
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".sigillo-")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as target:
            target.write(text)
        Path(beside).replace(path)
    except OSError as problem:
        LOG.warning("a file was not saved: %s", type(problem).__name__)
        if beside:
            with contextlib.suppress(OSError):
                Path(beside).unlink(missing_ok=True)
        return False
    return True
