"""Decides what the window shows: scans by itself, runs the flow in the worker, and gives each question its page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.page import Page
from cardclient.ui.window import Window
from cardclient.words import tr

if TYPE_CHECKING:
    from cardclient.ui.app import Ports

LOG = logging.getLogger("cardclient.ui.conductor")


class Conductor(QObject):
    """The window's mind. All its methods run in Qt's thread; card and office are only touched by the worker's jobs."""

    def __init__(self, ports: Ports) -> None:
        """Build the window; `start` shows it."""
        super().__init__()
        self.ports = ports
        self.worker = Worker()
        self.watch = ReaderWatch(ports.readers)
        self.window = Window()
        self.watch.changed.connect(self._readers_changed)
        self.window.closed.connect(self.stop)

    def start(self) -> None:
        """Show the window and begin to look at the readers."""
        self.window.show_page(Page(tr("Rinnovo della carta")))
        self.window.show()
        self.watch.start()

    @Slot()
    def stop(self) -> None:
        """End watch and worker; may be called twice."""
        self.watch.stop()
        self.worker.stop()

    @Slot(object)
    def _readers_changed(self, states: object) -> None:
        LOG.info("readers changed: %s", states)
