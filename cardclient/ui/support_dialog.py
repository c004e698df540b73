"""`Apri richiesta di supporto`: shows what will be sent, sends it once, and gives the number to quote."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from cardclient.contract import SupportReceipt, SupportRequest
from cardclient.errors import ClientError, OfficeUnreachable
from cardclient.messages import words_for
from cardclient.support.log import Logbook
from cardclient.ui import pieces
from cardclient.ui.bridge import Worker
from cardclient.ui.dialog import Dialog, column, scrolling
from cardclient.ui.errands import Errands
from cardclient.ui.fields import CheckLine, Field
from cardclient.ui.support_draft import FACTS, LONGEST_MESSAGE, Draft, shown
from cardclient.ui.theme import Tone
from cardclient.words import tr

MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")  # only what is surely no address is refused here; the office knows


class SupportDialog(Dialog):
    """One request. `post` sends it, called in the worker; the draft keeps what was written when the dialog closes."""

    def __init__(
        self,
        draft: Draft,
        post: Callable[[SupportRequest], SupportReceipt],
        worker: Worker,
        logbook: Logbook,
        parent: QWidget | None = None,
    ) -> None:
        """Show the draft; one that was sent already shows its number again."""
        super().__init__(tr("Richiesta di supporto"), parent, size=(760, 680))
        self._draft, self._post, self._logbook = draft, post, logbook
        self.errands = Errands(self, worker)
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.notice.hide()
        content, self._lines = column()
        self._build()
        self._area = scrolling(content)
        self.body.addWidget(self.notice)
        self.body.addWidget(self._area, 1)
        self.body.addStretch()
        self.copy_button = self.add_button(pieces.secondary(tr("Copia il numero")))
        self.copy_button.clicked.connect(self._copy)
        self.send_button = self.add_button(pieces.primary(tr("Invia la richiesta")))
        self.send_button.clicked.connect(self.send)
        self._fit()

    def _build(self) -> None:
        words = tr("L'assistenza riceve i dati qui sotto e risponde per e-mail. PIN e PUK non sono mai inviati.")
        self._lines.addWidget(pieces.lead(words))
        self.message = QPlainTextEdit(self._draft.message)
        self.message.setAccessibleName(tr("Messaggio"))
        self.message.setTabChangesFocus(True)
        self.message.setPlaceholderText(tr("Che cosa stavi facendo? Non scrivere PIN, PUK o password."))
        self.message.setFixedHeight(96)
        name = QLabel(tr("Messaggio"))
        name.setProperty("role", "label")
        name.setBuddy(self.message)
        hint = tr("A questo indirizzo arriverà la risposta.")
        self.email = Field(tr("E-mail per la risposta"), self._draft.email, hint=hint)
        self.log = CheckLine(tr("Allega il log di questa esecuzione: aiuta a capire che cosa è successo."))
        self.log.box.setChecked(self._draft.with_log)
        self.preview_button = pieces.link(tr("Mostra che cosa viene inviato"))
        self.preview_button.clicked.connect(self._toggle_preview)
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        self.preview.setAccessibleName(tr("Che cosa viene inviato"))
        self.preview.setTabChangesFocus(True)
        self.preview.setFixedHeight(200)
        self.preview.hide()
        written = QVBoxLayout()
        written.setSpacing(pieces.SPACE[0])
        written.addWidget(name)
        written.addWidget(self.message)
        self._lines.addLayout(written)
        for part in (self.email, self.log, self._facts(), self.preview_button, self.preview):
            self._lines.addWidget(part)
        self.message.textChanged.connect(self._keep)
        self.email.edit.textChanged.connect(self._keep)
        self.log.toggled.connect(self._keep)

    def _facts(self) -> pieces.DetailRows:
        trouble = self._draft.trouble
        rows = [(tr("Errore"), trouble.words), (tr("Codice dell'errore"), trouble.code), (tr("Pratica"), trouble.case)]
        rows += [(tr(name), trouble.card.get(key) or "") for key, name in FACTS.items()]
        return pieces.DetailRows(rows, tr("Dati inviati"))

    @Slot()
    def _keep(self) -> None:
        """Keep what is written, so that closing the dialog loses nothing."""
        self._draft.message = self.message.toPlainText()[:LONGEST_MESSAGE]
        self._draft.email = self.email.value
        self._draft.with_log = self.log.is_ticked
        if self.preview.isVisible():
            self._fill_preview()

    @Slot()
    def _toggle_preview(self) -> None:
        self.preview.setVisible(not self.preview.isVisible())
        words = tr("Nascondi") if self.preview.isVisible() else tr("Mostra che cosa viene inviato")
        self.preview_button.setText(words)
        self.preview_button.setAccessibleName(words)
        self._fill_preview()
        if self.preview.isVisible():
            self._lines.activate()  # the column must have its new height before it can scroll there
            QTimer.singleShot(0, self.preview, lambda: self._area.ensureWidgetVisible(self.preview))

    def _fill_preview(self) -> None:
        self.preview.setPlainText(shown(self._draft.request(self._logbook)))

    @Slot()
    def send(self) -> None:
        """Send, or say what is missing; a second try sends the very same request."""
        if not self.send_button.isEnabled():
            return
        self.email.set_error("")
        if self._draft.email and not MAILBOX.fullmatch(self._draft.email):
            self.email.set_error(tr("L'indirizzo e-mail non è completo."))
            return
        if self._draft.needs_email and not self._draft.email:
            self.email.set_error(tr("Scrivi un indirizzo e-mail: serve per la risposta."))
            return
        request = self._draft.sent = self._draft.request(self._logbook)
        self._say(Tone.NEUTRAL, tr("Invio in corso, attendere..."), "")
        self.errands.start(lambda _errand: self._post(request), done=self._sent, failed=self._not_sent)
        self._fit()

    def _sent(self, receipt: SupportReceipt) -> None:
        self._draft.receipt = receipt
        self._fit()

    def _not_sent(self, problem: ClientError) -> None:
        """Keep a request that may have arrived as it is; one that was refused can be changed and is a new one."""
        message = words_for(problem)
        if isinstance(problem, OfficeUnreachable):
            kept = tr(
                "La richiesta resta qui: premi «Invia di nuovo» quando la connessione torna. Non parte due volte."
            )
            self._say(Tone.WAIT, message.text, kept, problem.code)
        else:
            self._draft.sent = None
            self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)
        self._fit()

    def _fit(self) -> None:
        """Show the form, the waiting, or the number."""
        receipt, waiting = self._draft.receipt, self.errands.is_busy
        open_again = self._draft.sent is None and receipt is None
        for part in (self.message, self.email, self.log):
            part.setEnabled(open_again and not waiting)
        self.send_button.setVisible(receipt is None)
        self.send_button.setEnabled(not waiting)
        self.copy_button.setVisible(receipt is not None)
        self._area.setVisible(receipt is None)
        words = tr("Invia la richiesta") if open_again else tr("Invia di nuovo")
        self.send_button.setText(words)
        self.send_button.setAccessibleName(words)
        if receipt is not None:
            self._say(Tone.OK, tr("Richiesta aperta: {number}", number=receipt.number), _next(receipt))

    @Slot()
    def _copy(self) -> None:
        if self._draft.receipt:
            QGuiApplication.clipboard().setText(self._draft.receipt.number)
            self.copy_button.setText(tr("Copiato"))
            pieces.announce(self.copy_button, tr("Copiato"))

    def _say(self, tone: Tone, title: str, text: str, code: str = "") -> None:
        self.notice.say(tone, title, text, code)
        self.notice.show()
        pieces.announce(self.notice, self.notice.text)


def _next(receipt: SupportReceipt) -> str:
    if receipt.answer_to:
        return tr("La risposta arriverà a {mailbox}. Conserva il numero della richiesta.", mailbox=receipt.answer_to)
    return tr("Non c'è un indirizzo a cui rispondere: telefona al tuo CDRL e comunica il numero della richiesta.")
