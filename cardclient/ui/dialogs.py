"""Opens the dialogs of menu and failure page with the ports each needs; each is loaded when it is opened."""
# ruff: noqa: PLC0415 - see the first line

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from cardclient.messages import words_for

if TYPE_CHECKING:
    from cardclient.network.legs import Network
    from cardclient.ui.conductor import Conductor
    from cardclient.ui.pages.ending import Failure
    from cardclient.ui.support_draft import Trouble

Opener = Callable[["Conductor"], QDialog | None]


def preferences(conductor: Conductor) -> QDialog:
    """`Preferenze`: proxy, language, server, log."""
    from cardclient.ui.preferences_dialog import PreferencesDialog
    from cardclient.ui.wiring import is_usable_address

    ports = conductor.ports
    dialog = PreferencesDialog(
        conductor.preferences,
        ports.store,
        ports.connection.keyring,
        ports.connection.try_network,
        is_usable_address,
        conductor.window,
    )
    dialog.saved.connect(conductor.use)
    return dialog


def diagnostics(conductor: Conductor) -> QDialog | None:
    """`Diagnostica`: this computer, its readers, cards and network; each key of the card on trial."""
    from contextlib import closing

    from cardclient.support.report import Sources
    from cardclient.ui.diagnostics import DiagnosticsDialog, Doors

    ports, work, preferences = conductor.ports, conductor.work, conductor.preferences
    logbook = ports.logbook
    if logbook is None:
        return None

    def sources() -> Sources:
        def network() -> Network:
            return ports.connection.network_of(preferences)

        return Sources(work.card(), conductor.presence, ports.service, network=network, logbook=logbook)

    doors = Doors(sources, work.card, lambda: closing(ports.connection.open_web(preferences)))
    return DiagnosticsDialog(
        doors, conductor.worker, conductor.watch, logbook, ports.clock, conductor.keep_debug, conductor.window
    )


def tools(conductor: Conductor) -> QDialog:
    """`Strumenti`: PIN, PUK, content of the card."""
    from cardclient.ui.tools import ToolsDialog

    ports = conductor.ports
    return ToolsDialog(conductor.work.card, conductor.worker, conductor.watch, ports.clock, conductor.window)


def log(conductor: Conductor) -> QDialog | None:
    """`Log`: this run and the last ones."""
    from cardclient.ui.log_window import LogWindow

    logbook = conductor.ports.logbook
    return LogWindow(logbook, conductor.ports.clock, conductor.keep_debug, conductor.window) if logbook else None


def about(conductor: Conductor) -> QDialog:
    """`Informazioni`: versions and licences."""
    from cardclient.ui.about import AboutDialog

    return AboutDialog(conductor.ports.store.path.parent, conductor.preferences.server, conductor.window)


def support(conductor: Conductor) -> QDialog | None:
    """`Apri richiesta di supporto` for the failure on the screen; the draft outlives its dialog."""
    from cardclient.ui.support_dialog import SupportDialog
    from cardclient.ui.support_draft import Draft

    logbook, failure = conductor.ports.logbook, conductor.failure
    if logbook is None or failure is None:
        return None
    conductor.draft = conductor.draft or Draft(_trouble(failure))
    return SupportDialog(conductor.draft, conductor.work.ask_for_help, conductor.worker, logbook, conductor.window)


def _trouble(failure: Failure) -> Trouble:
    from cardclient.ui.support_draft import Trouble

    words = words_for(failure.problem)
    card: dict[str, str | None] = {}
    if failure.scanned:
        view, answer = failure.scanned.view, failure.scanned.answer
        family = answer.family_code or answer.family or view.family
        card = {"serial": view.serial, "family": family, "reader": view.reader, "driver": view.driver or None}
    case = failure.case
    return Trouble(
        code=words.code,
        step=failure.step or "",
        words=words.text,
        case=case.code if case else "",
        email=case.contacts.email if case else "",
        card=card,
    )


def save_log(conductor: Conductor) -> None:
    """`Scarica i log`: one text file where the person wants it; the page says what came of it."""
    from cardclient.ui.pages.ending import FailurePage
    from cardclient.ui.saving import ask_path, save_text

    logbook = conductor.ports.logbook
    path = ask_path(conductor.window, "sigillo-log.txt", "*.txt") if logbook else None
    if logbook and path:
        saved, page = save_text(path, logbook.export()), conductor.window.page
        if isinstance(page, FailurePage):
            page.show_saved(str(path) if saved else None)


OPENERS: Mapping[str, Opener] = {
    "preferences": preferences,
    "diagnostics": diagnostics,
    "tools": tools,
    "log": log,
    "about": about,
    "support": support,
    "save-log": save_log,
}
