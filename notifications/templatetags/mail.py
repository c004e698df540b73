"""Filters of the mails: instants as people read them, in Italy's time; distances, fixed sentences, telephone links."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats, translation
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from notifications import digest_words
from notifications.alarm_words import UNKNOWN, WORDS, Words
from notifications.skeletons import passing, passing_since

ROME = ZoneInfo("Europe/Rome")
URGENT_DAYS = 3
"""With so many days left or fewer a deadline is shown in red, with more in amber."""

register = template.Library()


@register.filter
@passing
def instant(value: str) -> str:
    """Show an ISO 8601 instant as `ven 12/03/2027, 10:15`, in English as `Fri 12 Mar 2027, 10:15`; Europe/Rome."""
    return _said(value, ", H:i")


@register.filter
@passing
def day(value: str) -> str:
    """Show the day of an ISO 8601 instant or date as `ven 12/03/2027`, in English as `Fri 12 Mar 2027`; Europe/Rome."""
    return _said(value)


@register.filter
@passing
def last_day_before(value: str) -> str:
    """Show the last whole day before the instant or date: what begins on 30/07 leaves 29/07 as last useful day."""
    return day(eve(value))


@register.filter
@passing
def eve(value: str) -> str:
    """The last microsecond before the instant or day, as an instant."""
    return (in_rome(value).astimezone(UTC) - timedelta(microseconds=1)).isoformat()


@register.filter
@passing_since
def distance(value: str, since: str) -> str:
    """How many calendar days (Europe/Rome) lie between `since` and a later day: `oggi`, `domani`, `tra 12 giorni`.

    Empty for a day that is over.
    """
    days = (in_rome(value).date() - in_rome(since).date()).days
    if days < 0:
        return ""
    if days == 0:
        return gettext("oggi")
    if days == 1:
        return gettext("domani")
    return ngettext("tra %(count)s giorno", "tra %(count)s giorni", days) % {"count": days}


@register.filter
def tone(days: int) -> str:
    """Colour of a deadline that lies so many days ahead."""
    return "danger" if days <= URGENT_DAYS else "wait"


@register.filter
@passing
def translated(prose: str) -> str:
    """Say the fixed sentences of a text in the reader's language, line by line; a person's own words stay."""
    return "\n".join(gettext(line) if line else "" for line in prose.splitlines())


@register.filter
@passing
def translated_list(names: str) -> str:
    """Say names that stand in one line, joined by commas, in the reader's language."""
    return ", ".join(gettext(name) for name in names.split(", ") if name)


@register.filter
def failures(entries: Iterable[Mapping[str, Any] | str]) -> list[str]:
    """Put the failures of a digest into words."""
    return [digest_words.failure(entry) for entry in entries]


@register.filter
def counters(entries: Iterable[Mapping[str, Any] | str]) -> list[str]:
    """Put the low counters of a digest into words."""
    return [digest_words.counter(entry) for entry in entries]


@register.filter
def alarm_title(kind: str) -> str:
    """Name what an alarm is about."""
    return str(_alarm(kind).title)


@register.filter
def alarm_remedy(kind: str) -> str:
    """Say what a person does about an alarm."""
    return str(_alarm(kind).remedy)


@register.simple_tag
def alarm_detail(kind: str, count: int, since: str) -> str:
    """Say how much of it there is, and since when."""
    return _alarm(kind).detail({"count": count, "since": since}, lambda at: instant(at.isoformat()))


def _alarm(kind: str) -> Words:
    return WORDS.get(kind, UNKNOWN)


@register.filter
def indented(prose: str) -> str:
    """Move every line of a text to the right, as plain mails set a quotation."""
    return "\n".join(f"    {line}" for line in prose.splitlines())


@register.filter
@passing
def dialled(phone: str) -> str:
    """Reduce a telephone number to what a `tel:` link may hold."""
    return "".join(sign for sign in phone if sign.isdigit() or sign == "+")


@register.filter(needs_autoescape=True)
def whole(value: str, *, autoescape: bool = True) -> str:
    """Keep a code or number on one line of an HTML page; in plain text, leave it as it is."""
    return format_html('<span style="white-space:nowrap;">{}</span>', value) if autoescape else value


def _said(value: str, hours: str = "") -> str:
    return _in_words(value, hours, translation.get_language() or "it")


@functools.lru_cache(maxsize=1024)
def _in_words(value: str, hours: str, language: str) -> str:
    """Italian names of days are written small; elsewhere the month is a word: readers disagree about 12/03.

    A date stands several times in a mail, and in many mails of a batch: it is worked out once.
    """
    if language.startswith("it"):
        return formats.date_format(in_rome(value), "D d/m/Y" + hours).lower()
    return formats.date_format(in_rome(value), "D j M Y" + hours)


def in_rome(value: str) -> datetime:
    """Read an ISO 8601 instant, or a date as the midnight with which it begins, in Italy's time."""
    try:
        midnight = date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value).astimezone(ROME)
    return datetime.combine(midnight, time.min, tzinfo=ROME)
