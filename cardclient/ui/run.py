"""One run of the flow in the window: questions become pages, phases become progress, its end is told once."""

from __future__ import annotations

import logging
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cardclient.errors import ClientError, PinLocked
from cardclient.messages import words_for
from cardclient.ports import Notice, Phase
from cardclient.ui.bridge import Done, Stopped, WindowScreen, Worker
from cardclient.ui.interview import Interview
from cardclient.ui.pages.ending import Failure, is_pause
from cardclient.ui.pages.progress import ProgressPage, WaitPage
from cardclient.ui.pages.start import Wish
from cardclient.ui.phases import UPDATE
from cardclient.ui.questions import Question
from cardclient.ui.window import Window
from cardclient.ui.work import Target, Work

LOG = logging.getLogger("cardclient.ui.run")
PATIENCE = 250  # ms after an answer before the window says that it waits; less would only flicker
SAID_WITH_CODES = ("pin-", "puk-")  # notices that belong on the page of the next code
WITH_PAGES_OF_THEIR_OWN = {"pin-locked", "pin-last-try", "puk-last-try"}


class Run(QObject):
    """A run from `Rinnova` to its ending; `succeeded` gives the Outcome, `failed` a Failure, `abandoned` nothing."""

    succeeded = Signal(object)
    failed = Signal(object)
    abandoned = Signal()

    def __init__(self, window: Window, worker: Worker, work: Work, wish: Wish | None) -> None:
        """Prepare a run for the wish; None finishes a removal that was cut off."""
        super().__init__()
        self.wish = wish
        self._window, self._worker, self._work = window, worker, work
        self._screen = WindowScreen()
        self._interview = Interview(window, wish, self._answer)
        self._phase, self._reference = Phase.SCAN, ""
        self._asked: Question | None = None
        self._went_back = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._show_wait)
        self._screen.asked.connect(self._ask)
        self._screen.told.connect(self._tell)
        self._screen.phase_changed.connect(self._enter)

    def start(self) -> None:
        """Hand the flow to the worker."""
        target = Target(self.wish.scanned.view.serial, self.wish.offer.login_with) if self.wish else None
        self._worker.do(partial(self._work.renew, self._screen, target)).ended.connect(self._end)
        self._hold()

    def stop(self) -> bool:
        """Give no answer to anything more: the window closes. False while the card is written: it must not."""
        stopped = self._screen.close()
        if stopped:
            self._patience.stop()
        return stopped

    @Slot(object)
    def _ask(self, question: Question) -> None:
        self._patience.stop()
        self._asked = question
        LOG.info("asked: %s", type(question).__name__)
        self._interview.ask(question)

    def _answer(self, value: object) -> None:
        """Give the worker its answer; None ends the run at the holder's wish. A second answer finds no question."""
        question, self._asked = self._asked, None
        if question is None:
            return
        self._went_back = value is None
        self._hold()
        self._screen.answer(question.unanswered if value is None else value)

    def _hold(self) -> None:
        """Let the page stand, without buttons, until the next one comes or waiting becomes noticeable."""
        self._window.freeze()
        self._patience.start()

    @Slot()
    def _show_wait(self) -> None:
        if not isinstance(self._window.page, ProgressPage):
            self._window.show_page(WaitPage(self._phase))

    @Slot(object)
    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        if isinstance(self._window.page, ProgressPage):
            self._window.page.show_phase(phase)
        elif phase in UPDATE:
            self._patience.stop()
            self._window.show_page(ProgressPage(phase, removes=self._removes))
        elif isinstance(self._window.page, WaitPage):
            self._window.show_page(WaitPage(phase))

    @property
    def _removes(self) -> bool:
        return self.wish is None or self.wish.scanned.replaces(self.wish.offer)

    @Slot(object)
    def _tell(self, notice: Notice) -> None:
        if notice.key == "failure-reported":
            self._reference = notice.facts.get("reference", "")
        elif notice.key.startswith(SAID_WITH_CODES) and notice.key not in WITH_PAGES_OF_THEIR_OWN:
            self._interview.notices.append(notice)

    @Slot(object)
    def _end(self, ending: Done | Stopped) -> None:
        self._patience.stop()
        if isinstance(ending, Done):
            self.succeeded.emit(ending.value)
        elif self._was_meant(ending.problem):
            self.abandoned.emit()
        else:
            self.failed.emit(self._failure(ending.problem))

    def _was_meant(self, problem: ClientError) -> bool:
        """The holder went back: nothing failed, unless there is something he has to know."""
        return self._went_back and is_pause(words_for(problem)) and not isinstance(problem, PinLocked)

    def _failure(self, problem: ClientError) -> Failure:
        """Gather what the failure's page shows."""
        return Failure(
            problem,
            scanned=self.wish.scanned if self.wish else None,
            case=self._interview.case,
            step=self._phase,
            reference=self._reference,
        )
