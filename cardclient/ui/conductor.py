"""Decides what the window shows: scans by itself, starts a run for the holder's wish, shows how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from cardclient.ports import ReaderState
from cardclient.preferences import Preferences, PreferencesUnsaved
from cardclient.ui.bridge import Done, ReaderWatch, Stopped, WindowScreen, Worker
from cardclient.ui.pages.address import AddressPage
from cardclient.ui.pages.ending import Failure, FailurePage, ResultPage
from cardclient.ui.pages.progress import ProgressPage
from cardclient.ui.pages.start import StartPage, Wish
from cardclient.ui.presence import Presence, Reinsertion
from cardclient.ui.run import Run
from cardclient.ui.window import Window
from cardclient.ui.work import Unanswered, Work
from cardclient.words import chosen, set_language

if TYPE_CHECKING:
    from cardclient.flow import Outcome
    from cardclient.ui.app import Ports
    from cardclient.ui.support_draft import Draft

LOG = logging.getLogger("cardclient.ui.conductor")
UNPAINTED = 2000  # ms; a window that opens minimised is not painted, and its cards are read all the same
DOWNLOAD_PAGE = "/scarica/"  # the office's page with program and drivers by family code


class Conductor(QObject):
    """The window's mind. All its methods run in Qt's thread; card and office are only touched by the worker's jobs."""

    def __init__(self, ports: Ports) -> None:
        """Build the window; `start` shows it."""
        super().__init__()
        self.ports, self.preferences = ports, ports.preferences
        self.worker = Worker()
        self.watch = ReaderWatch(ports.readers)
        self.work = Work(ports.open_card, lambda: ports.make_office(self.preferences), ports.clock)
        self.window = Window()
        self.run: Run | None = None
        self.draft: Draft | None = None  # the request for help about the last failure
        self.failure: Failure | None = None
        self.elapsed: Callable[[], float] = time.monotonic
        self.presence = Presence()
        self._reinsertion: Reinsertion | None = None
        self._scanning = self._scan_due = self._stopped = False
        self.dialog_is_open = False
        self.watch.changed.connect(self._readers_changed)
        self.window.refuse_close = self._refuse_close
        self.window.closed.connect(self.stop)
        self.window.language_chosen.connect(self._speak)
        self.window.menu_chosen.connect(self._open_dialog)

    # Start and end.

    def start(self) -> None:
        """Show the window, and begin to look at the readers once it is painted: that loads much (`app.py`)."""
        self.show_start()
        self.window.show()
        self.window.painted.connect(self._look_at_readers, Qt.ConnectionType.QueuedConnection)
        QTimer.singleShot(UNPAINTED, self._look_at_readers)

    @Slot()
    def _look_at_readers(self) -> None:
        if not self._stopped and not self.watch.is_started:
            self.watch.start()

    @Slot()
    def stop(self) -> None:
        """End the run, the watch and the worker; may be called twice."""
        if self._stopped:
            return
        self._stopped = True
        if self.run:
            self.run.stop()
        self.ports.connection.close()
        self.watch.stop()
        self.worker.do(self.work.close)
        self.worker.stop()

    def _refuse_close(self) -> bool:
        """While the card is written nothing closes; else the run, if there is one, ends before it writes again."""
        writing = self.run is not None and not self.run.stop()
        if writing and isinstance(self.window.page, ProgressPage):
            self.window.page.show_close_refused()
        return writing

    # The start page.

    def show_start(self) -> None:
        """Show the start page and scan."""
        self.run = self._reinsertion = None
        self.window.allow_menu(allowed=True)
        if not self.preferences.server:
            self._ask_address()
            return
        page = StartPage(self.ports.clock(), self._drivers_page())
        page.rescan.connect(self.scan)
        page.answered.connect(self._begin)
        self.window.show_page(page)
        self.presence.follow(None)
        self._show_presence()
        self.scan()

    def _ask_address(self) -> None:
        """Ask which office to speak to; nothing is scanned before, because nobody could say what the cards are."""
        page = AddressPage()
        page.answered.connect(lambda _value: self._open_dialog("preferences"))
        self.window.show_page(page)

    def _drivers_page(self) -> str:
        server = self.preferences.server.rstrip("/")
        return server + DOWNLOAD_PAGE if server.startswith("https://") else ""

    @Slot()
    def scan(self) -> None:
        """Scan in the worker, unless a page asks something else; one scan at a time, a second one follows it."""
        if self._stopped or not isinstance(self.window.page, StartPage):
            return
        self.window.page.show_scanning()
        if not self.presence.is_known:
            return  # the first look at the readers, which comes at once, starts the first scan
        if self._scanning or self.dialog_is_open:
            self._scan_due = True
            return
        self._scanning, self._scan_due = True, False
        screen = WindowScreen()
        screen.close()  # a scan asks nothing
        self.worker.do(partial(self.work.scan, screen)).ended.connect(self._scanned)

    @Slot(object)
    def _scanned(self, ending: Done | Stopped) -> None:
        self._scanning = False
        page = self.window.page
        if self._scan_due:
            self.scan()
        elif not isinstance(page, StartPage):
            return
        elif isinstance(ending, Stopped):
            page.show_problem_of(ending.problem)
        elif isinstance(ending.value, Unanswered):
            page.show_problem_of(ending.value.problem, ending.value.views)
        else:
            page.show_cards(ending.value.scanned, removal_left=ending.value.removal_left)
            page.show_newer(ending.value.newer)

    @Slot(object)
    def _readers_changed(self, states: tuple[ReaderState, ...]) -> None:
        self.presence.see(states)
        self._show_presence()
        if self._reinsertion:
            self._reinsertion.see(is_in=self.presence.is_in)
        if isinstance(self.window.page, StartPage):
            self.scan()

    def _show_presence(self) -> None:
        presence = self.presence
        running = self.run is not None
        self.window.show_card(presence.text, is_in=presence.is_in, alarm=running and not presence.is_in)

    # A run.

    @Slot(object)
    def _begin(self, wish: object) -> None:
        self.begin(wish if isinstance(wish, Wish) else None)

    def begin(self, wish: Wish | None) -> None:
        """Run the flow for a wish, or finish a removal."""
        self.window.allow_menu(allowed=False)
        if wish:
            self.presence.follow(wish.scanned.view)
        self.run = Run(self.window, self.worker, self.work, wish)
        self.run.succeeded.connect(self._succeeded)
        self.run.failed.connect(self._failed)
        self.run.abandoned.connect(self.show_start)
        self._show_presence()
        self.run.start()

    @Slot(object)
    def _succeeded(self, outcome: Outcome) -> None:
        self.run = None
        page = ResultPage(outcome, self.ports.clock())
        page.answered.connect(lambda _value: self.show_start())
        if outcome.reinsert:
            self._reinsertion = Reinsertion(page, self.elapsed)
        self._ended(page)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        wish, self.run = self.run.wish if self.run else None, None
        self.failure, self.draft = failure, None
        page = FailurePage(failure)
        page.answered.connect(lambda again: self.begin(wish) if again else self.show_start())
        page.save_log.connect(partial(self._open_dialog, "save-log"))
        page.ask_support.connect(partial(self._open_dialog, "support"))
        self._ended(page)

    def _ended(self, page: ResultPage | FailurePage) -> None:
        if self._stopped:
            return
        self.window.allow_menu(allowed=True)
        self.window.show_page(page)
        self._show_presence()

    # Menu and language.

    @Slot(str)
    def _open_dialog(self, name: str) -> None:
        from cardclient.ui import dialogs  # noqa: PLC0415 - dialogs load when they are opened

        dialog = dialogs.OPENERS[name](self)
        if dialog is not None:
            self.dialog_is_open = True
            dialog.finished.connect(self._dialog_closed)
            dialog.open()

    @Slot()
    def _dialog_closed(self) -> None:
        """Scan again: a dialog may have changed the card's counters, the server or the language."""
        self.dialog_is_open = False
        if isinstance(self.window.page, AddressPage) and self.preferences.server:
            self.show_start()
        else:
            self.scan()

    @Slot(object)
    def use(self, preferences: Preferences) -> None:
        """Take other preferences from now on; the language changes at once."""
        self.preferences = preferences
        self.worker.do(self.work.forget_session)
        self._speak(preferences.language)

    def keep_debug(self, debug: bool) -> None:  # noqa: FBT001 - the switch itself
        """Remember the switch of the detailed log."""
        self.preferences = replace(self.preferences, debug_log=debug)
        self._save()

    def _save(self) -> None:
        try:
            self.ports.store.save(self.preferences)
        except PreferencesUnsaved as problem:
            LOG.warning("preferences: %s", problem.code)

    @Slot(str)
    def _speak(self, language: str) -> None:
        """Change the language at once; the pages of a run are never rebuilt, so the menu is closed during one."""
        if language == chosen():
            return
        set_language(language)
        self.preferences = replace(self.preferences, language=language)
        self._save()
        self.window.rebuild()
        self.show_start()
