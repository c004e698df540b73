"""The dialogs with something to show, for the pictures: made over a window, settled before they are painted."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from cardclient.contract import SupportReceipt
from cardclient.errors import OfficeUnreachable
from cardclient.network.credentials import WRONG, ProxyQuestion
from cardclient.network.legs import Leg, Network
from cardclient.ports import ReaderState
from cardclient.preferences import Preferences, ProxyChoice, ProxyKind, Store
from cardclient.readers.families import known
from cardclient.readers.modules import Module
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.support.log import Logbook
from cardclient.support.report import Sources
from cardclient.ui.about import AboutDialog
from cardclient.ui.bridge import ReaderWatch, Worker
from cardclient.ui.credentials_dialog import CredentialsDialog
from cardclient.ui.diagnostics import DiagnosticsDialog, Doors
from cardclient.ui.log_window import LogWindow
from cardclient.ui.preferences_dialog import PreferencesDialog
from cardclient.ui.support_dialog import SupportDialog
from cardclient.ui.support_draft import Draft, Trouble
from cardclient.ui.tools import ToolsDialog
from cardclient.ui.wiring import is_usable_address
from tests.cardclient.conftest import NOW, PIN, PUK, SERIAL, personalise
from tests.cardclient.fake_authority import FakeAuthority

WRONG_PIN, NEW_PIN = "11111", "59146"
PROXY, SERVER = "proxy.example.org:3128", "ra.example.org:443"
LEGS = (
    Leg("proxy", PROXY, "ok", 12),
    Leg("through-proxy", SERVER, "proxy-login-wrong"),
    Leg("direct", SERVER, "server-timeout"),
)
CARD = {"serial": SERIAL, "family": "ACe 2021", "reader": "Generic USB Reader 00", "driver": "bit4id_xpki_1.4.10.647"}


class Desk:
    """What stands behind the dialogs: one card, one log, a network with a fault in it. Stands for office and keyring."""

    available = True

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.folder = folder
        self.card = SimulatedCard.create(folder / "card.json", serial=SERIAL, pin=Secret(PIN), puk=Secret(PUK))
        self.card.login(Secret(PIN))
        personalise(self.card, FakeAuthority())
        self.card.close()
        self.worker, self.watch = Worker(), ReaderWatch(self)
        before = Logbook(folder / "logs", now=NOW - timedelta(days=1))
        logging.getLogger("cardclient.flow").info("phase scan")
        before.close()
        self.logbook = Logbook(folder / "logs", now=NOW)
        for name, level, text in LINES:
            logging.getLogger(f"cardclient.{name}").log(level, text)
        self.reachable = True

    def snapshot(self):
        return (ReaderState(CARD["reader"], self.card.view().atr),)

    def wait(self, seconds):
        time.sleep(seconds)
        return False

    def network(self) -> Network:
        return Network(SERVER, f"http {PROXY}", LEGS, (), "legs-server-unreachable", 400.0)

    def try_network(self, _preferences, _logins, told, _stopped) -> Network:
        for leg in LEGS:
            told(leg)
        return self.network()

    def sources(self) -> Sources:
        driver = known().by_atr(self.card.view().atr).driver
        modules = [Module("/usr/lib/libbit4xpki.so", driver, "1.4.10.647")]
        return Sources(self.card, self, lambda: "running", lambda: modules, self.network, self.logbook)

    def open_support_request(self, _request) -> SupportReceipt:
        if not self.reachable:
            raise OfficeUnreachable
        return SupportReceipt("SR-7K2M9X", "m***@example.org")

    def read(self, _account):
        return None

    def get(self, _address):
        return None

    def post(self, _address, _body, _kind):
        return None

    def close(self):
        pass


LINES = (
    ("flow", logging.INFO, "phase scan"),
    ("office", logging.INFO, "POST /scan: 200"),
    ("flow", logging.INFO, "phase login"),
    ("network", logging.WARNING, "the proxy closed the connection"),
    ("office", logging.INFO, "GET /case: 200"),
    ("flow", logging.ERROR, "card-update (install)"),
)


def settle(dialog: QWidget, *more: object) -> None:
    """Let the dialog's errands end and Qt lay out what they brought."""
    ends = time.monotonic() + 20
    while any(each.is_busy for each in (dialog.errands, *more)) and time.monotonic() < ends:
        QApplication.processEvents()
        time.sleep(0.005)
    QApplication.processEvents()


def tools_dialog(parent: QWidget, desk: Desk, tab: int = 0) -> ToolsDialog:
    dialog = ToolsDialog(lambda: desk.card, desk.worker, desk.watch, lambda: NOW, parent)
    settle(dialog)
    dialog.tabs.setCurrentIndex(tab)
    return dialog


def tools_opened(parent: QWidget) -> QWidget:
    dialog = tools_dialog(parent, Desk())
    dialog.content.pin.edit.setText(PIN)
    dialog.content.submit()
    settle(dialog)
    return dialog


