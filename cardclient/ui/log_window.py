"""`Log`: the last runs of the program, filtered by level and text; the switch for the detailed log; save and delete."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QWidget,
)

from cardclient.support.log import Logbook, RunFile
from cardclient.ui import pieces
from cardclient.ui.dialog import Dialog
from cardclient.ui.fields import CheckLine
from cardclient.ui.log_table import LogTable
from cardclient.ui.saving import AskPath, ask_path, save_text
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

LEVELS = (
    (logging.NOTSET, marked("Tutti i livelli")),
    (logging.INFO, marked("Informazioni e oltre")),
    (logging.WARNING, marked("Avvisi ed errori")),
    (logging.ERROR, marked("Solo errori")),
)
LOOK = 2000  # milliseconds between two looks at the run that is going on
ROW = 28  # px at 100 %


class LogWindow(Dialog):
    """The logs of a `Logbook`. `keep_debug` is told when the detailed log is switched, so that the choice is kept."""

    def __init__(
        self,
        logbook: Logbook,
        clock: Callable[[], datetime],
        keep_debug: Callable[[bool], None],
        parent: QWidget | None = None,
        *,
        ask: AskPath = ask_path,
    ) -> None:
        """Show this run; `ask` asks where to save."""
        super().__init__(tr("Log"), parent, size=(900, 640))
        self._logbook, self._clock, self._keep_debug, self._ask = logbook, clock, keep_debug, ask
        self._runs: tuple[RunFile, ...] = ()
        self._size: int | None = None
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.notice.hide()
        self.table = LogTable(self)
        self._build_filters()
        self._build_table()
        self._build_buttons()
        self._list_runs()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look_again)
        self._timer.start(LOOK)

    def _build_filters(self) -> None:
        self.runs, self.level, self.search = QComboBox(), QComboBox(), QLineEdit()
        for value, text in LEVELS:
            self.level.addItem(tr(text), value)
        self.search.setClearButtonEnabled(True)
        self.search.setPlaceholderText(tr("Cerca nel log"))
        row = QGridLayout()
        row.setHorizontalSpacing(pieces.SPACE[2])
        row.setVerticalSpacing(pieces.SPACE[0])
        filters = ((tr("Esecuzione"), self.runs, 3), (tr("Livello"), self.level, 2), (tr("Testo"), self.search, 3))
        for place, (text, widget, stretch) in enumerate(filters):
            name = QLabel(text)
            name.setProperty("role", "label")
            name.setBuddy(widget)
            widget.setAccessibleName(text)
            row.addWidget(name, 0, place)
            row.addWidget(widget, 1, place)
            row.setColumnStretch(place, stretch)
        self.body.addWidget(self.notice)
        self.body.addLayout(row)
        self.runs.currentIndexChanged.connect(self._show_entries)
        self.level.currentIndexChanged.connect(self._show_entries)
        self.search.textChanged.connect(self._show_entries)

    def _build_table(self) -> None:
        self.view = QTableView()
        self.view.setModel(self.table)
        self.view.setAccessibleName(tr("Righe del log"))
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setTabKeyNavigation(False)  # Tab leaves the table, the arrows move in it
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(ROW)
        self.view.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.view.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.view.setColumnWidth(0, 100)
        self.view.setColumnWidth(1, 140)
        self.empty = pieces.muted(tr("Nessuna riga corrisponde. Il log si riempie mentre il programma lavora."))
        self.debug = CheckLine(tr("Log dettagliato (debug): serve all'assistenza per capire un problema."))
        self.debug.box.setChecked(self._logbook.debug)
        self.debug.toggled.connect(self._switch_debug)
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.empty)
        self.body.addWidget(self.debug)

    def _build_buttons(self) -> None:
        self.delete_button = self.add_button(pieces.dangerous(tr("Cancella i log precedenti")))
        self.save_button = self.add_button(pieces.primary(tr("Scarica i log")))
        for button in (self.delete_button, self.save_button):
            button.setAutoDefault(False)  # Enter in the search field presses nothing
        self.delete_button.clicked.connect(self._delete)
        self.save_button.clicked.connect(self._save)

    def _list_runs(self) -> None:
        """List the runs anew, keeping the first, which is this one."""
        self._runs = self._logbook.runs()
        self.runs.blockSignals(True)  # noqa: FBT003 - Qt's signature
        self.runs.clear()
        for run in self._runs or (None,):
            self.runs.addItem(_run_words(run))
        self.runs.blockSignals(False)  # noqa: FBT003
        self.delete_button.setEnabled(any(not run.current for run in self._runs))
        self._show_entries()

    @property
    def _run(self) -> RunFile | None:
        """The run chosen; None is this one, which may exist in memory only."""
        index = self.runs.currentIndex()
        return self._runs[index] if 0 <= index < len(self._runs) else None

    @Slot()
    def _show_entries(self) -> None:
        level, text = self.level.currentData(), self.search.text().strip()
        entries = tuple(self._logbook.entries(self._run, level=level, contains=text))
        if entries == self.table.entries:
            self.empty.setVisible(not entries)
            return
        bar = self.view.verticalScrollBar()
        follows = bar.value() >= bar.maximum()
        self.table.show(entries)
        self.empty.setVisible(not entries)
        if follows:
            self.view.scrollToBottom()

    @Slot()
    def _look_again(self) -> None:
        """Take what the run that is going on has written since."""
        run = self._run
        if run is not None and not run.current:
            return
        size = next((each.size for each in self._logbook.runs() if each.current), None)
        if size is None or size != self._size:  # a megabyte is not parsed every two seconds for nothing
            self._size = size
            self._show_entries()

    @Slot(bool)
    def _switch_debug(self, debug: bool) -> None:  # noqa: FBT001 - a signal's argument
        self._logbook.set_debug(debug)
        self._keep_debug(debug)

    @Slot()
    def _save(self) -> None:
        name = f"sigillo-log-{self._clock():%Y%m%d-%H%M}.txt"
        path = self._ask(self, name, tr("Testo (*.txt)"))
        if path is None:
            return
        if save_text(path, self._logbook.export()):
            self._say(Tone.OK, tr("Log salvati."), str(path))
        else:
            self._say(Tone.DANGER, tr("Il file non è stato salvato."), tr("Scegli un'altra cartella e riprova."))

    @Slot()
    def _delete(self) -> None:
        """Delete at the second click: the first one says what will go."""
        if self.delete_button.property("asked"):
            self._logbook.clear()
            self._ask_deletion(asked=False)
            self._list_runs()
            self._say(Tone.OK, tr("I log precedenti sono stati cancellati."), "")
        else:
            self._ask_deletion(asked=True)
            text = tr("Premi di nuovo il pulsante per cancellarli. Il log di questa esecuzione resta.")
            self._say(Tone.WAIT, tr("Cancellare i log delle esecuzioni precedenti?"), text)

    def _ask_deletion(self, *, asked: bool) -> None:
        words = tr("Conferma la cancellazione") if asked else tr("Cancella i log precedenti")
        self.delete_button.setProperty("asked", asked)
        self.delete_button.setText(words)
        self.delete_button.setAccessibleName(words)

    def _say(self, tone: Tone, title: str, text: str) -> None:
        self.notice.say(tone, title, text)
        self.notice.show()
        pieces.announce(self.notice, self.notice.text)


def _run_words(run: RunFile | None) -> str:
    if run is None or run.current:
        return tr("Questa esecuzione")
    return f"{run.began.astimezone():%d/%m/%Y, %H:%M} · {max(1, run.size // 1024)} kB"
