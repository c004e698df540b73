"""Filters of the mails: instants as people read them, in Italy's time, and telephone links."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats
from django.utils.html import format_html

ROME = ZoneInfo("Europe/Rome")
register = template.Library()


@register.filter
def instant(value: str) -> str:
    """Show an ISO 8601 instant as `ven 12/03/2027, 10:15`, Europe/Rome."""
    return formats.date_format(_in_rome(value), "D d/m/Y, H:i").lower()


@register.filter
def day(value: str) -> str:
    """Show the day of an ISO 8601 instant or date as `ven 12/03/2027`, Europe/Rome."""
    return formats.date_format(_in_rome(value), "D d/m/Y").lower()


@register.filter
def last_day_before(value: str) -> str:
    """Show the last whole day before the instant or date: what begins on 30/07 leaves 29/07 as last useful day."""
    return day((_in_rome(value).astimezone(UTC) - timedelta(microseconds=1)).isoformat())


@register.filter
def dialled(phone: str) -> str:
    """Reduce a telephone number to what a `tel:` link may hold."""
    return "".join(sign for sign in phone if sign.isdigit() or sign == "+")


@register.filter(needs_autoescape=True)
def whole(value: str, *, autoescape: bool = True) -> str:
    """Keep a code or number on one line of an HTML page; in plain text, leave it as it is."""
    return format_html('<span style="white-space:nowrap;">{}</span>', value) if autoescape else value


def _in_rome(value: str) -> datetime:
    try:
        midnight = date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value).astimezone(ROME)
    return datetime.combine(midnight, time.min, tzinfo=ROME)
