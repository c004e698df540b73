"""The holder's pages: what the diagnosis found, his data, what is wrong with them, the code mailed to a new mailbox."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QWidget

from cardclient import messages
from cardclient.contract import Address, Case, ChangeContacts, Contacts, DataWrong, Step
from cardclient.ui import facts, pieces
from cardclient.ui.deadlines import day_text, instant
from cardclient.ui.fields import Field
from cardclient.ui.page import Page
from cardclient.ui.pieces import DetailRows, NoticeBox
from cardclient.ui.theme import Tone
from cardclient.words import tr

LONGEST_REASON = 300  # characters the office takes
STALE = frozenset({"confirmation-expired"})  # says nothing against the contacts themselves


class DiagnosisPage(Page):
    """The card passed: says what will be renewed; answers True to go on."""

    def __init__(self, case: Case) -> None:
        """Show case, card and certificates."""
        super().__init__(tr("Diagnostica della carta"), needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self.add(NoticeBox(Tone.OK, tr("La carta è adatta al rinnovo.")))
        ends = instant(case.old_not_after)
        kinds = ", ".join(tr(facts.SLOTS[each.slot]) for each in case.slots)
        rows = [*facts.case_rows(case), (tr("Certificati da rinnovare"), kinds)]
        self.add(DetailRows([*rows, (tr("Scadenza attuale"), day_text(ends) if ends else "")]))


class ContactsPage(Page):
    """The holder's data; only what is not in the certificate can be changed. Answers with `Contacts`."""

    data_wrong = Signal()

    def __init__(self, case: Case, current: Contacts, problem: str | None) -> None:
        """Show the data; `problem` is the code of what was wrong with the contacts given before."""
        super().__init__(tr("Dati del titolare"), needs_card=True)
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self._problem = None if problem in STALE else problem
        self.add(DetailRows(_holder_rows(case), tr("Dati contenuti nel certificato")))
        wrong = pieces.link(tr("I dati non sono corretti"))
        wrong.clicked.connect(self.data_wrong)
        self.add(wrong)
        self.add(pieces.subheading(tr("Recapiti")))
        self.add(pieces.lead(tr("E-mail e cellulare devono essere soltanto tuoi: sono un canale riservato.")))
        self._tell_of_codes(case, problem)  # beside the field that takes the focus, or it would be scrolled away
        address = current.address
        self.email = Field(tr("E-mail"), current.email)
        self.mobile = Field(tr("Cellulare"), current.mobile, width=260)
        self.street = Field(tr("Indirizzo"), address.street)
        self.postcode = Field(tr("CAP"), address.postcode, width=120)
        self.town = Field(tr("Comune"), address.town, width=300)
        self.province = Field(tr("Provincia"), address.province, width=90)
        self.add(self.email, self.mobile, self.street, _beside(self.postcode, self.town, self.province))

    def _tell_of_codes(self, case: Case, problem: str | None) -> None:
        """Say what comes of these contacts where a code was mailed before: another one, also to the same mailbox."""
        again = tr("Controlla l'indirizzo e premi PROSEGUI: riceverai un altro codice.")
        if problem in STALE:
            words = messages.message_for(str(problem))
            self.add(NoticeBox(Tone.WAIT, words.text, again, words.code))
        elif case.next_step is Step.CONFIRMATION:
            self.add(NoticeBox(Tone.NEUTRAL, again))

    def focus_first(self) -> bool:
        """Go to the mailbox; say what was wrong with the contacts given before."""
        self.email.setFocus()
        if self._problem:
            words = messages.message_for(self._problem)
            # The office does not say which of the two belongs to somebody else, nor to whom.
            self.mobile.set_error(words.advice)
            self.email.set_error(words.text)
        return True

    def go(self) -> None:
        """Answer with the contacts, once the two that are needed look like such."""
        self.email.set_error("")
        self.mobile.set_error("")
        if not any(character.isdecimal() for character in self.mobile.value):
            self.mobile.set_error(tr("Inserisci il numero di cellulare."))
        if "@" not in self.email.value.strip("@"):
            self.email.set_error(tr("Inserisci un indirizzo e-mail valido."))
        if not self.email.error and not self.mobile.error:
            self.answered.emit(self._contacts())

    def _contacts(self) -> Contacts:
        address = Address(self.street.value, self.postcode.value, self.town.value, self.province.value)
        return Contacts(self.email.value, self.mobile.value, address)


