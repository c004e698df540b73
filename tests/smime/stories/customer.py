"""What a customer does in his area, told once for all stories; labels are those of the public guide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from playwright.sync_api import Locator, Page, expect

from cms.policy import ROME
from tests.smime.stories.stage import BUYER, Stage

COMPANY_NUMBER = "07643520567"


@dataclass(frozen=True)
class Recipient:
    """Who is to use the certificate; `is_buyer`: the customer himself."""

    given_name: str = "Bice"
    surname: str = "Acquisti"
    mailbox: str = BUYER
    is_buyer: bool = True


BICE = Recipient()
LIVIA = Recipient("Livia", "D'Àmico", "livia.damico@posta.example.org", is_buyer=False)


def activate(page: Page) -> None:
    """`Attiva ora` on the dashboard."""
    page.goto("/area-clienti/")
    page.get_by_role("button", name="Attiva ora").first.click()
    expect_title(page, "Dati del destinatario")


def describe_recipient(page: Page, who: Recipient) -> None:
    """Step 2 of the guide."""
    tick(page, page.get_by_label("Io, che ho acquistato" if who.is_buyer else "Un'altra persona"))
    page.get_by_label("Nome", exact=True).fill(who.given_name)
    page.get_by_label("Cognome", exact=True).fill(who.surname)
    page.get_by_label("Indirizzo email").fill(who.mailbox)
    page.get_by_role("button", name="Richiedi").click()
    expect_title(page, "Controlli i dati del destinatario")
    expect(page.locator("main")).to_contain_text(who.mailbox)
    go_on(page)


def accept_technical_contact(page: Page, who: Recipient) -> None:
    """Step 3: prefilled with the recipient."""
    expect_title(page, "Dati del contatto tecnico")
    expect(page.get_by_label("Indirizzo email")).to_have_value(who.mailbox)
    go_on(page)


def name_organisation(page: Page) -> None:
    """Steps 4 and 5 (OV, SV)."""
    expect_title(page, "Dati del contatto organizzativo")
    page.get_by_label("Nome", exact=True).fill("Dora")
    page.get_by_label("Cognome", exact=True).fill("Direzione")
    page.get_by_label("Indirizzo email").fill("direzione@azienda.example.org")
    tick(page, page.get_by_label("No, è un'altra persona"))
    go_on(page)
    expect_title(page, "Dati dell'organizzazione del richiedente")
    page.get_by_label("Partita IVA o codice fiscale").fill(COMPANY_NUMBER)
    page.get_by_label("Numero di iscrizione al Registro delle Imprese").fill(COMPANY_NUMBER)
    page.get_by_label("Paese di costituzione").select_option("IT")
    go_on(page)


def start_checks(page: Page) -> None:
    """Step 7: summary, terms, `Avvia verifica`."""
    expect_title(page, "Controlli i dati e accetti i termini e le condizioni")
    tick(page, page.locator("input[name=accept]"))
    page.get_by_role("button", name="Avvia verifica").click()
    expect_title(page, "Stato della pratica")


def tick(page: Page, box: Locator) -> None:
    """Choose a box by its label, which the frame draws in its place."""
    page.locator(f"label[for={box.get_attribute('id')}]").click()
    expect(box).to_be_checked()


def go_on(page: Page) -> None:
    """`Conferma e prosegui`."""
    page.get_by_role("button", name="Conferma e prosegui").click()


def expect_title(page: Page, title: str) -> None:
    """Wait for the page of this name."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def attest(stage: Stage, page: Page, letter: bytes) -> None:
    """Step 6 (SV): the letter's data and the signed letter."""
    expect_title(page, "Attestazione del Rapporto Professionale")
    said = {
        "Ruolo o posizione aziendale del richiedente": "Responsabile sistemi",
        "Funzione specifica svolta": "IT Manager",
        "Ragione sociale dell'organizzazione": "Azienda di Esempio S.r.l.",
        "Indirizzo completo dell'organizzazione": "Via delle Prove 1, 20121 Milano",
        "Nome e cognome del referente che firma": "Rita Referente",
        "Qualifica del referente": "Responsabile Risorse Umane",
        "Email o numero di telefono del referente": "rita@azienda.example.org",
    }
    for label, value in said.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("Data dell'attestazione").fill(datetime.now(ROME).date().isoformat())
    page.locator("input[type=file]").set_input_files(
        {"name": "attestazione.pdf", "mimeType": "application/pdf", "buffer": letter}
    )
    stage.picture(page, "attestazione")
    page.get_by_role("button", name="Invia ora").click()
