"""`python -m tests.smime.pictures`: take the pictures of docs/smime/ anew, by the browser walks that the suite runs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.panel.pictures import PICTURES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "smime"
WIDTHS = (1280, 390)
COLOURS, ROUNDS = 128, 2  # so few that files stay small; the rounds keep greys from taking on a hue
WALKS = (
    "tests/smime/test_area_in_browser.py",
    "tests/smime/test_mailed_in_browser.py",
    "tests/smime/signature/test_alternative_in_browser.py",
    "tests/smime/desk/test_officers_in_browser.py",
    "tests/smime/stories",
)
CUSTOMER = {
    "login": "L'accesso",
    "dashboard": "La dashboard con le attivazioni e `Attiva ora`",
    "destinatario": "Passo 2: il destinatario",
    "conferma": "Passo 2: i dati si ricontrollano",
    "contatto-tecnico": "Passo 3: il contatto tecnico, già compilato",
    "contatto-organizzativo": "Passo 4 (OV, SV): il contatto organizzativo",
    "organizzazione": "Passo 5 (OV, SV): l'organizzazione",
    "attestazione": "Passo 6 (SV): l'attestazione del rapporto professionale",
    "riepilogo": "Passo 7: riepilogo, termini e `Avvia verifica`",
    "stato": "Lo stato della pratica: una riga per verifica",
    "casella": "Il collegamento della prima mail: conferma della casella",
    "casella-confermata": "La casella è confermata",
    "consenso": "Passo 8: il consenso, solo del destinatario",
    "riconoscimento": "Passo 8: l'inizio del riconoscimento",
    "alternativa-dati": "Il processo alternativo: i dati",
    "alternativa-controllo": "Il processo alternativo: controllo e modulo",
    "alternativa-file": "Il processo alternativo: il modulo firmato",
    "alternativa-in-verifica": "Il processo alternativo: in verifica",
    "alternativa-rifiutata": "Il processo alternativo: una firma non accettata, con i motivi",
    "emesso": "Passo 9: il certificato è emesso",
    "scarica": "Passo 9: lo scaricamento del file .p12, con un codice ricevuto per e-mail",
    "in-scadenza": "Vicino alla scadenza: il rinnovo",
    "indirizzo": "Un'altra casella del cliente, da confermare",
}
"""What customer and recipient see, in the order of the guide."""
OFFICE = {
    "ufficio-attivazioni": "*Attivazioni*: ciò che i clienti hanno acquistato",
    "ufficio-accredita": "Accreditare un acquisto",
    "ufficio-verifiche": "*Verifiche*: ciò che aspetta l'ufficio, dal più vecchio",
    "ufficio-allega": "Allegare una prova raccolta dall'ufficio",
    "ufficio-organizzazione": "L'organizzazione: il registro accanto ai dati del cliente",
    "ufficio-poteri": "I poteri: la richiamata, con i tentativi registrati",
    "ufficio-attestazione": "L'attestazione: ogni voce si confronta con la lettera",
    "ufficio-documenti": "Chiedere al cliente ciò che manca",
    "ufficio-riconoscimento": "Il riconoscimento: volto e documento, dati letti e dati digitati",
    "ufficio-dubbio": "Un riconoscimento dubbio, con ciò che non torna",
    "ufficio-firma": "Il modulo firmato, con l'esito del controllo della firma",
    "ufficio-pratiche": "*Pratiche*: tutte le richieste, con filtri e ricerca",
    "ufficio-pratica": "Una pratica che aspetta la seconda persona",
    "ufficio-approva": "L'approvazione della seconda persona",
    "ufficio-certificati": "I certificati di una pratica emessa",
    "ufficio-revoca": "La revoca, con un motivo dell'elenco chiuso",
}
"""What officers see at the panel, from the purchase to the revocation."""
PARTS = {"Che cosa vedono cliente e destinatario": CUSTOMER, "Che cosa vede l'ufficio": OFFICE}


def wanted() -> Iterator[str]:
    """File names of the pictures."""
    for steps in PARTS.values():
        for step in steps:
            yield from (f"{step}-{width}.png" for width in WIDTHS)


class Into:
    """A plugin that tells the walks where to leave their pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[PICTURES] = self.folder


def keep(taken: Path) -> None:
    """Keep the wanted ones, in few colours, and write the page that shows them."""
    FOLDER.mkdir(exist_ok=True)
    for name in wanted():
        step, _, width = name.removesuffix(".png").rpartition("-")
        with Image.open(taken / f"{step}-{width}-light.png") as picture:
            whole = picture.convert("RGB")
        few = whole.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=ROUNDS, dither=Image.Dither.NONE)
        few.save(FOLDER / name, optimize=True)
    (FOLDER / "README.md").write_text(page())


def page() -> str:
    """The page that shows them, in Italian as its readers are."""
    lines = [
        "# I certificati S/MIME, pagina per pagina",
        "",
        "Ogni pagina su uno schermo largo e su un telefono; `python -m tests.smime.pictures` le fotografa di nuovo.",
        "Che cosa si verifica e chi lo fa: [docs/it/smime.md](../it/smime.md).",
    ]
    for title, steps in PARTS.items():
        lines += ["", f"## {title}"]
        for step, words in steps.items():
            wide, narrow = (f"{step}-{width}.png" for width in WIDTHS)
            said = words.replace("*", "").replace("`", "")
            lines += ["", f"### {words}", "", f"![{said}, 1280 px]({wide})", "", f"![{said}, 390 px]({narrow})"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        outcome = pytest.main([*WALKS, "-q", "-k", "every_page or test_story"], plugins=[Into(Path(folder))])
        if outcome == 0:
            keep(Path(folder))
    sys.exit(outcome)
