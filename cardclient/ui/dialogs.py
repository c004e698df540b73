"""Opens the dialogs of menu and failure page with the ports each needs; each is loaded when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardclient.ui.conductor import Conductor


def open_tools(conductor: Conductor) -> None:
    """`Strumenti`: PIN, PUK, content of the card."""
    from cardclient.ui.tools import ToolsDialog  # noqa: PLC0415 - see the first line

    ToolsDialog(conductor.work.card, conductor.worker, conductor.watch, conductor.ports.clock, conductor.window).exec()


OPENERS: Mapping[str, Callable[[Conductor], None]] = {"tools": open_tools}
