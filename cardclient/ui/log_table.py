"""The entries of a log as Qt's table wants them: hour, level, place, text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from cardclient.support.log import Entry
from cardclient.words import marked, tr

COLUMNS = (marked("Ora"), marked("Livello"), marked("Messaggio"))
LEVELS = {
    "DEBUG": marked("dettaglio"),
    "INFO": marked("informazione"),
    "WARNING": marked("avviso"),
    "ERROR": marked("errore"),
    "CRITICAL": marked("errore grave"),
}
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


class LogTable(QAbstractTableModel):
    """A read-only table of entries."""

    def __init__(self, parent: QWidget) -> None:
        """Start empty."""
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()

    def show(self, entries: Sequence[Entry]) -> None:
        """Show other entries; what was selected is selected no more."""
        self.beginResetModel()
        self.entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:  # noqa: N802 - Qt's name
        """Return the number of entries."""
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = ROOT) -> int:  # noqa: N802 - Qt's name
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell; the whole entry as tool tip."""
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(entry)[index.column()]
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole}:
            return entry.text
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's name."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[section])
        return None


def _cells(entry: Entry) -> tuple[str, str, str]:
    level = LEVELS.get(entry.level)
    place = entry.logger.removeprefix("cardclient.")
    return _hour(entry.at), tr(level) if level else entry.level, f"{place}: {entry.text}"


def _hour(at: str) -> str:
    """Write the log's UTC instant as hour of this computer."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return at
