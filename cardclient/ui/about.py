"""`Informazioni`: which program this is, what it stands on, and where it keeps its files."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QWidget

from cardclient import __version__
from cardclient.ui import pieces
from cardclient.ui.dialog import Dialog, column, scrolling
from cardclient.words import tr

# Names and licences as their authors give them.
LIBRARIES = (
    ("PySide6-Essentials", "Qt for Python, Qt", "LGPL-3.0"),
    ("python-pkcs11", "python-pkcs11", "MIT"),
    ("cryptography", "cryptography", "Apache-2.0 / BSD-3-Clause"),
    ("httpx", "HTTPX", "BSD-3-Clause"),
    ("pypdfium2", "pypdfium2, PDFium", "Apache-2.0 / BSD-3-Clause"),
    ("python-socks", "python-socks", "Apache-2.0"),
    ("pyspnego", "pyspnego", "MIT"),
)


class AboutDialog(Dialog):
    """Version, system, folder of the preferences and logs, libraries with their licences."""

    def __init__(self, folder: Path, server: str, parent: QWidget | None = None) -> None:
        """Show the facts; all of them can be selected and copied."""
        super().__init__(tr("Informazioni"), parent, size=(680, 560))
        content, lines = column()
        lines.addWidget(pieces.lead(tr("Rinnova i certificati di una smart card, a casa e con un comune lettore.")))
        lines.addWidget(
            pieces.DetailRows(
                (
                    (tr("Versione"), __version__),
                    (tr("Sistema"), f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
                    (tr("Indirizzo del servizio"), server),
                    (tr("Preferenze e log"), str(folder)),
                )
            )
        )
        lines.addWidget(pieces.DetailRows(_libraries(), tr("Librerie e licenze")))
        lines.addWidget(
            pieces.muted(tr("Qt è usato secondo la LGPL: le sue librerie sono file separati e si possono sostituire."))
        )
        self.body.addWidget(scrolling(content), 1)


def _libraries() -> list[tuple[str, str]]:
    return [(name, f"{_version(package)} · {licence}") for package, name, licence in LIBRARIES]


def _version(package: str) -> str:
    """The version installed; a bundle without package metadata knows at least Qt's."""
    try:
        return version(package)
    except PackageNotFoundError:
        return qVersion() if package.startswith("PySide6") else ""
