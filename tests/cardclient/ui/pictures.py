"""Pictures of every page: `python -m tests.cardclient.ui.pictures FOLDER`, light and dark, at 100 % and 150 %.

A folder of its own for each scale, because Qt takes the scale once per process. Names: `start-renewable-dark.png`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from cardclient.contract import Capabilities, Step, Verdict
from cardclient.errors import (
    CardUpdateError,
    ClientOutdated,
    Declined,
    DriverNeeded,
    NoCard,
    OfficeUnreachable,
    PinLocked,
)
from cardclient.flow import Outcome
from cardclient.ports import Notice, Phase, SecretKind
from cardclient.ui import theme
from cardclient.ui.page import Page
from cardclient.ui.pages.acceptance import ContractsPage, EncryptionPage, PrivacyPage, Reader, TermsPage
from cardclient.ui.pages.address import AddressPage
from cardclient.ui.pages.codes import CodePage, LastTryPage, UnblockPage
from cardclient.ui.pages.ending import Failure, FailurePage, ResultPage
from cardclient.ui.pages.form import FormPage
from cardclient.ui.pages.holder import ConfirmationPage, ContactsPage, DataWrongPage, DiagnosisPage
from cardclient.ui.pages.progress import ProgressPage, WaitPage
from cardclient.ui.pages.start import StartPage
from cardclient.ui.window import Window
from tests.cardclient.ui import dialog_samples, samples
from tests.cardclient.ui.real_form import real_form
from tests.cardclient.ui.samples import CASE, NOW

SCALES = {"100": "1", "150": "1.5"}
COLOURS = 48
WAITING = replace(CASE, next_step=Step.CONFIRMATION)
DRIVERS = "https://ra.example.org/scarica/"


def start(*cards, problem=None, views=()) -> Page:
    page = StartPage(NOW, DRIVERS)
    if problem:
        page.show_problem_of(problem, views)
    else:
        page.show_cards(cards)
    return page


def newer() -> Page:
    page = StartPage(NOW, DRIVERS)
    page.show_cards([samples.RENEWABLE])
    page.show_newer(Capabilities(NOW, "0.1.0", "9.0.0", DRIVERS, (), support=True))
    return page


def contracts() -> Page:
    page = ContractsPage(samples.TEXTS)
    page.rows[0].tick.allow(allowed=True)
    page.rows[0].tick.box.setChecked(True)
    page.rows[1].tick.allow(allowed=True)
    return page


def failure(problem, **facts) -> Page:
    return FailurePage(Failure(problem, scanned=samples.RENEWABLE, **facts))


def reinserted() -> Page:
    page = ResultPage(Outcome(samples.VIEW, samples.CONCLUDED, 0, reinsert=True), NOW)
    page.show_removed()
    return page


def progress() -> Page:
    return ProgressPage(Phase.CERTIFICATES, removes=True)


PAGES: dict[str, Callable[[], Page]] = {
    "start-no-card": lambda: start(problem=NoCard()),
    "start-renewable": lambda: start(samples.RENEWABLE),
    "start-extendable": lambda: start(samples.EXTENDABLE),
    "start-several": lambda: start(samples.RENEWABLE, samples.EXTENDABLE),
    "start-expired": lambda: start(samples.refused(Verdict.EXPIRED, "certificate-expired")),
    "start-already-renewed": lambda: start(samples.refused(Verdict.ALREADY_RENEWED, "certificate-renewed")),
    "start-nothing": lambda: start(samples.refused(Verdict.NOT_RENEWABLE, "not-renewable", certificates=())),
    "start-puk-locked": lambda: start(samples.refused(Verdict.RENEWABLE, None, final="puk-locked")),
    "start-offline": lambda: start(problem=OfficeUnreachable(), views=(samples.VIEW,)),
    "start-driver": lambda: start(
        problem=DriverNeeded("AC 2018", "IDP 6.47.04", "https://ca.arubapec.it/downloads/IDP_6.47.04_Windows.zip")
    ),
    "address": AddressPage,
    "start-newer": newer,
    "start-outdated": lambda: start(problem=ClientOutdated(download=DRIVERS)),
    "encryption": lambda: EncryptionPage(samples.WARNING, samples.PURCHASE),
    "pin": lambda: CodePage(SecretKind.PIN, None, (), samples.VIEW),
    "pin-wrong": lambda: CodePage(SecretKind.PIN, "pin-wrong", [Notice("pin-tried")], samples.VIEW),
    "pin-last-try": lambda: LastTryPage(SecretKind.PIN),
    "pin-locked": UnblockPage,
    "puk": lambda: CodePage(SecretKind.PUK, None, (), samples.VIEW),
    "new-pin": lambda: CodePage(SecretKind.NEW_PIN, "pin-weak", (), samples.VIEW),
    "diagnosis": lambda: DiagnosisPage(CASE),
    "contacts": lambda: ContactsPage(CASE, CASE.contacts, None),
    "contacts-taken": lambda: ContactsPage(CASE, CASE.contacts, "contact-taken"),
    "contacts-again": lambda: ContactsPage(WAITING, samples.CASE.contacts, "confirmation-expired"),
    "data-wrong": lambda: DataWrongPage(CASE),
    "confirmation": lambda: ConfirmationPage("nuova@example.org", "confirmation-invalid"),
    "contracts": contracts,
    "form": lambda: FormPage(real_form(), "R26-7KQ4M2.pdf"),
    "terms": lambda: TermsPage(samples.TERMS),
    "privacy": lambda: PrivacyPage(samples.PRIVACY),
    "wait": lambda: WaitPage(Phase.LOGIN),
    "progress": progress,
    "result-concluded": lambda: ResultPage(Outcome(samples.VIEW, samples.CONCLUDED, 2), NOW),
    "result-in-part": lambda: ResultPage(Outcome(samples.VIEW, samples.IN_PART, 2), NOW + timedelta(days=35)),
    "result-reinsert": reinserted,
    "failure-update": lambda: failure(CardUpdateError(), case=CASE, step=Phase.KEYS, reference="SUP-0001"),
    "failure-connection": lambda: failure(OfficeUnreachable()),
    "failure-locked": lambda: failure(PinLocked()),
    "failure-data-wrong": lambda: failure(Declined("data-wrong")),
}
# Dialogs: made over the window, pictured by themselves.
DIALOGS: dict[str, Callable[[QWidget], QWidget]] = {
    "reader": lambda parent: Reader(samples.TEXTS[0], parent),
    **dialog_samples.DIALOGS,
}


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:
        paint(folder / sys.argv[2], set(sys.argv[3:]))
        return
    for name, factor in SCALES.items():
        environment = {**os.environ, "QT_SCALE_FACTOR": factor}
        subprocess.run([sys.executable, "-m", __spec__.name, str(folder), name], check=True, env=environment)


def paint(folder: Path, wanted: set[str]) -> None:
    """Paint every page in both colours, or only those wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    for dark in (False, True):
        theme.apply(application, dark=dark)
        window = Window()
        window.show()
        for name, make in PAGES.items():
            if not wanted or name in wanted:
                window.show_page(make())
                window.show_card(f"Carta {samples.VIEW.serial} nel lettore", is_in=True)
                save(application, window, folder / f"{name}{'-dark' if dark else ''}.png")
        for name, make_dialog in DIALOGS.items():
            if not wanted or name in wanted:
                dialog = make_dialog(window)
                dialog.show()
                save(application, dialog, folder / f"{name}{'-dark' if dark else ''}.png")
                dialog.close()
        window.close()


def save(application: QApplication, widget: QWidget, path: Path) -> None:
    """Let Qt lay everything out, then keep the picture with few colours: a page has no photographs."""
    for _ in range(3):
        application.processEvents()
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    size, rows = (picture.width(), picture.height()), bytes(picture.constBits())
    whole = Image.frombuffer("RGB", size, rows, "raw", "RGB", picture.bytesPerLine(), 1)
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
