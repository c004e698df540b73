"""How a run ended: concluded, only in part, stopped by the holder, or failed, always with what to do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from cardclient import messages
from cardclient.contract import Case
from cardclient.errors import AnotherCard, CardRemoved, ClientError, ClientOutdated, OfficeRefusal
from cardclient.ports import Phase
from cardclient.scanned import Scanned
from cardclient.ui import facts, pieces
from cardclient.ui.deadlines import day_text, deadline_line, instant
from cardclient.ui.page import Page
from cardclient.ui.phases import words_of
from cardclient.ui.pieces import DetailRows, NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr

if TYPE_CHECKING:
    from cardclient.flow import Outcome

REINSERTION_PAUSE = 3.0  # seconds the card stays out: "dopo alcuni secondi" (SogeiExtend §2)


class ResultPage(Page):
    """The renewal stands; where the family wants it, the page also sees the card being taken out and put in again."""

    def __init__(self, outcome: Outcome, now: datetime) -> None:
        """Say how it ended; `FINE` goes back to the start."""
        super().__init__(messages.message_for("done" if outcome.case else "removal-finished").text)
        self.go_text = tr("FINE")
        self.reinsertion: NoticeBox | None = None
        if outcome.case:
            self._add_result(outcome.case, now)
        else:
            self.add(NoticeBox(Tone.OK, tr("Sulla carta resta soltanto la coppia nuova.")))
        if outcome.reinsert:
            self.reinsertion = NoticeBox(Tone.WAIT, messages.message_for("reinsert").text)
            self.add(self.reinsertion)

    def _add_result(self, case: Case, now: datetime) -> None:
        result = case.result
        ends = instant(result.new_not_after) if result else None
        authorise_by = instant(result.authorise_by) if result else None
        if result and not result.concluded:
            self.heading.setText(tr("Rinnovo concluso solo in parte"))
            self.setAccessibleName(self.heading.text())
            self.add(NoticeBox(Tone.WAIT, tr("Serve l'autorizzazione del tuo CDRL"), result.message))
            if authorise_by:
                self.add(deadline_line(tr("Autorizzazione entro"), authorise_by, now))
            self.add(pieces.lead(tr("I nuovi certificati sono attivi, ma senza autorizzazione saranno sospesi.")))
            self.add(DetailRows(facts.centre_rows(case), tr("A chi rivolgersi")))
        else:
            self.add(NoticeBox(Tone.OK, tr("I nuovi certificati sono sulla carta."), result.message if result else ""))
        rows = [*facts.case_rows(case), (tr("Nuova scadenza"), day_text(ends) if ends else "")]
        self.add(DetailRows(rows))

    def show_removed(self) -> None:
        """The card was taken out: ask to wait, then to put it in again."""
        self._say(Tone.WAIT, tr("Carta scollegata. Attendi alcuni secondi, poi inseriscila di nuovo."))

    def show_too_early(self) -> None:
        """The card came back before it had forgotten anything."""
        self._say(Tone.WAIT, tr("Troppo presto: scollega la carta e attendi alcuni secondi, poi inseriscila."))

    def show_reinserted(self) -> None:
        """The card is in again: it can be used."""
        self._say(Tone.OK, tr("Carta ricollegata: ora puoi usarla per accedere ai portali."))

    def _say(self, tone: Tone, text: str) -> None:
        if self.reinsertion is not None:
            self.reinsertion.say(tone, text)
            pieces.announce(self.reinsertion, text)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run stopped and what is known of it."""

    problem: ClientError
    scanned: Scanned | None = None
    case: Case | None = None
    step: Phase | None = None
    reference: str = ""


class FailurePage(Page):
    """The message with what to do first, then the card, then support and what it needs (SogeiExtend §2).

    A connection error shows message and card only and invites to retry. Answers True to try again.
    """

    save_log = Signal()
    ask_support = Signal()

    def __init__(self, failure: Failure) -> None:
        """Tell the failure in the words of its code."""
        words = messages.words_for(failure.problem)
        title = tr("Rinnovo interrotto") if is_pause(words) else tr("Rinnovo non riuscito")
        super().__init__(title, needs_card=isinstance(failure.problem, CardRemoved | AnotherCard))
        self.back_text, self.go_text = tr("INDIETRO"), tr("RIPROVA")
        tone = Tone.WAIT if is_pause(words) else Tone.DANGER
        told = "\n".join(line for line in (words.cause, words.advice) if line)
        self.notice = NoticeBox(tone, words.text, told, words.code)
        self.add(self.notice)
        if failure.scanned:
            self.add(DetailRows(facts.card_rows(failure.scanned), tr("Carta")))
        self._add_ways_out(failure)
        if words.offers_support:
            self._add_support()
            self.add(DetailRows(_support_rows(failure, words.code), tr("Per l'assistenza")))

    def focus_first(self) -> bool:
        """Have the failure read aloud; the buttons below take the focus."""
        pieces.announce(self.notice, self.notice.accessibleName())
        return False

    def _add_ways_out(self, failure: Failure) -> None:
        problem = failure.problem
        if isinstance(problem, ClientOutdated) and problem.download:
            self.add(pieces.external_link(tr("Scarica la versione aggiornata"), problem.download))
        purchase = failure.scanned.answer.purchase_url if failure.scanned else None
        if purchase and isinstance(problem, OfficeRefusal) and problem.action == "new-purchase":
            self.add(pieces.external_link(tr("Acquista un nuovo servizio"), purchase))

    def _add_support(self) -> None:
        """Offer the two ways to reach the support desk."""
        log, support = pieces.link(tr("Scarica i log")), pieces.secondary(tr("Apri richiesta di supporto"))
        log.clicked.connect(self.save_log)
        support.clicked.connect(self.ask_support)
        self.add_row(support, log)
        self._saved = NoticeBox(Tone.NEUTRAL, "")
        self._saved.hide()
        self.add(self._saved)

    def show_saved(self, place: str | None) -> None:
        """Say where the log lies now, or (None) that it was not saved."""
        if place is None:
            self._saved.say(Tone.DANGER, tr("Il file non è stato salvato."), tr("Scegli un'altra cartella e riprova."))
        else:
            self._saved.say(Tone.OK, tr("Log salvati."), place)
        self._saved.show()
        pieces.announce(self._saved, self._saved.text)


def _support_rows(failure: Failure, code: str) -> list[tuple[str, str]]:
    """What support asks for, in one place."""
    rows = [(tr("Codice"), code), (tr("Fase"), words_of(failure.step or "")), (tr("Riferimento"), failure.reference)]
    return rows + (facts.case_rows(failure.case) + facts.centre_rows(failure.case) if failure.case else [])


def is_pause(words: messages.Message) -> bool:
    """Whether the run can simply go on: the holder stopped, or something only he can give is missing."""
    known = messages.row(words.code)
    return known.code == words.code and known.pauses
