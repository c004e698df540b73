"""Pieces of the pages without login and of the customer area: instants in full words, deadlines, form controls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField
from django.utils import formats, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cms.admin import words
from cms.policy import ROME

register = template.Library()
NO_BREAK = "\N{NO-BREAK SPACE}"


@register.filter
def moment(at: datetime) -> str:
    """Say an instant as a person would: `venerdì 12 marzo 2027, ore 10:15`, in Italian time."""
    local = at.astimezone(ROME)
    hour = _("ore %(hour)s") % {"hour": f"{local:%H:%M}"}
    return f"{in_full(local)}, {hour.replace(' ', NO_BREAK)}"


@register.filter
def long_day(at: datetime) -> str:
    """Say a day as a person would: `venerdì 12 marzo 2027`, in Italian time."""
    return in_full(at.astimezone(ROME))


@register.filter
def hour(at: datetime) -> str:
    """Say the clock time in Italy: `10:15`."""
    return f"{at.astimezone(ROME):%H:%M}"


@register.filter
def said(text: str) -> str:
    """Say a sentence of the closed lists (a refusal, an obstacle) in the reader's language."""
    return _(text) if text else ""


def in_full(local: datetime) -> str:
    """Weekday and date in full, in the reader's language."""
    said = formats.date_format(local, "l j F Y")
    # Italian writes weekdays and months small; Django's words for them begin with capitals.
    return said.lower() if translation.get_language() == "it" else said


@register.inclusion_tag("public/deadline.html")
def deadline(at: datetime, now: datetime, word: str = "", style: str = "") -> dict[str, Any]:
    """Draw a deadline: weekday, date, hour, distance. Amber under 15 days, red under 3; never if `style` is calm."""
    role = "" if style == "calm" else words.urgency(at, now)
    return {"at": at, "now": now, "word": word, "said": moment(at), "role": role}


@register.simple_tag
def control(bound: BoundField) -> SafeString:
    """Draw a field's control, tied to its help and its error for screen readers."""
    notes = [f"{bound.auto_id}-help"] if bound.help_text else []
    notes += [f"{bound.auto_id}-error"] if bound.errors else []
    classes = ["form-control", bound.field.widget.attrs.get("class", ""), "is-invalid" if bound.errors else ""]
    attributes: dict[str, str | bool] = {"class": " ".join(one for one in classes if one)}
    if notes:
        attributes["aria-describedby"] = " ".join(notes)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)


@register.filter
def error_count(form: BaseForm) -> int:
    """How many sentences the summary of a form holds."""
    return sum(len(errors) for errors in form.errors.values())


@register.simple_tag
def language_choices() -> list[tuple[str, str, bool]]:
    """Languages of the pages: code, own name, whether it is the present one."""
    present = translation.get_language()
    return [(code, name, code == present) for code, name in settings.LANGUAGES]
