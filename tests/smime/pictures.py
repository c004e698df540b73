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
COLOURS = 64
WALKS = (
    "tests/smime/test_area_in_browser.py",
    "tests/smime/test_mailed_in_browser.py",
    "tests/smime/signature/test_alternative_in_browser.py",
    "tests/smime/stories",
)
STEPS = {
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
}
"""What is pictured, in the order of the guide."""


def wanted() -> Iterator[str]:
    """File names of the pictures."""
    for step in STEPS:
        for width in WIDTHS:
            yield f"{step}-{width}.png"


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
            few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(FOLDER / name, optimize=True)
    (FOLDER / "README.md").write_text(page())


def page() -> str:
    """The page that shows them, in Italian as its readers are."""
    lines = [
        "# Attivare un certificato S/MIME, passo per passo",
        "",
        "Ogni pagina su uno schermo largo e su un telefono; `python -m tests.smime.pictures` le fotografa di nuovo.",
        "Che cosa si verifica e chi lo fa: [docs/it/smime.md](../it/smime.md).",
    ]
    for step, words in STEPS.items():
        wide, narrow = (f"{step}-{width}.png" for width in WIDTHS)
        lines += ["", f"## {words}", "", f"![{words}, 1280 px]({wide})", "", f"![{words}, 390 px]({narrow})"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        outcome = pytest.main([*WALKS, "-q", "-k", "every_page or test_story"], plugins=[Into(Path(folder))])
        if outcome == 0:
            keep(Path(folder))
    sys.exit(outcome)
