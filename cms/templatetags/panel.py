"""Filters and pieces of the panel's pages: instants in words, icons, badges."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from django import template
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cms.admin import words
from cms.admin.look import LOOK_WORDS, LOOKS, look_of

register = template.Library()
_SOMETHING = "0000-0000-000"
register.filter("instant", words.instant)
register.filter("distance", words.distance)
register.filter("urgency", words.urgency)
register.filter("reason", words.reason)
register.filter("hold_cause", words.hold_cause)


@register.filter
def day(at: datetime | date | None) -> str:
    """Say a day, or a dash for none."""
    return words.day(at) if at else "–"


@register.filter
def iso(at: datetime) -> str:
    """Write an instant for machines (`<time datetime>`)."""
    return at.isoformat()


@register.filter
def said(text: str) -> str:
    """Say a label or a refusal, stored in Italian, in the reader's language; anything else as it stands."""
    return _(str(text))


@register.filter
def has_field_errors(form: BaseForm) -> bool:
    """Whether the summary of errors has anything to list; what concerns the whole form stands above it."""
    return any(bound.errors for bound in form.visible_fields())


@register.filter
def signed(count: int) -> str:
    """Write a change with its sign, the minus as a minus."""
    return f"+{count}" if count > 0 else str(count).replace("-", "\N{MINUS SIGN}")


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite; a word always stands beside it. Drawn once: pages hold dozens."""
    address = f"{static('panel/icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', address)


@register.simple_tag(takes_context=True)
def look(context: Context) -> SafeString:
    """Name the chosen look on the page's root element; nothing where the system decides."""
    chosen = look_of(context.get("request"))
    return format_html(' data-look="{}"', chosen) if chosen else SafeString("")


@register.simple_tag(takes_context=True)
def look_choices(context: Context) -> list[tuple[str, str, bool]]:
    """Choices of the menu: value, word, whether it is the present one."""
    chosen = look_of(context.get("request"))
    choices = [("", _("Sistema")), *((value, str(word)) for value, word in LOOK_WORDS.items())]
    return [(value, word, LOOKS.get(value, "") == chosen) for value, word in choices]


@register.simple_tag
def badge(badge: words.Badge) -> SafeString:
    """Draw a state: colour, icon and word."""
    return _badge(badge.role, badge.icon, said(badge.word))


@lru_cache(maxsize=512)
def _badge(role: str, name: str, word: str) -> SafeString:
    """Draw once what each row shows again; words may be anybody's and are escaped."""
    return format_html('<span class="badge {}">{}{}</span>', role, icon(name), word)


@register.simple_tag
def row_url(name: str, code: str) -> str:
    """Address of a page about one row: as `url` gives it, but the pattern is looked up once and not for each row."""
    return _pattern(name).replace(_SOMETHING, quote(code, safe=""))


@cache
def _pattern(name: str) -> str:
    return reverse(name, args=[_SOMETHING])


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
