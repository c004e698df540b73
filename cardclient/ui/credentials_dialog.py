"""The question for the proxy's login when it wants one: asked in the window, while the request waits in its thread."""

from __future__ import annotations

import queue
import threading

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget

from cardclient.messages import message_for
from cardclient.network.credentials import WRONG, ProxyLogin, ProxyQuestion
from cardclient.ui import pieces
from cardclient.ui.dialog import Dialog
from cardclient.ui.fields import CheckLine, Field
from cardclient.ui.password import PasswordField
from cardclient.ui.theme import Tone
from cardclient.words import tr


class CredentialsDialog(Dialog):
    """Asks name and password for one proxy; `login` is None when the person gives up."""

    def __init__(self, question: ProxyQuestion, parent: QWidget | None = None) -> None:
        """Say which proxy asks, and whether the login before was refused."""
        super().__init__(tr("Accesso al proxy"), parent, size=(620, 600))
        self.login: ProxyLogin | None = None
        self.body.addWidget(
            pieces.lead(tr("Il proxy {proxy} chiede nome utente e password della rete.", proxy=question.proxy))
        )
        self.notice = pieces.NoticeBox(Tone.DANGER, "")
        self.notice.setVisible(question.problem == WRONG)
        if question.problem == WRONG:
            message = message_for(question.problem)
            self.notice.say(Tone.DANGER, message.cause or message.text, message.advice, question.problem)
        self.username = Field(tr("Nome utente"), question.username)
        self.password = PasswordField(tr("Password"))
        self.remember = CheckLine(tr("Ricorda la password nel portachiavi di sistema"))
        self.remember.setVisible(question.can_remember)
        for part in (self.notice, self.username, self.password, self.remember):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.go_button = self.add_button(pieces.primary(tr("ACCEDI")))
        self.go_button.clicked.connect(self.submit)
        for field in (self.username, self.password):
            field.entered.connect(self.submit)

    @Slot()
    def submit(self) -> None:
        """Take the login, unless something is missing."""
        self.username.set_error("")
        self.password.set_error("")
        if not self.username.value:
            self.username.set_error(tr("Scrivi il nome utente."))
            return
        password = self.password.take()
        if not password:
            self.password.set_error(tr("Scrivi la password."))
            return
        remember = not self.remember.isHidden() and self.remember.is_ticked
        self.login = ProxyLogin(self.username.value, password, remember)
        self.accept()


class WindowCredentials(QObject):
    """The port `Credentials` of a window: called in a worker, it asks in the window's thread and waits.

    One question stands at a time, over whatever is in front. After `close`, or when the program ends, every question,
    the open one too, is answered with None.
    """

    _asked = Signal(object, object)  # ProxyQuestion, SimpleQueue

    def __init__(self) -> None:
        """Made in the window's thread, once there is an application."""
        super().__init__()
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._waiting: queue.SimpleQueue[ProxyLogin | None] | None = None
        self._dialog: CredentialsDialog | None = None
        self._closed = False
        self._asked.connect(self._show, Qt.ConnectionType.QueuedConnection)
        if (application := QCoreApplication.instance()) is not None:
            application.aboutToQuit.connect(self.close)

    def ask(self, question: ProxyQuestion) -> ProxyLogin | None:
        """See `Credentials.ask`."""
        with self._turn:
            box: queue.SimpleQueue[ProxyLogin | None] = queue.SimpleQueue()
            with self._lock:
                if self._closed:
                    return None
                self._waiting = box
            self._asked.emit(question, box)
            return box.get()

    @Slot()
    def close(self) -> None:
        """Answer nothing from now on; the window goes. Called in the window's thread."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, None
            dialog, self._dialog = self._dialog, None
        if waiting is not None:
            waiting.put(None)
        if dialog is not None:
            dialog.reject()

    @Slot(object, object)
    def _show(self, question: ProxyQuestion, box: queue.SimpleQueue[ProxyLogin | None]) -> None:
        if self._closed:
            return
        self._dialog = dialog = CredentialsDialog(question, QApplication.activeWindow())

        def answer() -> None:
            with self._lock:
                self._waiting = self._dialog = None
            box.put(dialog.login)

        dialog.finished.connect(answer)
        dialog.open()  # not exec: the window's own loop goes on
