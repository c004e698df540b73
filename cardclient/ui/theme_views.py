"""Style of what Qt draws badly in dark or with large letters: ticks, tabs, lists, tables, scroll bars, drop-downs."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardclient.ui.theme import Colours


def view_rules(c: Colours, *, dark: bool) -> str:
    """Return the rules; the signs in ticks and drop-downs are images, which a style sheet cannot draw itself."""
    return "\n".join((_tick_rules(c, dark=dark), _tab_rules(c), _list_rules(c), _scroll_rules(c)))


def _icon(name: str, *, dark: bool) -> str:
    """Return the path of an image as a style sheet wants it; Qt takes the one named `@2x` on dense screens."""
    path = str(resources.files(__package__) / "icons" / f"{name}-{'dark' if dark else 'light'}.png")
    return path.replace("\\", "/")


def _tick_rules(c: Colours, *, dark: bool) -> str:
    return f"""
QCheckBox::indicator, QRadioButton::indicator {{ width: 18px; height: 18px; border: 2px solid {c.edge};
  background: {c.surface}; }}
QCheckBox::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 11px; }}
QCheckBox::indicator:checked {{ background: {c.primary}; border-color: {c.primary};
  image: url("{_icon("check", dark=dark)}"); }}
QRadioButton::indicator:checked {{ border-color: {c.primary}; image: url("{_icon("dot", dark=dark)}"); }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {c.line}; background: {c.raised}; }}
QCheckBox::indicator:checked:disabled {{ background: {c.edge}; border-color: {c.edge}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {c.muted}; }}
QPlainTextEdit:disabled, QTextEdit:disabled {{ color: {c.muted}; background: {c.raised}; }}
QComboBox::drop-down {{ border: 0; width: 28px; }}
QComboBox::down-arrow {{ image: url("{_icon("down", dark=dark)}"); width: 18px; height: 18px; }}
QComboBox::down-arrow:disabled {{ image: none; }}
QComboBox QAbstractItemView {{ background: {c.surface}; color: {c.ink}; border: 1px solid {c.edge}; padding: 4px;
  selection-background-color: {c.primary}; selection-color: {c.on_primary}; outline: 0; }}
"""


def _tab_rules(c: Colours) -> str:
    return f"""
QTabWidget::pane {{ border: 0; border-top: 1px solid {c.line}; top: -1px; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ color: {c.muted}; background: transparent; border: 0; border-bottom: 3px solid transparent;
  padding: 8px 16px; font-weight: 600; }}
QTabBar::tab:hover {{ color: {c.ink}; }}
QTabBar::tab:selected {{ color: {c.primary}; border-bottom-color: {c.primary}; }}
QTabBar::tab:selected:focus {{ border: 3px solid {c.primary}; border-radius: 4px; padding: 5px 13px; }}
"""


def _list_rules(c: Colours) -> str:
    return f"""
QListWidget[role="categories"] {{ background: {c.raised}; border: 1px solid {c.line}; padding: 4px; outline: 0; }}
QListWidget[role="categories"]:focus {{ border: 3px solid {c.primary}; padding: 2px; }}
QListWidget[role="categories"]::item {{ padding: 8px 12px; border-radius: 4px; color: {c.ink}; }}
QListWidget[role="categories"]::item:selected {{ background: {c.primary}; color: {c.on_primary}; }}
QTableView {{ background: {c.surface}; color: {c.ink}; alternate-background-color: {c.raised};
  border: 1px solid {c.edge}; border-radius: 6px; gridline-color: {c.line};
  selection-background-color: {c.primary}; selection-color: {c.on_primary}; }}
QTableView:focus {{ border: 3px solid {c.primary}; }}
QTableView::item {{ padding: 2px 8px; }}
QHeaderView {{ background: {c.raised}; border: 0; }}
QHeaderView::section {{ background: {c.raised}; color: {c.ink}; border: 0; border-bottom: 1px solid {c.line};
  padding: 6px 8px; font-weight: 600; }}
"""


def _scroll_rules(c: Colours) -> str:
    return f"""
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; border: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; border: 0; }}
QScrollBar::handle {{ background: {c.edge}; border: 0; border-radius: 4px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {c.primary}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
