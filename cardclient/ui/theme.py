"""Colours, typeface and style sheet of the window, light and dark: the palette of the panel and the public pages."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from cardclient.ui.theme_views import view_rules

FAMILY = "Titillium Web"
BODY, SMALL, TITLE, LARGE = 16, 14, 20, 24  # px at 100 %; Qt scales them with the screen
RADIUS, RING = 6, 3


class Tone(enum.StrEnum):
    """What a notice means; never told by colour alone, each has its sign and its word."""

    NEUTRAL = "neutral"
    OK = "ok"
    WAIT = "wait"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Colours:
    """One set of tokens; each tone is (text, ground), both as #RRGGBB."""

    primary: str
    on_primary: str
    pressed: str
    ink: str
    muted: str
    surface: str
    raised: str
    line: str
    edge: str
    tones: Mapping[Tone, tuple[str, str]]


LIGHT = Colours(
    primary="#0066CC",
    on_primary="#FFFFFF",
    pressed="#004D99",
    ink="#17324D",
    muted="#5C6F82",
    surface="#FFFFFF",
    raised="#F5F7FA",
    line="#D9DEE4",
    edge="#768594",  # borders of fields and buttons: 3:1 on both grounds (WCAG 1.4.11)
    tones={
        Tone.NEUTRAL: ("#44546A", "#EDF0F4"),
        Tone.OK: ("#007A52", "#E6F4EE"),
        Tone.WAIT: ("#8A5A00", "#FFF4DB"),
        Tone.DANGER: ("#B3152B", "#FCE8EB"),
    },
)
DARK = Colours(
    primary="#6AB0FF",
    on_primary="#0F1A24",
    pressed="#9CCAFF",
    ink="#E6ECF2",
    muted="#A9B6C3",
    surface="#0F1A24",
    raised="#172634",
    line="#2B3D4F",
    edge="#7A8B9C",
    tones={
        Tone.NEUTRAL: ("#C3CED9", "#223243"),
        Tone.OK: ("#5AD1A5", "#12382B"),
        Tone.WAIT: ("#F2C266", "#3A2C0C"),
        Tone.DANGER: ("#FF9AA8", "#401520"),
    },
)


def apply(application: QApplication, *, dark: bool | None = None) -> None:
    """Dress the application; `dark` None follows the system now and whenever the person changes it."""
    hints = application.styleHints()
    colours = DARK if (hints.colorScheme() is Qt.ColorScheme.Dark if dark is None else dark) else LIGHT
    application.setStyle("Fusion")
    application.setFont(body_font())
    application.setPalette(palette(colours))
    application.setStyleSheet(style_sheet(colours))
    if dark is None and not application.property("followsSystem"):
        application.setProperty("followsSystem", True)  # noqa: FBT003 - Qt's signature
        hints.colorSchemeChanged.connect(lambda _scheme: apply(application))


def body_font() -> QFont:
    """Return the product's typeface, or the system's where ours cannot be read."""
    families = load_fonts()
    font = QFont(families[0]) if families else QFont(QApplication.font())
    font.setPixelSize(BODY)
    return font


@functools.cache
def load_fonts() -> tuple[str, ...]:
    """Give Qt the shipped font files once per process (SIL Open Font License, `fonts/OFL.txt`)."""
    found: list[str] = []
    for each in sorted((resources.files(__package__) / "fonts").iterdir(), key=lambda entry: entry.name):
        if each.name.endswith(".ttf"):
            number = QFontDatabase.addApplicationFontFromData(each.read_bytes())
            found += QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return tuple(sorted(set(found), key=lambda family: (family != FAMILY, family)))


def palette(colours: Colours) -> QPalette:
    """Fill Qt's own palette, so that native parts (lists, scroll bars, dialogs) take the same colours."""
    made = QPalette()
    role = QPalette.ColorRole
    for target, colour in {
        role.Window: colours.surface,
        role.Base: colours.surface,
        role.AlternateBase: colours.raised,
        role.Button: colours.raised,
        role.ToolTipBase: colours.raised,
        role.WindowText: colours.ink,
        role.Text: colours.ink,
        role.ButtonText: colours.ink,
        role.ToolTipText: colours.ink,
        role.PlaceholderText: colours.muted,
        role.Highlight: colours.primary,
        role.HighlightedText: colours.on_primary,
        role.Link: colours.primary,
        role.LinkVisited: colours.primary,
        role.Mid: colours.line,
        role.Dark: colours.edge,
    }.items():
        made.setColor(target, QColor(colour))
    for dimmed in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, dimmed, QColor(colours.muted))
    return made


def style_sheet(colours: Colours) -> str:
    """Return the one style sheet: roles and tones are dynamic properties set by `pieces.py`."""
    tones = "\n".join(_tone_rules(tone, *pair) for tone, pair in colours.tones.items())
    views = view_rules(colours, dark=colours is DARK)
    return "\n".join(
        (_frame_rules(colours), _text_rules(colours), _button_rules(colours), _input_rules(colours), views, tones)
    )


