"""What a dialog has done in a worker's thread: each errand comes back as one call, unless the dialog has gone by then.

A dialog may close while its errand still hangs in a driver or a network call: nothing waits for it, and its outcome is
dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cardclient.errors import ClientError
from cardclient.ui.bridge import Done, Job, Stopped, Worker


class Errand:
    """One piece of work under way, as the work itself sees it: it reports, and asks whether it should stop."""

    def __init__(self, work: Callable[[Errand], object]) -> None:
        """Prepare; `Errands.start` begins it."""
        self._cancelled = threading.Event()
        self.job = Job(lambda: None if self.is_cancelled else work(self))

    def report(self, progress: object) -> None:
        """Tell how far the work is; called by the work."""
        self.job.report(progress)

    def cancel(self) -> None:
        """Ask the work to stop at its next pause; its outcome is no longer wanted."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the work should stop."""
        return self._cancelled.is_set()


class Errands(QObject):
    """The errands of one dialog, in the order of a worker; `busy` says when the first begins and the last ends."""

    busy = Signal(bool)

    def __init__(self, owner: QObject, worker: Worker) -> None:
        """Belong to a dialog and use a worker, which others may use too."""
        super().__init__(owner)
        self._worker = worker
        self._open: list[Errand] = []

    def start(
        self,
        work: Callable[[Errand], Any],
        *,
        done: Callable[[Any], None],
        failed: Callable[[ClientError], None],
        progress: Callable[[Any], None] | None = None,
    ) -> Errand:
        """Begin a piece of work; the callbacks run in the window's thread, at most one of `done` and `failed`."""
        errand = Errand(work)
        self._open.append(errand)
        _Relay(self, errand, (done, failed, progress))
        if len(self._open) == 1:
            self.busy.emit(True)  # noqa: FBT003 - Qt's signature
        self._worker.start(errand.job)
        return errand

    @property
    def is_busy(self) -> bool:
        """Whether any errand has not ended yet."""
        return bool(self._open)

    def cancel(self) -> None:
        """Cancel every errand; their callbacks will not be called."""
        for each in self._open:
            each.cancel()

    def forget(self, errand: Errand) -> None:
        """Note that an errand has ended."""
        self._open.remove(errand)
        if not self._open:
            self.busy.emit(False)  # noqa: FBT003 - Qt's signature


class _Relay(QObject):
    """The receiving end of one errand; it dies with the dialog, and then nothing is called any more."""

    def __init__(
        self,
        owner: Errands,
        errand: Errand,
        callbacks: tuple[Callable[[Any], None], Callable[[ClientError], None], Callable[[Any], None] | None],
    ) -> None:
        super().__init__(owner)
        self._owner, self._errand, (self._done, self._failed, self._progress) = owner, errand, callbacks
        errand.job.ended.connect(self._end)
        errand.job.progress.connect(self._advance)

    @Slot(object)
    def _end(self, ending: Done | Stopped) -> None:
        self._owner.forget(self._errand)
        self.deleteLater()
        if self._errand.is_cancelled:
            return
        if isinstance(ending, Done):
            self._done(ending.value)
        else:
            self._failed(ending.problem)

    @Slot(object)
    def _advance(self, progress: object) -> None:
        if self._progress and not self._errand.is_cancelled:
            self._progress(progress)
