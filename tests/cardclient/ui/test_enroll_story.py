"""Enroll in the window, from the card in the reader to the certificates on it."""

from __future__ import annotations

from cardclient.simulator import SimulatedCard
from cardclient.ui.pages.acceptance import ContractsPage, EncryptionPage
from cardclient.ui.pages.codes import CodePage
from cardclient.ui.pages.ending import ResultPage
from cardclient.ui.pages.form import FormPage
from cardclient.ui.pages.holder import ConfirmationPage, ContactsPage, DiagnosisPage
from cardclient.ui.pages.start import StartPage
from tests.cardclient.conftest import SERIAL


def read_all(story):
    """Open each text, close it, tick it."""
    for row in story.page.rows:
        row.open_button.click()
        row.reader.accept()
        row.tick.box.setChecked(True)


def renew_until_contacts(story, pin):
    story.sees(StartPage, "Certificato rinnovabile presente nella carta")
    story.goes()
    story.sees(EncryptionPage).tick.box.setChecked(True)
    story.goes()
    story.sees(CodePage)
    story.types(pin)
    story.sees(DiagnosisPage, "La carta è adatta al rinnovo.")
    story.goes()
    return story.sees(ContactsPage)


def renew_from_contacts(story, to=ResultPage):
    story.goes()
    story.sees(ContractsPage)
    read_all(story)
    story.goes()
    story.sees(FormPage)
    story.goes()
    return story.sees(to)


def test_a_renewal_runs_from_the_card_to_its_end(open_window, pin, office, card):
    story = open_window()
    story.sees(StartPage, SERIAL)
    assert story.buttons == ["Scansiona di nuovo", "Rinnova"]
    renew_until_contacts(story, pin)
    renew_from_contacts(story)
    story.reads("Rinnovo completato.", "Il rinnovo è concluso.")
    assert office.is_complete
    labels = {each.label for each in SimulatedCard(card.path).scan()[0].certificates}
    assert len(labels) == 2
    story.goes()
    story.sees(StartPage, "Nessun certificato rinnovabile presente nella carta")


def test_a_changed_mailbox_is_confirmed_with_the_mailed_code(open_window, pin):
    story = open_window()
    page = renew_until_contacts(story, pin)
    page.email.edit.setText("nuova@example.org")
    story.goes()
    story.sees(ConfirmationPage, "nuova@example.org")
    story.types("000000")
    story.sees(ConfirmationPage, "Il codice di conferma non è corretto.")
    story.types("123456")
    story.sees(ContractsPage)


def test_a_mistyped_mailbox_is_corrected_from_the_page_of_the_code(open_window, pin, office):
    story = open_window()
    page = renew_until_contacts(story, pin)
    page.email.edit.setText("nuova@exmaple.example")
    story.goes()
    story.sees(ConfirmationPage, "nuova@exmaple.example").other_contacts.click()
    page = story.sees(ContactsPage, "riceverai un altro codice")
    assert page.email.value == "nuova@exmaple.example"
    page.email.edit.setText("nuova@example.org")
    story.goes()
    story.sees(ConfirmationPage, "nuova@example.org")
    story.types("123456")
    story.sees(ContractsPage)
    assert (office.email, office.codes_mailed) == ("nuova@example.org", 2)


def test_a_code_that_ran_out_leads_back_to_the_contacts_and_says_why(open_window, pin, office):
    story = open_window()
    page = renew_until_contacts(story, pin)
    page.email.edit.setText("nuova@example.org")
    story.goes()
    story.sees(ConfirmationPage)
    office.code_is_stale = True
    story.types("123456")
    assert story.sees(ContactsPage, "Il codice di conferma non è più valido.").email.error == ""
    story.goes()
    story.sees(ConfirmationPage, "nuova@example.org")
    story.types("123456")
    story.sees(ContractsPage)


def test_going_back_from_the_contacts_leads_to_the_code_again(open_window, pin):
    story = open_window()
    page = renew_until_contacts(story, pin)
    page.email.edit.setText("nuova@example.org")
    story.goes()
    story.sees(ConfirmationPage).other_contacts.click()
    story.sees(ContactsPage)
    story.goes_back()
    story.sees(ConfirmationPage, "nuova@example.org")
