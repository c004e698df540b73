"""`Diagnostica`: verdicts first, then the facts by subject; copied or exported, nothing secret in it; *Prova la carta*.

The report is gathered in the worker, part by part, and can be stopped between two parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QProgressBar, QTabWidget, QVBoxLayout, QWidget

from cardclient import tools
from cardclient.errors import ClientError, Declined
from cardclient.messages import words_for
from cardclient.ports import Card, CardView
from cardclient.secret import Secret
from cardclient.support.check import KeyCheck, check_card
from cardclient.support.findings import Tone as Weight
from cardclient.support.log import Logbook
from cardclient.support.readable import TITLES, readable, sections
from cardclient.support.report import Report, Sources, gather
from cardclient.support.status import Web
from cardclient.ui import pieces
from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.card_check import CardCheckPanel
from cardclient.ui.dialog import Dialog, column, scrolling
from cardclient.ui.errands import Errand, Errands
from cardclient.ui.fields import CheckLine
from cardclient.ui.saving import AskPath, ask_path, save_text
from cardclient.ui.theme import Tone
from cardclient.words import tr

TONES = {Weight.PROBLEM: Tone.DANGER, Weight.WARNING: Tone.WAIT, Weight.OK: Tone.OK}
FINDINGS, DETAILS, CHECK = range(3)
WIDEST_LABEL = 24  # characters


@dataclass(frozen=True, slots=True)
class Doors:
    """What the diagnosis speaks to; all of it is called in the worker only."""

    sources: Callable[[], Sources]
    card: Callable[[], Card]
    web: Callable[[], AbstractContextManager[Web]]


class DiagnosticsDialog(Dialog):
    """The diagnosis of this computer. `keep_debug` is told when the detailed log is switched, so that it is kept."""

    def __init__(
        self,
        doors: Doors,
        worker: Worker,
        watch: ReaderWatch,
        logbook: Logbook,
        clock: Callable[[], datetime],
        keep_debug: Callable[[bool], None],
        parent: QWidget | None = None,
        *,
        ask: AskPath = ask_path,
    ) -> None:
        """Begin to gather at once; `ask` asks where to export."""
        super().__init__(tr("Diagnostica"), parent, size=(860, 700))
        self._doors, self._clock, self._ask = doors, clock, ask
        self._logbook, self._keep_debug = logbook, keep_debug
        self.report: Report | None = None
        self.errands = Errands(self, worker)
        self._gathering: Errand | None = None
        self.notice = pieces.NoticeBox(Tone.NEUTRAL, "")
        self.check = CardCheckPanel()
        self._build()
        self._build_buttons()
        self.errands.busy.connect(self._show_busy)
        self.check.asked.connect(self._try_card)
        watch.changed.connect(self._read_cards)
        self.finished.connect(self.errands.cancel)
        self.start()

    def _build(self) -> None:
        self.bar = QProgressBar()
        self.bar.setRange(0, len(TITLES))
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Avanzamento della diagnosi"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(tr("Diagnostica"))
        self._findings, self._details = QVBoxLayout(), QVBoxLayout()
        for layout, title in ((self._findings, tr("Esito")), (self._details, tr("Dettagli"))):
            page, lines = column()
            lines.setContentsMargins(0, pieces.SPACE[2], pieces.SPACE[2], 0)
            lines.addLayout(layout)
            layout.setSpacing(pieces.SPACE[1])
            self.tabs.addTab(scrolling(page), title)
        page, lines = column()
        lines.setContentsMargins(0, pieces.SPACE[2], 0, 0)
        lines.addWidget(self.check)
        self.tabs.addTab(scrolling(page), tr("Prova la carta"))
        self.tabs.currentChanged.connect(self._fit_buttons)
        self.with_holder = CheckLine(tr("Includi i miei dati: il nome scritto nei certificati"))
        self.with_holder.toggled.connect(self._gather_again)
        self.debug = CheckLine(tr("Log dettagliato (debug): serve all'assistenza per capire un problema."))
        self.debug.box.setChecked(self._logbook.debug)
        self.debug.toggled.connect(self._switch_debug)
        self.body.addWidget(self.notice)
        self.body.addWidget(self.bar)
        self.body.addWidget(self.tabs, 1)
        self.body.addWidget(self.with_holder)
        self.body.addWidget(self.debug)

    def _build_buttons(self) -> None:
        self.again_button = self.add_button(pieces.secondary(tr("Ripeti")))
        self.copy_button = self.add_button(pieces.secondary(tr("Copia")))
        self.export_button = self.add_button(pieces.primary(tr("Esporta")))
        self.add_button(self.check.button)
        self.again_button.clicked.connect(self._again_or_stop)
        self.copy_button.clicked.connect(self._copy)
        self.export_button.clicked.connect(self._export)
        self._fit_buttons()

    # Gathering.

    def start(self) -> None:
        """Gather the report anew."""
        if self._gathering is not None:
            return
        self.bar.setValue(0)
        self.bar.show()
        self._say(Tone.NEUTRAL, tr("Diagnosi in corso, attendere..."), "")
        with_holder = self.with_holder.is_ticked

        def work(errand: Errand) -> tuple[Report, tuple[CardView, ...]]:
            def told(part: str) -> None:
                if errand.is_cancelled:
                    raise Declined(operation="diagnosis")
                errand.report(part)

            report = gather(self._doors.sources(), now=self._clock(), with_holder=with_holder, told=told)
            return report, _cards_or_none(self._doors.card)

        self._gathering = self.errands.start(work, done=self._show, failed=self._fail, progress=self._advance)
        self._fit_buttons()

    @Slot()
    def _gather_again(self) -> None:
        """Take the new wish at once; what is being gathered is not what is wanted any more."""
        self._stop()
        self.start()

    @Slot()
    def _again_or_stop(self) -> None:
        if self._gathering is None:
            self.start()
            return
        self._stop()
        self._say(Tone.NEUTRAL, tr("Diagnosi interrotta."), "")

    def _stop(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        self.bar.hide()
        self._fit_buttons()

    def _advance(self, part: str) -> None:
        self.bar.setValue(list(TITLES).index(part) if part in TITLES else self.bar.value())
        self._say(Tone.NEUTRAL, tr("Diagnosi in corso, attendere..."), tr(TITLES[part]) if part in TITLES else "")

    def _show(self, found: tuple[Report, tuple[CardView, ...]]) -> None:
        self.report, views = found
        self._stop()
        self._show_findings(self.report)
        _empty(self._details)
        for section in sections(self.report):
            self._details.addWidget(pieces.DetailRows(_joined(section.lines), section.title))
        self.check.show_cards(views)

    def _show_findings(self, report: Report) -> None:
        _empty(self._findings)
        for each in report.findings:
            self._findings.addWidget(pieces.NoticeBox(TONES[each.tone], each.text, each.advice, each.code))
        problems = [each for each in report.findings if each.tone is Weight.PROBLEM]
        if problems:
            words = tr("Problemi trovati: {count}. Comincia dal primo.", count=len(problems))
            self._say(Tone.DANGER, words, "")
        elif any(each.tone is Weight.WARNING for each in report.findings):
            self._say(Tone.WAIT, tr("Nessun problema, ma leggi gli avvisi."), "")
        else:
            self._say(Tone.OK, tr("Nessun problema trovato."), "")

    def _fail(self, problem: ClientError) -> None:
        self._stop()
        message = words_for(problem)
        self._say(Tone.DANGER, message.text, f"{message.cause} {message.advice}".strip(), problem.code)

    # Prova la carta.

    @Slot(object)
    def _read_cards(self, _states: object = None) -> None:
        """A card came or went: read again what the check offers. The report keeps what it has seen."""
        self.errands.start(
            lambda _errand: tools.cards_present(self._doors.card()),
            done=self.check.show_cards,
            failed=lambda _problem: self.check.show_cards(()),
        )

    @Slot(str, object)
    def _try_card(self, serial: str, pin: Secret) -> None:
        def work(errand: Errand) -> tuple[KeyCheck, ...]:
            with self._doors.web() as web:
                return check_card(self._doors.card(), serial, pin, web, now=self._clock(), told=errand.report)

        self.errands.start(
            work,
            done=lambda checks: self._reread(partial(self.check.show_done, checks)),
            failed=lambda problem: self._reread(partial(self.check.show_problem, problem)),
            progress=self.check.add,
        )

    def _reread(self, then: Callable[[], None]) -> None:
        """Read the counters afresh before a word is said: the warnings must already be those of the next try."""

        def told(views: Sequence[CardView]) -> None:
            self.check.show_cards(views)
            then()

        self.errands.start(
            lambda _errand: tools.cards_present(self._doors.card()), done=told, failed=self.check.show_problem
        )

    # What goes out.

    @Slot()
    def _copy(self) -> None:
        if self.report:
            QGuiApplication.clipboard().setText(readable(self.report))
            self._say(Tone.OK, tr("La diagnosi è negli appunti."), "")

    @Slot()
    def _export(self) -> None:
        """Write the report where the person wants it: JSON where the name ends so, else readable."""
        if self.report is None:
            return
        name = f"sigillo-diagnosi-{self._clock():%Y%m%d-%H%M}.txt"
        path = self._ask(self, name, f"{tr('Testo (*.txt)')};;JSON (*.json)")
        if path is None:
            return
        as_json = path.suffix.lower() == ".json"
        if save_text(path, self.report.as_json() if as_json else readable(self.report)):
            self._say(Tone.OK, tr("Diagnosi esportata."), str(path))
        else:
            self._say(Tone.DANGER, tr("Il file non è stato salvato."), tr("Scegli un'altra cartella e riprova."))

    @Slot(bool)
    def _switch_debug(self, debug: bool) -> None:  # noqa: FBT001 - a signal's argument
        self._logbook.set_debug(debug)
        self._keep_debug(debug)

    @Slot(bool)
    def _show_busy(self, busy: bool) -> None:  # noqa: FBT001 - a signal's argument
        self.check.set_busy(busy=busy)

    @Slot()
    def _fit_buttons(self) -> None:
        """Show the buttons of what is shown: the report's, or the check's."""
        checks, gathering = self.tabs.currentIndex() == CHECK, self._gathering is not None
        for button in (self.again_button, self.copy_button, self.export_button):
            button.setVisible(not checks)
        self.check.button.setVisible(checks)
        for part in (self.notice, self.with_holder, self.debug):
            part.setVisible(not checks)
        words = tr("Interrompi") if gathering else tr("Ripeti")
        self.again_button.setText(words)
        self.again_button.setAccessibleName(words)
        for button in (self.copy_button, self.export_button):
            button.setEnabled(self.report is not None and not gathering)

    def _say(self, tone: Tone, title: str, text: str, code: str = "") -> None:
        self.notice.say(tone, title, text, code)
        self.notice.setVisible(self.tabs.currentIndex() != CHECK)
        if tone is not Tone.NEUTRAL:
            pieces.announce(self.notice, self.notice.text)


def _cards_or_none(card: Callable[[], Card]) -> tuple[CardView, ...]:
    try:
        return tools.cards_present(card())
    except ClientError:
        return ()  # the report says why


def _joined(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join the lines that continue the one above them; a label with a serial in it gives the serial to its value."""
    rows: list[tuple[str, str]] = []
    for label, value in lines:
        name, _, more = label.partition(" ")
        if len(label) > WIDEST_LABEL and more:
            rows.append((name, f"{more}\n{value}"))
        elif label or not rows:
            rows.append((label, value))
        else:
            rows[-1] = rows[-1][0], f"{rows[-1][1]}\n{value}"
    return rows


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if widget := item.widget():
            widget.deleteLater()
