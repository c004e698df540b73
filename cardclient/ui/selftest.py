"""What a bundle must be able to do, tried without a person: texts, a card through a module, a PDF, the window.

`sigillo-card selftest` runs it in a fresh bundle; it talks to nobody, needs no screen, and asks no code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cardclient import __version__

NOWHERE = "http://localhost:9"  # the port of "discard": nothing of the window's reaches a server
SHOWN_AFTER = 20.0
"""Seconds the window has to show its first page, on the slowest machine that builds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every part, print one JSON object, and return 0 if all of them worked."""
    parser = argparse.ArgumentParser(prog="sigillo-card selftest")
    parser.add_argument("--module", type=Path, help="modulo PKCS#11 con una carta di prova")
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[], Any]] = {
        "server": server,
        "texts": texts,
        "card": lambda: cards(options.module),
        "pdf": page_of_a_form,
        "window": window,
    }
    told: dict[str, Any] = {"version": __version__, "frozen": bool(getattr(sys, "frozen", False)), "failed": []}
    for name, part in parts.items():
        began = time.monotonic()
        try:
            told[name] = part()
        except Exception as failure:  # noqa: BLE001 - the report names what does not work, and goes on
            told["failed"].append(name)
            told[name] = type(failure).__name__ + (f" {failure}" if name != "card" else "")
        told[f"{name}_ms"] = round(1000 * (time.monotonic() - began))
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return 1 if told["failed"] else 0


def server() -> str:
    """Read the address that the bundle was built for; one without would speak to nobody."""
    from cardclient.preferences import shipped_server  # noqa: PLC0415 - each part loads what it tries

    address = shipped_server()
    if not address and getattr(sys, "frozen", False):
        raise LookupError("no server")
    return address


def texts() -> dict[str, Any]:
    """Read the tables that travel as files: messages, English, families."""
    from cardclient.messages import message_for  # noqa: PLC0415 - each part loads what it tries
    from cardclient.readers.families import known  # noqa: PLC0415
    from cardclient.words import Language, chosen, set_language, tr  # noqa: PLC0415

    before = chosen()
    set_language(Language.ENGLISH)
    english = tr("Lettori")
    set_language(before)
    return {"message": message_for("card-absent").text, "english": english, "families": len(known().families)}


def cards(module: Path | None) -> int | None:
    """Scan through a module in its own process, as a renewal does; None without a module."""
    if module is None:
        return None
    from cardclient.card_pkcs11 import Pkcs11Card  # noqa: PLC0415

    with closing(Pkcs11Card(str(module.resolve()))) as card:
        return len(card.scan())


def page_of_a_form() -> list[int]:
    """Render one page as the form is rendered; its size in pixels."""
    import pypdfium2  # noqa: PLC0415

    document = pypdfium2.PdfDocument.new()
    document.new_page(595, 842)
    bitmap = document[0].render(scale=1.0)
    return [bitmap.width, bitmap.height]


def window() -> dict[str, Any]:
    """Open the window without a screen, with no card in any reader, and count what its first page shows."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from cardclient.preferences import Preferences, Store  # noqa: PLC0415
    from cardclient.readers.opening import source  # noqa: PLC0415
    from cardclient.ui import theme, wiring  # noqa: PLC0415
    from cardclient.ui.app import Ports, translate_qt  # noqa: PLC0415
    from cardclient.ui.conductor import Conductor  # noqa: PLC0415

    application = QApplication.instance() or QApplication(sys.argv[:1])
    with TemporaryDirectory(prefix="sigillo-selftest-") as folder:
        translate_qt(application)  # type: ignore[arg-type]
        theme.apply(application)  # type: ignore[arg-type]
        found = source([str(Path(folder) / "no-card.json")], None)
        ports = Ports(
            open_card=lambda: found.card,
            readers=found.readers,
            make_office=wiring.open_office,
            clock=lambda: datetime.now(UTC),
            store=Store(Path(folder)),
            preferences=Preferences(server=NOWHERE),
        )
        conductor = Conductor(ports)
        conductor.start()
        try:
            _wait_until(conductor.window.isVisible, application)
            picture = conductor.window.grab()
        finally:
            conductor.stop()
            application.processEvents()
    return {"size": [picture.width(), picture.height()], "memory_mb": _memory()}


def _wait_until(shown: Callable[[], bool], application: Any) -> None:
    end = time.monotonic() + SHOWN_AFTER
    while time.monotonic() < end:
        application.processEvents()
        if shown():
            return
        time.sleep(0.02)
    raise TimeoutError


def _memory() -> int | None:
    """Resident megabytes of this process, where the system tells; the card's helper is another one."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_048_576
    return None


if __name__ == "__main__":
    sys.exit(main())
