"""Waiting: a short wait between two questions, and the update of the card, which must not be interrupted."""

from __future__ import annotations

from cardclient import messages
from cardclient.ports import Phase
from cardclient.ui import pieces
from cardclient.ui.page import Page
from cardclient.ui.phases import TITLES, UPDATE, PhaseProgress
from cardclient.ui.pieces import NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr


class WaitPage(Page):
    """Something is being asked of card or office; nothing to do here."""

    def __init__(self, phase: Phase) -> None:
        """Name what is going on."""
        super().__init__(tr(TITLES[phase]))
        self.add(NoticeBox(Tone.NEUTRAL, tr("Attendere...")))


class ProgressPage(Page):
    """The card is being updated: the guide's sentences, the phases by name, no button."""

    def __init__(self, phase: Phase, *, removes: bool) -> None:
        """Start at a phase; `removes` adds the removal of the old keys to the list."""
        super().__init__(messages.message_for("in-progress").text)
        self.add(
            NoticeBox(
                Tone.WAIT,
                tr(
                    "È importante non interrompere il processo di rinnovo (es. chiudendo il software, interrompendo la "
                    "connessione internet, disconnettendo il lettore o estraendo la carta)."
                ),
            )
        )
        self.progress = PhaseProgress(UPDATE if removes else UPDATE[:-1])
        self.add(self.progress)
        self.add(pieces.muted(tr("Il tempo richiesto varia da alcuni secondi a 2-3 minuti.")))
        self.progress.show_phase(phase)

    def show_phase(self, phase: Phase) -> None:
        """Move on."""
        self.progress.show_phase(phase)

    def show_close_refused(self) -> None:
        """Say why the window does not close."""
        text = tr("La carta è in scrittura: la finestra si potrà chiudere al termine.")
        if not hasattr(self, "_refusal"):
            self._refusal = NoticeBox(Tone.DANGER, text)
            self.add(self._refusal)
        pieces.announce(self._refusal, text)
