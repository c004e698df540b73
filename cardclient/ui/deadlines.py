"""Instants as a person reads them: weekday, day, hour and distance, in Italian time wherever the computer stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QDateTime, QLocale, QTimeZone
from PySide6.QtWidgets import QLabel

from cardclient.ui import pieces
from cardclient.ui.theme import Tone
from cardclient.words import Language, chosen, tr

ROME = b"Europe/Rome"
AMBER, RED = timedelta(days=15), timedelta(days=3)  # under these a deadline is coloured
DAY = timedelta(days=1)


def instant(text: str | None) -> datetime | None:
    """Read an instant of the API (ISO 8601 with offset); None for anything else."""
    try:
        value = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return value.astimezone(UTC) if value.tzinfo else None


def local(moment: datetime) -> QDateTime:
    """Return the instant in Italian time; the computer's own where Qt does not know that zone."""
    zone = QTimeZone(ROME)
    seconds = QDateTime.fromSecsSinceEpoch(int(moment.timestamp()))
    return seconds.toTimeZone(zone) if zone.isValid() else seconds.toLocalTime()


def day_text(moment: datetime) -> str:
    """`dom 01/03/2026, 11:00` in the language chosen."""
    language = QLocale.Language.Italian if chosen() is Language.ITALIAN else QLocale.Language.English
    value = local(moment)
    weekday = QLocale(language).dayName(value.date().dayOfWeek(), QLocale.FormatType.ShortFormat)
    return f"{weekday} {value.toString('dd/MM/yyyy, HH:mm')}"


def deadline_text(moment: datetime, now: datetime) -> str:
    """`dom 01/03/2026, 11:00 · tra 12 giorni`: the distance is counted in calendar days."""
    days = local(now).date().daysTo(local(moment).date())
    if moment < now:
        distance = tr("scaduto")
    elif days == 0:
        distance = tr("oggi")
    elif days == 1:
        distance = tr("domani")
    else:
        distance = tr("tra {days} giorni", days=days)
    return f"{day_text(moment)} · {distance}"


def deadline_line(name: str, moment: datetime, now: datetime) -> QLabel:
    """Return a line with a deadline, amber under 15 days, red under 3."""
    left = moment - now
    tone = Tone.DANGER if left < RED else Tone.WAIT if left < AMBER else Tone.NEUTRAL
    line = pieces.lead(f"{name}: {deadline_text(moment, now)}")
    line.setProperty("toneText", str(tone))
    return line
