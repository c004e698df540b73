"""Between the window and the work: one thread does all card and network work, the window's thread only shows and asks.

Work is handed over as a function and comes back as a typed ending; what the flow asks becomes a question to the window,
and the worker waits for the answer. Nothing here touches a widget from the worker.
"""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from cardclient.contract import Case, ChangeContacts, Contacts, DataWrong, Text
from cardclient.errors import ClientError, Declined
from cardclient.ports import Choice, Notice, Phase, Readers, ReaderState, SecretKind
from cardclient.secret import Secret
from cardclient.ui import questions
from cardclient.ui.questions import Question

LOG = logging.getLogger("cardclient.ui.bridge")
Answer = TypeVar("Answer")
WATCH = 1.0  # seconds one look at the readers may wait; insertion and removal are seen within two


@dataclass(frozen=True, slots=True)
class Done:
    """Work that came to its end."""

    value: Any


@dataclass(frozen=True, slots=True)
class Stopped:
    """Work that ended with a named failure; an unforeseen one is a plain ClientError, told to the log by place."""

    problem: ClientError


class Job(QObject):
    """One piece of work; `ended` gives Done or Stopped, `progress` whatever the work reports, both in Qt's thread."""

    ended = Signal(object)
    progress = Signal(object)
    _arrived = Signal(object)
    _reported = Signal(object)

    def __init__(self, work: Callable[[], object]) -> None:
        """Keep the work; made and listened to in the window's thread."""
        super().__init__()
        self._work = work
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._reported.connect(self.progress, Qt.ConnectionType.QueuedConnection)

    def report(self, value: object) -> None:
        """Tell the window how far the work is; called by the work, from its thread."""
        self._reported.emit(value)

    def run(self) -> None:
        """Do the work in the calling thread and send its ending to the window's."""
        self._arrived.emit(_ending_of(self._work))

    @Slot(object)
    def _deliver(self, ending: Done | Stopped) -> None:
        self.ended.emit(ending)


def _ending_of(work: Callable[[], object]) -> Done | Stopped:
    try:
        return Done(work())
    except ClientError as problem:
        return Stopped(problem)
    except Exception as problem:  # noqa: BLE001 - the last line: told by kind and place, never by its text
        LOG.error("%s\n%s", type(problem).__name__, "".join(traceback.format_tb(problem.__traceback__)))  # noqa: TRY400
        return Stopped(ClientError())


class Worker(QObject):
    """The one thread in which card and office are spoken to, one job after the other: a card serves one at a time."""

    def __init__(self) -> None:
        """Start the thread; it sleeps until there is work."""
        super().__init__()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._alive: set[Job] = set()
        self._thread = threading.Thread(target=self._work, name="sigillo-worker", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], object]) -> Job:
        """Queue the work; connect to `ended` of the job returned before control goes back to Qt."""
        return self.start(Job(work))

    def start(self, job: Job) -> Job:
        """Queue a job that was made before, so that its work can call its `report`."""
        self._alive.add(job)
        job.ended.connect(lambda _ending: self._alive.discard(job))
        self._jobs.put(job)
        return job

    @property
    def is_alive(self) -> bool:
        """Whether the thread still works or waits for work."""
        return self._thread.is_alive()

    def stop(self, seconds: float = 5.0) -> None:
        """End after what is being done now; waits so long at most."""
        self._jobs.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()


