"""What officers do at the panel with an order: one looks things up and calls back, another says the last word."""

from __future__ import annotations

from datetime import datetime

from playwright.sync_api import Page, expect

from cms.policy import ROME
from smime.models import IdentificationAttempt
from smime.states import AttemptState
from tests.smime.corpus import pdf
from tests.smime.stories.customer import COMPANY_NUMBER, expect_title
from tests.smime.stories.stage import Stage

COMPANY = "Azienda di Esempio S.r.l."
SWITCHBOARD = "+39 02 5550 0199"
ROUNDS = 5
PAINTED = "image => image.complete && image.naturalWidth > 0"


def verify_organisation(stage: Stage) -> None:
    """Collect an extract of the register, record what it says, then call a contact that stands there."""
    page = stage.at_desk(stage.officer)
    collect_extract(stage, page)
    open_check(stage, page, "Organizzazione")
    page.get_by_role("button", name="Prendi in carico").click()
    expect_proofs(page, 1)
    page.get_by_label("Registro consultato").select_option(label="Registro delle Imprese (visura)")
    page.get_by_label("Numero o riferimento dell'iscrizione").fill(f"visura {COMPANY_NUMBER}")
    page.get_by_label("Nel registro risulta attiva").check()
    page.get_by_label("Denominazione come nel registro").fill(COMPANY)
    expect(page.get_by_label("Identificativo nel certificato")).to_have_value(f"VATIT-{COMPANY_NUMBER}")
    page.get_by_label("Recapito indipendente").fill(SWITCHBOARD)
    page.get_by_label("Dove l'ha trovato").select_option(label="Registro che prova l'organizzazione")
    accept(page)
    open_check(stage, page, "Poteri del richiedente")
    call_in_vain(page)
    call(page)
    accept(page)


def collect_extract(stage: Stage, page: Page) -> None:
    """Attach what the register has handed out to the order; it is seen once the scanner has passed it."""
    page.goto(f"/pannello/pratiche/{stage.order().code}/")
    page.get_by_role("link", name="Allega un documento").click()
    page.get_by_label("Documento", exact=True).set_input_files(
        {"name": "visura.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    )
    page.get_by_role("button", name="Allega un documento").click()
    expect(page.get_by_role("status").first).to_contain_text("Documento allegato.")
    stage.work()


def accept_letter(stage: Stage) -> None:
    """Tick each field against the letter, and call back."""
    stage.work()  # the scanner looks at it first
    page = stage.at_desk(stage.officer)
    open_check(stage, page, "Attestazione del rapporto professionale")
    expect_proofs(page, 2)
    for box in page.locator(".ticks input").all():
        box.check()
    call(page)
    accept(page)


def compare_face(stage: Stage) -> None:
    """Compare what the provider has collected with the typed data; the document is filled in as the provider read it."""
    for _ in range(ROUNDS):
        stage.work()  # afterwards the scanner has looked at the photos too
        if IdentificationAttempt.objects.latest("pk").state == AttemptState.APPROVED:
            break
    stage.work()
    page = stage.at_desk(stage.officer)
    open_check(stage, page, "Riconoscimento da confrontare")
    expect_proofs(page, 4)
    expect(page.get_by_label("Numero del documento")).to_have_value(stage.provider.sessions.account.document_number)
    page.get_by_label("Ho confrontato il volto con il documento").check()
    page.get_by_label("Ho confrontato il documento con i dati digitati").check()
    accept(page)


def approve(stage: Stage) -> None:
    """Who has decided a check is told that somebody else must approve; the manager, who has decided nothing, does."""
    code = stage.order().code
    page = stage.at_desk(stage.officer)
    page.goto(f"/pannello/pratiche/{code}/")
    expect(page.get_by_role("main")).to_contain_text("un'altra persona")
    expect(page.get_by_role("link", name="Approva l'emissione")).to_have_count(0)

    page = stage.at_desk(stage.manager)
    page.goto("/pannello/verifiche/")
    page.get_by_role("link", name="Mostra le pratiche da approvare").click()
    page.get_by_role("link", name=code).click()
    page.get_by_role("link", name="Approva l'emissione").click()
    page.get_by_role("button", name="Approva l'emissione").click()
    expect(page.get_by_role("status").first).to_contain_text("Emissione approvata.")


def open_check(stage: Stage, page: Page, what: str) -> None:
    """Find a check in the queue."""
    page.goto("/pannello/verifiche/")
    page.get_by_role("link", name=f"{what} {stage.order().code}").click()
    expect_title(page, what)


def expect_proofs(page: Page, number: int) -> None:
    """Wait until so many pages of evidence have been painted."""
    shown = page.locator(".proof img")
    expect(shown).to_have_count(number)
    for picture in shown.all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function(PAINTED, arg=picture.element_handle())


def call_in_vain(page: Page) -> None:
    """Put a call on record that nobody answered: the check stays as it is."""
    _say_call(page, "Nessuna risposta")
    page.get_by_role("button", name="Registra senza decidere").click()
    expect(page.get_by_role("status").first).to_contain_text("Riscontro registrato.")
    expect(page.get_by_label("Riscontri registrati")).to_contain_text("Nessuna risposta")


def call(page: Page) -> None:
    """Put on record who has confirmed at the contact that was found before."""
    expect(page.get_by_label("Recapito indipendente")).to_have_value(SWITCHBOARD.replace(" ", ""))
    page.get_by_label("Chi ha risposto").fill("Centralino, signora Verdi")
    _say_call(page, "Ha confermato")


def accept(page: Page) -> None:
    """Accept the check that is open."""
    page.get_by_role("button", name="Accetta la verifica").click()
    expect(page.get_by_role("status").first).to_contain_text("Verifica accettata.")


def _say_call(page: Page, outcome: str) -> None:
    page.get_by_label("Data e ora della richiamata").fill(f"{datetime.now(ROME):%Y-%m-%dT%H:%M}")
    page.get_by_label("Esito della richiamata").select_option(label=outcome)