def _frame_rules(c: Colours) -> str:
    return f"""
#header {{ background: {c.raised}; border: 0; border-bottom: 1px solid {c.line}; }}
#footer {{ background: {c.raised}; border: 0; border-top: 1px solid {c.line}; }}
#strip {{ background: {c.surface}; border: 0; border-bottom: 1px solid {c.line}; }}
#product {{ font-size: {TITLE}px; font-weight: 700; color: {c.primary}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: 0; }}
QScrollArea[role="desk"] {{ background: {c.raised}; border: 1px solid {c.line}; border-radius: {RADIUS}px; }}
QScrollArea[role="desk"]:focus {{ border: {RING}px solid {c.primary}; }}
QFrame[role="card"] {{ background: {c.raised}; border: 1px solid {c.line}; border-radius: {RADIUS}px; }}
QToolTip {{ color: {c.ink}; background: {c.raised}; border: 1px solid {c.line}; padding: 4px; }}
QMenu {{ background: {c.surface}; color: {c.ink}; border: 1px solid {c.edge}; padding: 4px; }}
QMenu::item {{ padding: 8px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {c.primary}; color: {c.on_primary}; }}
"""


def _text_rules(c: Colours) -> str:
    return f"""
QLabel {{ color: {c.ink}; background: transparent; }}
QLabel[role="heading"] {{ font-size: {LARGE}px; font-weight: 700; }}
QLabel[role="subheading"] {{ font-size: {TITLE}px; font-weight: 600; }}
QLabel[role="lead"] {{ font-size: {BODY}px; }}
QLabel[role="muted"] {{ color: {c.muted}; font-size: {SMALL}px; }}
QLabel[role="label"] {{ font-weight: 600; }}
QLabel[role="error"] {{ color: {c.tones[Tone.DANGER][0]}; font-weight: 600; }}
QLabel[role="code"] {{ color: {c.muted}; font-size: {SMALL}px; }}
"""


def _button_rules(c: Colours) -> str:
    return f"""
QPushButton {{ background: {c.surface}; color: {c.primary}; border: 1px solid {c.primary}; border-radius: {RADIUS}px;
  padding: 9px 19px; font-weight: 600; min-height: 24px; }}
QPushButton:hover {{ background: {c.raised}; }}
QPushButton:pressed {{ background: {c.line}; }}
QPushButton:disabled {{ color: {c.muted}; border-color: {c.line}; background: {c.raised}; }}
QPushButton:focus {{ border: {RING}px solid {c.pressed}; padding: 7px 17px; }}
QPushButton[role="primary"] {{ background: {c.primary}; color: {c.on_primary}; }}
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:pressed {{ background: {c.pressed}; }}
QPushButton[role="primary"]:focus {{ border: {RING}px solid {c.ink}; }}
QPushButton[role="primary"]:disabled {{ color: {c.muted}; border-color: {c.line}; background: {c.line}; }}
QPushButton[role="danger"] {{ color: {c.tones[Tone.DANGER][0]}; border-color: {c.tones[Tone.DANGER][0]}; }}
QPushButton[role="link"] {{ background: transparent; border: 1px solid transparent; padding: 5px 3px;
  text-align: left; text-decoration: underline; }}
QPushButton[role="link"]:hover {{ color: {c.pressed}; }}
QPushButton[role="link"]:focus {{ border: {RING}px solid {c.primary}; padding: 3px 1px; }}
QPushButton[role="link"]:disabled {{ color: {c.muted}; background: transparent; }}
QPushButton::menu-indicator {{ width: 0; }}
"""


def _input_rules(c: Colours) -> str:
    fields = ("QLineEdit", "QTextEdit", "QPlainTextEdit", "QTextBrowser", "QComboBox", "QSpinBox", "QListView")
    plain = ", ".join(fields)
    focused = ", ".join(f"{each}:focus" for each in fields)
    return f"""
{plain} {{ background: {c.surface}; color: {c.ink}; border: 1px solid {c.edge}; border-radius: {RADIUS}px;
  padding: 8px; selection-background-color: {c.primary}; selection-color: {c.on_primary}; }}
{focused} {{ border: {RING}px solid {c.primary}; padding: 6px; }}
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {{ color: {c.muted}; background: {c.raised}; }}
QLineEdit[wrong="true"] {{ border-color: {c.tones[Tone.DANGER][0]}; }}
QComboBox, QLineEdit, QSpinBox {{ min-height: 24px; }}
QCheckBox, QRadioButton {{ color: {c.ink}; border: {RING}px solid transparent; border-radius: {RADIUS}px; padding: 4px;
  spacing: 10px; }}
QCheckBox[bare="true"] {{ spacing: 0; padding: 1px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {c.primary}; }}
QProgressBar {{ background: {c.line}; border: 0; border-radius: 5px; min-height: 10px; max-height: 10px; }}
QProgressBar::chunk {{ background: {c.primary}; border-radius: 5px; }}
"""


def _tone_rules(tone: Tone, text: str, ground: str) -> str:
    return f"""
QFrame[tone="{tone}"] {{ background: {ground}; border: 0; border-left: 4px solid {text};
  border-top-right-radius: {RADIUS}px; border-bottom-right-radius: {RADIUS}px; }}
QFrame[tone="{tone}"] QLabel[role="notice-title"] {{ color: {text}; font-weight: 700; }}
QFrame[tone="{tone}"] QLabel[role="sign"] {{ color: {text}; font-size: {TITLE}px; font-weight: 700; }}
QLabel[toneText="{tone}"] {{ color: {text}; font-weight: 600; }}
"""