class ReaderWatch(QObject):
    """Looks at the readers in a thread of its own and tells when something was inserted, removed or plugged."""

    changed = Signal(object)  # tuple[ReaderState, ...]
    _seen = Signal(object)

    def __init__(self, readers: Readers) -> None:
        """Prepare; `start` begins to look."""
        super().__init__()
        self._readers = readers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sigillo-readers", daemon=True)
        self._seen.connect(self.changed, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Begin; the first state is told at once."""
        self._thread.start()

    @property
    def is_started(self) -> bool:
        """Whether it looks, or has looked and was ended."""
        return self._thread.ident is not None

    def stop(self, seconds: float = 3.0) -> None:
        """End; waits for the look that is going on, so long at most."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _watch(self) -> None:
        before: tuple[ReaderState, ...] | None = None
        while not self._over.is_set():
            now = self._look()
            if now != before:
                before = now
                self._seen.emit(now)
            self._wait()

    def _look(self) -> tuple[ReaderState, ...]:
        try:
            return self._readers.snapshot()
        except Exception as problem:  # noqa: BLE001 - a reader layer that fails must not end the watch
            LOG.warning("readers: %s", type(problem).__name__)
            return ()

    def _wait(self) -> None:
        try:
            self._readers.wait(WATCH)
        except Exception:  # noqa: BLE001 - the same; without a pause a broken layer would eat the processor
            self._over.wait(WATCH)


class WindowScreen(QObject):
    """The `Screen` port for a window: called in the worker, it asks in the window's thread and waits."""

    asked = Signal(object)  # Question
    told = Signal(object)  # Notice
    phase_changed = Signal(object)  # Phase
    _posted = Signal(object)

    def __init__(self) -> None:
        """Made in the window's thread, one for each run."""
        super().__init__()
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[object] | None = None
        self._question: Question | None = None
        self._closed = self._writing = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    # In the window's thread.

    def answer(self, value: object) -> None:
        """Give the answer to the question asked last; a second answer is ignored."""
        with self._lock:
            waiting, self._waiting, self._question = self._waiting, None, None
        if waiting is not None:
            waiting.put(value)

    def close(self) -> bool:
        """Answer this and every later question with "no answer": the run ends politely, and before it writes.

        False, and nothing is closed, while the card is written.
        """
        with self._lock:
            if self._writing:
                return False
            self._closed = True
            question = self._question
        if question is not None:
            self.answer(question.unanswered)
        return True

    @Slot(object)
    def _deliver(self, event: object) -> None:
        if isinstance(event, Question):
            self.asked.emit(event)
        elif isinstance(event, Phase):
            self.phase_changed.emit(event)
        else:
            self.told.emit(event)

    # In the worker: the port.

    def _ask(self, question: Question) -> Any:
        box: queue.SimpleQueue[object] = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                return question.unanswered
            self._waiting, self._question = box, question
        self._posted.emit(question)
        return box.get()

    def phase(self, phase: Phase) -> None:
        """See `Screen.phase`."""
        self._posted.emit(phase)

    def say(self, notice: Notice) -> None:
        """See `Screen.say`."""
        self._posted.emit(notice)

    def writing(self, active: bool) -> None:  # noqa: FBT001 - the port's signature
        """See `Screen.writing`; raises Declined instead of beginning to write behind a closed window."""
        with self._lock:
            if active and self._closed:
                raise Declined
            self._writing = active

    def choose(self, choices: Sequence[Choice]) -> int | None:
        """See `Screen.choose`; the start page has chosen before, so there is nothing to choose from here."""
        del choices
        return None

    def ask_secret(self, kind: SecretKind, problem: str | None) -> Secret | None:
        """See `Screen.ask_secret`."""
        return self._ask(questions.AskSecret(kind, problem))  # type: ignore[no-any-return]

    def confirm_last_try(self, kind: SecretKind) -> bool:
        """See `Screen.confirm_last_try`."""
        return bool(self._ask(questions.ConfirmLastTry(kind)))

    def wants_unblock(self) -> bool:
        """See `Screen.wants_unblock`."""
        return bool(self._ask(questions.WantsUnblock()))

    def warn_encryption(self, text: Text) -> bool:
        """See `Screen.warn_encryption`."""
        return bool(self._ask(questions.WarnEncryption(text)))

    def accept_texts(self, texts: Sequence[Text]) -> bool:
        """See `Screen.accept_texts`."""
        return bool(self._ask(questions.AcceptTexts(texts)))

    def show_diagnosis(self, case: Case) -> bool:
        """See `Screen.show_diagnosis`."""
        return bool(self._ask(questions.ShowDiagnosis(case)))

    def ask_contacts(self, case: Case, current: Contacts, problem: str | None) -> Contacts | DataWrong | None:
        """See `Screen.ask_contacts`."""
        return self._ask(questions.AskContacts(case, current, problem))  # type: ignore[no-any-return]

    def ask_confirmation_code(self, email: str, problem: str | None) -> str | ChangeContacts | None:
        """See `Screen.ask_confirmation_code`."""
        return self._ask(questions.AskConfirmationCode(email, problem))  # type: ignore[no-any-return]

    def sign_form(self, pdf: bytes, case: Case) -> bool:
        """See `Screen.sign_form`."""
        return bool(self._ask(questions.SignForm(pdf, case)))
