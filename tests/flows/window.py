"""The real window at a holder's desk: as its program joins it, with the card's helper process, HTTP and a log on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cardclient.preferences import Store
from cardclient.support.log import FOLDER, Logbook
from cardclient.ui import app
from tests.cardclient.ui.conftest import Story  # first: it chooses Qt's platform


class WindowStory(Story):
    """A story on a real card and server, on a machine that may be busy."""

    patience = glance = 60_000


@contextmanager
def window(qtbot, folder: Path, server: str, *source: str) -> Iterator[WindowStory]:
    """Open the window as `sigillo-card window --server … SOURCE` does; it is closed with the block."""
    options = app.parser().parse_args([f"--server={server}", f"--settings={folder}", *source])
    store = Store(options.settings)
    preferences = replace(store.load(), server=options.server)
    with closing(Logbook(folder / FOLDER, now=datetime.now(UTC))) as logbook:
        story = WindowStory(qtbot, app._ports(options, store, preferences, logbook))
        try:
            yield story
        finally:
            story.conductor.stop()