def tools_wrong(parent: QWidget, times: int = 1) -> QWidget:
    dialog = tools_dialog(parent, Desk(), 1)
    for _ in range(times):
        fill(dialog.change, WRONG_PIN, NEW_PIN)
        settle(dialog)
    return dialog


def tools_weak(parent: QWidget) -> QWidget:
    dialog = tools_dialog(parent, Desk(), 2)
    fill(dialog.unblock, PUK, "101285")
    settle(dialog)
    return dialog


def tools_unblocked(parent: QWidget) -> QWidget:
    dialog = tools_dialog(parent, Desk(), 2)
    fill(dialog.unblock, PUK, NEW_PIN)
    settle(dialog)
    return dialog


def tools_empty(parent: QWidget) -> QWidget:
    desk = Desk()
    desk.card.eject()
    return tools_dialog(parent, desk)


def fill(form, code: str, new_pin: str) -> None:
    form.code.edit.setText(code)
    form.new_pin.edit.setText(new_pin)
    form.again.edit.setText(new_pin)
    form.submit()


def preferences(parent: QWidget, kind: ProxyKind = ProxyKind.HTTP) -> PreferencesDialog:
    desk = Desk()
    proxy = ProxyChoice(kind, "proxy.example.org", 3128, "mrossi")
    chosen = Preferences(server="https://ra.example.org", proxy=proxy)
    dialog = PreferencesDialog(chosen, Store(desk.folder), desk, desk.try_network, is_usable_address, parent)
    settle(dialog)
    return dialog


def preferences_wrong(parent: QWidget) -> QWidget:
    dialog = preferences(parent)
    dialog.proxy.port.edit.setText("99999")
    dialog.save()
    return dialog


def preferences_server(parent: QWidget) -> QWidget:
    dialog = preferences(parent)
    dialog.server.edit.setText("http://ra.example.org")
    dialog.save()
    return dialog


def preferences_tested(parent: QWidget) -> QWidget:
    dialog = preferences(parent)
    dialog.test_button.click()
    settle(dialog, dialog.test.errands)
    return dialog


def diagnostics(parent: QWidget, tab: int = 0) -> DiagnosticsDialog:
    desk = Desk()
    doors = Doors(desk.sources, lambda: desk.card, lambda: nullcontext(desk))
    dialog = DiagnosticsDialog(doors, desk.worker, desk.watch, desk.logbook, lambda: NOW, bool, parent)
    settle(dialog)
    dialog.tabs.setCurrentIndex(tab)
    return dialog


def diagnostics_checked(parent: QWidget) -> QWidget:
    dialog = diagnostics(parent, 2)
    dialog.check.pin.edit.setText(PIN)
    dialog.check.submit()
    settle(dialog)
    return dialog


def support(parent: QWidget, *, send: bool = False, reachable: bool = True) -> SupportDialog:
    desk = Desk()
    desk.reachable = reachable
    trouble = Trouble(
        "card-update", "installation", "Errore aggiornamento carta", "R26-7KQ4M2", "mario.rossi@example.org", CARD
    )
    dialog = SupportDialog(Draft(trouble), desk.open_support_request, desk.worker, desk.logbook, parent)
    if send:
        dialog.send()
        settle(dialog)
    return dialog


def support_preview(parent: QWidget) -> QWidget:
    dialog = support(parent)
    dialog.show()
    dialog.preview_button.click()
    settle(dialog)
    return dialog


def credentials(parent: QWidget) -> QWidget:
    return CredentialsDialog(ProxyQuestion(PROXY, "mrossi", WRONG, can_remember=True), parent)


def log(parent: QWidget) -> QWidget:
    return LogWindow(Desk().logbook, lambda: NOW, bool, parent)


def about(parent: QWidget) -> QWidget:
    return AboutDialog(Path("/home/mario/.config/sigillo"), "https://ra.example.org", parent)


DIALOGS: dict[str, Callable[[QWidget], QWidget]] = {
    "preferences": preferences,
    "preferences-system": lambda parent: preferences(parent, ProxyKind.SYSTEM),
    "preferences-wrong": preferences_wrong,
    "preferences-server": preferences_server,
    "preferences-tested": preferences_tested,
    "proxy-login": credentials,
    "diagnostics": diagnostics,
    "diagnostics-details": lambda parent: diagnostics(parent, 1),
    "diagnostics-checked": diagnostics_checked,
    "tools": lambda parent: tools_dialog(parent, Desk()),
    "tools-opened": tools_opened,
    "tools-wrong": tools_wrong,
    "tools-last-try": lambda parent: tools_wrong(parent, 2),
    "tools-weak": tools_weak,
    "tools-unblocked": tools_unblocked,
    "tools-no-card": tools_empty,
    "log": log,
    "support": support,
    "support-preview": support_preview,
    "support-offline": lambda parent: support(parent, send=True, reachable=False),
    "support-sent": lambda parent: support(parent, send=True),
    "about": about,
}
