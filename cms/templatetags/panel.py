"""Filters and pieces of the panel's pages: instants in words, icons, badges."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cms.admin import words

register = template.Library()
register.filter("instant", words.instant)
register.filter("distance", words.distance)
register.filter("urgency", words.urgency)
register.filter("reason", words.reason)


@register.filter
def day(at: datetime | date | None) -> str:
    """Say a day, or a dash for none."""
    return words.day(at) if at else "–"


@register.filter
def iso(at: datetime) -> str:
    """Write an instant for machines (`<time datetime>`)."""
    return at.isoformat()


@register.filter
def signed(count: int) -> str:
    """Write a change with its sign, the minus as a minus."""
    return f"+{count}" if count > 0 else str(count).replace("-", "\N{MINUS SIGN}")


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; a word always stands beside it."""
    address = f"{static('panel/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', address)


@register.inclusion_tag("admin/parts/badge.html")
def badge(badge: words.Badge) -> dict[str, Any]:
    """Draw a state: colour, icon and word."""
    return {"badge": badge}


@register.inclusion_tag("admin/parts/deadline.html")
def deadline(at: datetime, now: datetime, style: str = "") -> dict[str, Any]:
    """Draw a deadline: day, hour and distance; coloured when near unless `style` is `calm`."""
    return {"at": at, "now": now, "role": "" if style == "calm" else words.urgency(at, now)}


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """Draw a field's control, tied to its help and its errors for screen readers."""
    notes = [f"{bound.auto_id}-{part}" for part in ("help", "errors") if _has(bound, part)]
    attributes: dict[str, str | bool] = (
        {"class": "control"} if bound.widget_type not in {"checkbox", "radioselect"} else {}
    )
    if notes:
        attributes["aria-describedby"] = " ".join(notes)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)


def _has(bound: BoundField, part: str) -> bool:
    return bool(bound.help_text if part == "help" else bound.errors)
