"""`python -m cardclient.ui`: reads the command line, joins ports and window, and runs Qt until the window goes.

What stands behind the ports (network, card, certificates, forms) is loaded when a thread first uses it: the window is
painted before (`tests/cardclient/ui/test_first_paint.py`).
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from cardclient import __version__
from cardclient.ports import Card, Office, Readers
from cardclient.preferences import Preferences, Store, user_folder
from cardclient.support.log import FOLDER, Logbook, watching
from cardclient.ui import theme
from cardclient.ui.conductor import Conductor
from cardclient.ui.credentials_dialog import WindowCredentials
from cardclient.ui.later import Later
from cardclient.words import Language, chosen, set_language

if TYPE_CHECKING:
    from cardclient.readers.opening import Source
    from cardclient.ui.wiring import Connection


def _connection(credentials: WindowCredentials | None = None) -> Connection:
    """Reach the office as `ui/wiring.py` does, once it is asked for."""

    def opened() -> Connection:
        from cardclient.ui import wiring  # noqa: PLC0415 - see above

        return wiring.Connection(credentials)

    return cast("Connection", Later(opened))


@dataclass(frozen=True, slots=True)
class Ports:
    """What the window works with. The card is opened in the worker thread, an office for each conversation."""

    open_card: Callable[[], Card]
    readers: Readers
    make_office: Callable[[Preferences], Office]
    clock: Callable[[], datetime]
    store: Store
    preferences: Preferences
    connection: Connection = field(default_factory=_connection)
    logbook: Logbook | None = None
    service: Callable[[], str] | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window and return its exit status."""
    options = parser().parse_args(arguments)
    faulthandler.disable()  # a dump of the stack could show a code that is being checked
    application = cast("QApplication", QApplication.instance() or QApplication(sys.argv[:1]))
    application.setApplicationName("Sigillo")
    application.setApplicationVersion(__version__)
    store = Store(options.settings or user_folder())
    preferences = store.load()
    if options.server:
        preferences = replace(preferences, server=options.server)
    set_language(preferences.language)
    translate_qt(application)
    theme.apply(application)
    logbook = Logbook(store.path.parent / FOLDER, now=datetime.now(UTC), debug=preferences.debug_log)
    with closing(logbook), watching():
        conductor = Conductor(_ports(options, store, preferences, logbook))
        conductor.start()
        status = application.exec()
        conductor.stop()
    return status


def parser() -> argparse.ArgumentParser:
    """Describe the command line; no option takes a code of the card."""
    top = argparse.ArgumentParser(prog="sigillo-card window", description="Rinnovo della carta, in una finestra.")
    top.add_argument("--version", action="version", version=__version__)
    card = top.add_mutually_exclusive_group()
    card.add_argument("--simulator", "--simulated", action="append", metavar="FILE", help="carta simulata (ripetibile)")
    card.add_argument("--module", type=_full_path, metavar="PATH", help="percorso completo del modulo PKCS#11")
    top.add_argument("--server", help="indirizzo del servizio di rinnovo, al posto di quello delle preferenze")
    top.add_argument("--settings", type=Path, metavar="FOLDER", help="cartella delle preferenze e dei log")
    return top


def translate_qt(application: QApplication) -> None:
    """Have Qt's own texts (file dialogs, menus of fields) speak the language chosen; English is Qt's own."""
    if chosen() is not Language.ITALIAN:
        return
    texts = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if texts.load(QLocale(QLocale.Language.Italian), "qtbase", "_", folder):
        application.installTranslator(texts)


def _full_path(text: str) -> str:
    if not Path(text).is_absolute():
        raise argparse.ArgumentTypeError("serve il percorso completo del modulo")
    return text


def _ports(options: argparse.Namespace, store: Store, preferences: Preferences, logbook: Logbook) -> Ports:
    found = cast("Source", Later(lambda: _source(options)))
    connection = _connection(WindowCredentials())
    names_its_card = options.simulator or options.module
    return Ports(
        open_card=lambda: found.card,
        readers=cast("Readers", Later(lambda: found.readers)),
        make_office=lambda preferences: connection.open_office(preferences),  # noqa: PLW0108 - not opened here
        clock=lambda: datetime.now(UTC),
        store=store,
        preferences=preferences,
        connection=connection,
        logbook=logbook,
        service=None if names_its_card else lambda: found.service() if found.service else "",
    )


def _source(options: argparse.Namespace) -> Source:
    from cardclient.readers.opening import source  # noqa: PLC0415 - see above

    return source(options.simulator, options.module)


if __name__ == "__main__":
    sys.exit(main())
