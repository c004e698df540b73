"""The start page: what stands in the readers, in the guides' words, and the button that renews it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QRadioButton

from cardclient import messages
from cardclient.contract import Capabilities, Offer
from cardclient.errors import ClientError, ClientOutdated, DriverNeeded, NoCard
from cardclient.messages import Guide
from cardclient.ports import CardView
from cardclient.scanned import Scanned, not_renewable
from cardclient.ui import facts, pieces
from cardclient.ui.page import Page
from cardclient.ui.pieces import DetailRows, NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

EXTEND = "extend"
TONES = {Guide.NO_CARD: Tone.NEUTRAL, Guide.ALREADY_RENEWED: Tone.OK, Guide.EXPIRED: Tone.DANGER}
HINTS = (
    marked("Inserisci la carta nel lettore con il chip rivolto in avanti, fino in fondo (interfaccia contact)."),
    marked("Se il lettore ha due interfacce, prova ad appoggiare la carta (contactless) e ripeti la scansione."),
    marked("Lascia inserita soltanto la carta da rinnovare: togli le altre carte e chiavette."),
    marked("Verifica che i driver del lettore e della carta siano installati."),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the holder wants renewed."""

    scanned: Scanned
    offer: Offer


class StartPage(Page):
    """Shows the outcome of a scan and answers with a `Wish`, or with True to finish a removal cut off before."""

    rescan = Signal()

    def __init__(self, now: datetime, drivers_page: str = "") -> None:
        """Start with "scanning"; `drivers_page` is the address of the table of drivers (empty: no link)."""
        super().__init__(tr("Rinnovo della carta"))
        self._now, self._drivers_page = now, drivers_page
        self._wishes: list[tuple[QRadioButton | None, Wish]] = []
        self._finishes = False
        self._first = True
        self.allow(go=False)

    def show_scanning(self) -> None:
        """Say that the readers are being looked at."""
        self._renew_content()
        self.add(NoticeBox(Tone.NEUTRAL, tr("Lettura della carta in corso, attendere...")))
        self._fit()

    def show_problem_of(self, problem: ClientError, views: Sequence[CardView] = ()) -> None:
        """Say why nothing can be renewed now: no card, no connection, no driver, a program too old.

        `views` are the cards that could be read although the office did not answer.
        """
        self._renew_content()
        words = messages.words_for(problem)
        tone = TONES.get(words.guide, Tone.DANGER) if words.guide else Tone.DANGER
        box = self._told(words, tone)
        if isinstance(problem, NoCard):
            self._add_hints()
        if isinstance(problem, ClientOutdated) and problem.download:
            self.add(pieces.external_link(tr("Scarica la versione aggiornata"), problem.download))
        if isinstance(problem, DriverNeeded):
            text = tr("Scarica il driver {driver}", driver=problem.facts["driver"])
            self.add(pieces.external_link(text, problem.facts["address"]))
        for view in views:
            self.add(DetailRows(facts.view_rows(view)))
        self._fit()
        pieces.announce(box, box.accessibleName())

    def show_cards(self, scanned: Sequence[Scanned], *, removal_left: bool = False) -> None:
        """Show every card: with what can be renewed on it, or with the reason why nothing can.

        `removal_left` offers to take away what a completed renewal left on the card, where nothing can be renewed.
        """
        self._renew_content()
        wishes = [Wish(each, offer) for each in scanned for offer in each.offers]
        self._finishes = removal_left and not wishes
        if wishes:
            self._summary = messages.message_for("renewable").text
            choose = tr("Scegli il certificato in scadenza. È consigliabile lasciare una sola carta.")
            self.add(NoticeBox(Tone.OK, self._summary, choose if len(wishes) > 1 else ""))
        for each in scanned:
            self._add_card(each, [wish for wish in wishes if wish.scanned is each], several=len(wishes) > 1)
        self._fit()
        pieces.announce(self, self._summary)

    def show_newer(self, newer: Capabilities | None) -> None:
        """Name a newer version in one line under the cards; it hinders nothing."""
        if newer and newer.download:
            text = tr("È disponibile la versione {version} del programma", version=newer.current)
            self.add(pieces.external_link(text, newer.download))

    def back(self) -> None:
        """Scan again: the first button, or Esc."""
        self.rescan.emit()

    def go(self) -> None:
        """Answer with the renewal chosen, or with the removal that is left."""
        wish = self.wish
        if wish is not None or self._finishes:
            self.answered.emit(wish if wish is not None else True)

    @property
    def wish(self) -> Wish | None:
        """Return the renewal chosen; the only one there is needs no choice."""
        if len(self._wishes) == 1:
            return self._wishes[0][1]
        return next((wish for button, wish in self._wishes if button and button.isChecked()), None)

    @property
    def choices(self) -> list[QRadioButton]:
        """Return the buttons to choose with; none where there is one renewal."""
        return [button for button, _ in self._wishes if button]

    def _add_card(self, each: Scanned, wishes: list[Wish], *, several: bool) -> None:
        if not wishes and self._finishes:
            self._told(messages.message_for("old-objects-left"), Tone.WAIT)
            self.add(DetailRows(facts.card_rows(each)))
            return
        if not wishes:
            self._add_refusal(each)
            return
        for wish in wishes:
            name = tr("Rinnova {service}, carta {serial}", service=wish.offer.service, serial=each.view.serial)
            button = QRadioButton(name) if several else None
            if button:
                button.toggled.connect(self._fit)
                self.add(button)
            self._wishes.append((button, wish))
            self.add(DetailRows(facts.card_rows(each) + facts.offer_rows(wish.offer, self._now)))

    def _add_refusal(self, each: Scanned) -> None:
        words = messages.words_for(not_renewable([each]))
        tone = TONES.get(words.guide, Tone.WAIT) if words.guide else Tone.WAIT
        self._told(words, Tone.DANGER if each.final else tone)
        self.add(DetailRows(facts.card_rows(each) + facts.certificate_rows(each)))
        if each.answer.purchase_url:
            self.add(pieces.external_link(tr("Acquista un nuovo servizio"), each.answer.purchase_url))

    def _told(self, words: messages.Message, tone: Tone) -> NoticeBox:
        self._summary = words.text
        box = NoticeBox(tone, words.text, "\n".join(line for line in (words.cause, words.advice) if line), words.code)
        self.add(box)
        return box

    def _add_hints(self) -> None:
        self.add(pieces.subheading(tr("Se la carta è già inserita")))
        for hint in HINTS:
            self.add(pieces.lead(f"•  {tr(hint)}"))
        if self._drivers_page:
            self.add(pieces.external_link(tr("Tabella dei driver per sigla della carta"), self._drivers_page))

    def _renew_content(self) -> None:
        """Take away what stood under the heading."""
        self._wishes, self._finishes, self._summary = [], False, ""
        self.clear()

    def _fit(self) -> None:
        wish = self.wish
        self.back_text, self.go_text = tr("Scansiona di nuovo"), ""
        if self._finishes:
            self.go_text = tr("CONCLUDI LA RIMOZIONE")
        elif self._wishes:
            extends = any(each.offer.flow == EXTEND for _, each in self._wishes)
            self.go_text = tr("RINNOVA") if extends else tr("Rinnova")
        self.can_go = wish is not None or self._finishes
        self.footer_changed.emit()
