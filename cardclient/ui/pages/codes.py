"""Pages for PIN and PUK: the field empties after each try, the error stands under it, the last try is told before."""

from __future__ import annotations

from collections.abc import Sequence

from cardclient import messages
from cardclient.ports import CardView, CodeLengths, Notice, SecretKind
from cardclient.secret import Secret
from cardclient.ui import pieces
from cardclient.ui.fields import CodeField, words_on_length
from cardclient.ui.page import Page
from cardclient.ui.pieces import NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import marked, tr

LABELS = {
    SecretKind.PIN: marked("Codice PIN"),
    SecretKind.PUK: marked("Codice PUK"),
    SecretKind.NEW_PIN: marked("Nuovo PIN"),
}


class CodePage(Page):
    """Asks for one code; answers with a `Secret`, after which the page holds nothing of it."""

    def __init__(
        self, kind: SecretKind, problem: str | None, notices: Sequence[Notice] = (), view: CardView | None = None
    ) -> None:
        """Ask for a code of this card; `problem` is what was wrong with the one before, `notices` were said."""
        super().__init__(tr("Autenticazione"), needs_card=True)
        self._kind = kind
        self._lengths = (view.lengths if view else CodeLengths()).of(kind)
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self.add(pieces.lead(messages.message_for(f"{kind}-prompt").text))
        if view:
            self.add(pieces.muted(tr("Carta {serial}", serial=view.serial)))
        for notice in notices:
            words = messages.message_for(notice.key, notice.facts)
            tone = Tone.OK if notice.key == "pin-unblocked" else Tone.WAIT
            self.add(NoticeBox(tone, words.text, words.advice))
        self.field = CodeField(tr(LABELS[kind]), width=260)
        self.add(self.field)
        self.repeated = CodeField(tr("Ripeti il nuovo PIN"), width=260)
        self.repeated.setVisible(kind is SecretKind.NEW_PIN)
        self.add(self.repeated)
        self._advice = pieces.muted("")
        self.add(self._advice)
        self._problem = messages.message_for(problem) if problem else None

    def focus_first(self) -> bool:
        """Go to the field; say what was wrong only now, when the page is there to be read."""
        self.field.setFocus()
        if self._problem:
            self.field.set_error(self._problem.text)
            self._advice.setText(self._problem.advice)
        return True

    def go(self) -> None:
        """Hand the code over; one of impossible length, or two different new PINs, are no try."""
        if not self._lengths.allow(Secret(self.field.edit.text().strip())):
            self.field.set_error(words_on_length(self._lengths))
            return
        code, again = self.field.take(), self.repeated.take()
        if self._kind is SecretKind.NEW_PIN and not _same(code, again):
            self.field.set_error(tr("I due PIN inseriti non sono uguali."))
            return
        self.answered.emit(code)


def _same(code: Secret, again: Secret) -> bool:
    return code.reveal() == again.reveal()


class LastTryPage(Page):
    """Says that one try is left, before any code is asked; answers True to use it."""

    def __init__(self, kind: SecretKind) -> None:
        """Warn about this code."""
        words = messages.message_for(f"{kind}-last-try")
        super().__init__(tr("È rimasto un solo tentativo"), needs_card=True)
        self.careful = True
        self.back_text, self.go_text = tr("INDIETRO"), tr("USA L'ULTIMO TENTATIVO")
        self.add(NoticeBox(Tone.DANGER, words.text, words.advice))
        if kind is SecretKind.PUK:
            self.add(NoticeBox(Tone.DANGER, messages.message_for("puk-maybe-locked").advice))
        else:
            self.add(pieces.lead(tr("Un PIN bloccato si sblocca con il PUK, ricevuto insieme al PIN.")))


class UnblockPage(Page):
    """Explains a locked PIN; answers True to open it with the PUK."""

    def __init__(self) -> None:
        """Say what locked it and what opens it."""
        words = messages.message_for("pin-locked")
        super().__init__(words.text, needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("SBLOCCA IL PIN")
        self.add(NoticeBox(Tone.WAIT, tr("Dopo 3 PIN errati consecutivi la carta si blocca."), words.advice))
        self.add(pieces.lead(tr("Tieni a portata di mano il PUK: ti sarà chiesto insieme a un nuovo PIN.")))
        self.add(NoticeBox(Tone.DANGER, messages.message_for("puk-maybe-locked").advice))
