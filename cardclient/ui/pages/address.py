"""The first page of a program that was not told which office it serves: it asks for the address."""

from __future__ import annotations

from cardclient.ui import pieces
from cardclient.ui.page import Page
from cardclient.ui.pieces import NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr


class AddressPage(Page):
    """Says that the office's address is missing; answers True to write it in the preferences."""

    def __init__(self) -> None:
        """Say where the address comes from."""
        super().__init__(tr("Rinnovo della carta"))
        self.go_text = tr("IMPOSTA L'INDIRIZZO")
        self.add(NoticeBox(Tone.WAIT, tr("Manca l'indirizzo del servizio di rinnovo.")))
        self.add(pieces.lead(tr("Lo comunica il tuo CDRL. Scrivilo in Preferenze › Server: comincia con https://.")))
        self.add(pieces.lead(tr("Il programma scaricato dalla pagina del tuo CDRL lo conosce già.")))