def _holder_rows(case: Case) -> list[tuple[str, str]]:
    return [
        (tr("Nome"), case.given_name),
        (tr("Cognome"), case.surname),
        (tr("Codice fiscale"), case.tax_code),
    ]


def _beside(*fields: Field) -> QWidget:
    """Put fields side by side, their labels in one line even when an error stands under one."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(pieces.SPACE[3])
    for each in fields:
        row.addWidget(each, 0, Qt.AlignmentFlag.AlignTop)
    row.addStretch(1)
    return made


class DataWrongPage(Page):
    """Asks what is wrong ("I dati non sono corretti"); answers with `DataWrong`, or with nothing to go back."""

    def __init__(self, case: Case) -> None:
        """Say what stopping means before it is done."""
        super().__init__(tr("I dati non sono corretti"))
        self.back_text, self.go_text = tr("INDIETRO"), tr("INTERROMPI IL RINNOVO")
        words = messages.message_for("data-wrong")
        told = tr("Il rinnovo sarà chiuso e la carta non sarà modificata. {advice}", advice=words.advice)
        self.add(NoticeBox(Tone.WAIT, tr("I dati nel certificato non si possono modificare con il rinnovo."), told))
        label = pieces.lead(tr("Che cosa non è corretto?"))
        self.reason = QPlainTextEdit()
        self.reason.setAccessibleName(tr("Che cosa non è corretto?"))
        self.reason.setTabChangesFocus(True)
        self.reason.setMaximumHeight(110)
        self.reason.textChanged.connect(self._fit)
        label.setBuddy(self.reason)
        self._left = pieces.muted("")
        self.add(label, self.reason, self._left)
        self.add(DetailRows(facts.centre_rows(case), tr("A chi rivolgersi")))
        self._fit()

    def focus_first(self) -> bool:
        """Go to the question."""
        self.reason.setFocus()
        return True

    def go(self) -> None:
        """Answer with the reason."""
        self.answered.emit(DataWrong(self.reason.toPlainText().strip()))

    def _fit(self) -> None:
        text = self.reason.toPlainText().strip()
        left = LONGEST_REASON - len(text)
        self._left.setText(tr("Ancora {left} caratteri. Il testo è inviato al tuo CDRL.", left=left))
        self.allow(go=bool(text) and left >= 0)


class ConfirmationPage(Page):
    """Asks for the code mailed to the new mailbox; answers with the text, or with `ChangeContacts`."""

    def __init__(self, email: str, problem: str | None) -> None:
        """Name the mailbox."""
        super().__init__(tr("Conferma della nuova e-mail"))
        self.back_text, self.go_text = tr("INDIETRO"), tr("PROSEGUI")
        self._problem = messages.message_for(problem) if problem else None
        self.add(pieces.lead(tr("Abbiamo inviato un codice a {email}. Inseriscilo qui per confermare.", email=email)))
        self.field = Field(tr("Codice di conferma"), width=200)
        self.add(self.field)
        self.add(pieces.muted(tr("Se non lo trovi, controlla anche la posta indesiderata.")))
        self.other_contacts = pieces.link(tr("Cambia i recapiti o invia un altro codice"))
        self.other_contacts.clicked.connect(lambda: self.answered.emit(ChangeContacts()))
        self.add(self.other_contacts)

    def focus_first(self) -> bool:
        """Go to the field and say what was wrong with the code before."""
        self.field.setFocus()
        if self._problem:
            self.field.set_error(self._problem.text)
        return True

    def go(self) -> None:
        """Answer with the code, if there is one."""
        if self.field.value:
            self.answered.emit(self.field.value)
        else:
            self.field.set_error(tr("Inserisci il codice ricevuto per e-mail."))
