"""Progress by name: which phases are done, which one is going on, and a bar that says how far the whole is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from cardclient.ports import Phase
from cardclient.ui import pieces
from cardclient.words import marked, tr

TITLES = {
    Phase.SCAN: marked("Lettura della carta"),
    Phase.TEXTS: marked("Condizioni e avvertenze"),
    Phase.LOGIN: marked("Autenticazione"),
    Phase.DIAGNOSIS: marked("Diagnostica della carta"),
    Phase.CONTACTS: marked("Dati del titolare"),
    Phase.CONFIRMATION: marked("Conferma della nuova e-mail"),
    Phase.ACCEPTANCE: marked("Contratti e clausole"),
    Phase.FORM: marked("Firma del modulo di rinnovo"),
    Phase.KEYS: marked("Generazione delle nuove chiavi"),
    Phase.CERTIFICATES: marked("Emissione dei nuovi certificati"),
    Phase.INSTALLATION: marked("Installazione sulla carta"),
    Phase.REMOVAL: marked("Rimozione delle vecchie chiavi"),
    Phase.DONE: marked("Fine"),
}
UPDATE = (Phase.KEYS, Phase.CERTIFICATES, Phase.INSTALLATION, Phase.REMOVAL)  # what happens without the holder


def words_of(step: str) -> str:
    """Say a phase's name in words; a name that is none stands as it came."""
    return tr(TITLES[Phase(step)]) if step in TITLES else step


class PhaseProgress(QWidget):
    """The phases as lines with their sign, above them the bar."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        """Start with the first phase going on."""
        super().__init__()
        self._phases = list(phases)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, len(self._phases))
        self.bar.setAccessibleName(tr("Avanzamento del rinnovo"))
        self._lines = [pieces.lead("") for _ in self._phases]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(pieces.SPACE[1])
        column.addWidget(self.bar)
        column.addSpacing(pieces.SPACE[1])
        for line in self._lines:
            column.addWidget(line)
        self.show_phase(self._phases[0])

    def show_phase(self, phase: Phase) -> None:
        """Mark the phases before this one as done; DONE marks all."""
        at = self._phases.index(phase) if phase in self._phases else len(self._phases)
        self.bar.setValue(at)
        for index, (each, line) in enumerate(zip(self._phases, self._lines, strict=True)):
            sign, state, role = _look(index, at)
            line.setText(f"{sign}  {tr(TITLES[each])}")
            line.setAccessibleName(f"{tr(TITLES[each])}: {tr(state)}")
            line.setProperty("role", role)
            pieces.redress(line)
        if phase in TITLES:
            self.bar.setAccessibleDescription(tr(TITLES[phase]))
            pieces.announce(self, tr(TITLES[phase]))


def _look(index: int, at: int) -> tuple[str, str, str]:
    if index < at:
        return "✓", marked("fatto"), "lead"
    if index == at:
        return "▸", marked("in corso"), "label"
    return "○", marked("da fare"), "muted"
