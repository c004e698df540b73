"""Charts as SVG, drawn by the server: measures in per cent across, so that words keep their size on every screen.

Colour is never alone: each state has its own pattern, its number stands in the bar, a table repeats all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cms.admin import counting
from cms.admin.words import bounded
from cms.policy import rome_date
from renewals.admin.figures import Week
from renewals.states import CaseState

TOP, FLOOR, LABELS = 22, 212, 250
SHORTEST_WITH_NUMBER = 16
_COLUMN, _MARGIN = 0.72, 0.14

# State, pattern, what the pattern draws on a tile of 8 × 8.
PATTERNS: tuple[tuple[CaseState, str, str], ...] = (
    (CaseState.COMPLETED, "ok", ""),
    (CaseState.AWAITING_INSTALLATION, "wait", "M-2 2 2 -2 M0 8 8 0 M6 10 10 6"),
    (CaseState.NOTIFIED, "primary", "M0 4H8"),
    (CaseState.CANCELLED, "neutral", "M4 3.9V4.1"),
    (CaseState.EXPIRED, "danger", "M0 0 8 8 M8 0 0 8"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the legend."""

    word: str
    swatch: SafeString
    total: str


def patterns() -> SafeString:
    """Definitions that bars and swatches fill themselves with; once a page."""
    drawn = format_html_join(
        "",
        '<pattern id="fill-{}" class="ink-{}" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<rect width="8" height="8"/><path d="{}"/></pattern>',
        ((tone, tone, path) for _state, tone, path in PATTERNS),
    )
    return format_html('<svg class="defs" aria-hidden="true" focusable="false"><defs>{}</defs></svg>', drawn)


def legend(weeks: Sequence[Week]) -> list[Series]:
    """States with their pattern and sum."""
    return [
        Series(
            word=_(state.label),
            swatch=format_html(
                '<svg class="swatch" aria-hidden="true" focusable="false" width="24" height="16">'
                '<rect class="bar-part" width="24" height="16" fill="url(#fill-{})"/></svg>',
                tone,
            ),
            total=str(sum(week.counts.get(state.value, 0) for week in weeks)),
        )
        for state, tone, _path in PATTERNS
    ]


def weeks_chart(weeks: Sequence[Week]) -> SafeString:
    """Stacked columns, one a week; the present week is marked."""
    most = max((week.total for week in weeks), default=0)
    columns = [_column(week, place, len(weeks), most) for place, week in enumerate(weeks)]
    title = _("Rinnovi per settimana di scadenza e stato")
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" width="100%" height="{}">'
        '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>{}</svg>',
        f"{title}. {_in_words(weeks)}",
        LABELS,
        FLOOR,
        FLOOR,
        format_html_join("", "{}", ((column,) for column in columns)),
    )


def _column(week: Week, place: int, weeks: int, most: int) -> SafeString:
    step = 100 / weeks
    left, middle = step * (place + _MARGIN), step * (place + 0.5)
    parts, height = [], float(FLOOR)
    for state, tone, _path in PATTERNS:
        count = week.counts.get(state.value, 0)
        if count:
            size = count / most * (FLOOR - TOP)
            height -= size
            parts.append(_part(count, tone, (left, step * _COLUMN, middle), (height, size)))
    mark = format_html(
        '<rect class="present" x="{}%" width="{}%" y="0" height="{}"/>', f"{step * place:.3f}", f"{step:.3f}", LABELS
    )
    total = format_html(
        '<text class="total" x="{}%" y="{}">{}</text>', f"{middle:.3f}", f"{height - 6:.1f}", week.total
    )
    return format_html(
        '{}{}{}<text class="week{}" x="{}%" y="{}">{}</text>',
        mark if week.is_present else "",
        format_html_join("", "{}", ((part,) for part in parts)),
        total if week.total else "",
        " extra" if place % 2 else "",
        f"{middle:.3f}",
        FLOOR + 20,
        f"{rome_date(week.begins):%-d/%-m}",
    )


def _part(count: int, tone: str, across: tuple[float, float, float], down: tuple[float, float]) -> SafeString:
    left, width, middle = across
    top, size = down
    number = ""
    if size >= SHORTEST_WITH_NUMBER:
        number = format_html(
            '<text class="count" x="{}%" y="{}">{}</text>',
            f"{middle:.3f}",
            f"{top + size / 2 + 4.5:.1f}",
            bounded(count, counting.BOUND),
        )
    return format_html(
        '<rect class="bar-part" x="{}%" width="{}%" y="{}" height="{}" fill="url(#fill-{})"/>{}',
        f"{left:.3f}",
        f"{width:.3f}",
        f"{top:.1f}",
        f"{size:.1f}",
        tone,
        number,
    )


def level(have: int, need: int, most: int) -> SafeString:
    """One horizontal bar: what coming renewals take of what is there, the missing part in its own pattern."""
    most = max(most, 1)
    covered, missing = min(have, need) / most * 100, max(need - have, 0) / most * 100
    return format_html(
        '<svg class="level" aria-hidden="true" focusable="false" width="100%" height="16">'
        '<rect class="rail" width="100%" height="16"/>'
        '<rect class="bar-part" width="{}%" height="16" fill="url(#fill-{})"/>'
        '<rect class="bar-part" x="{}%" width="{}%" height="16" fill="url(#fill-danger)"/></svg>',
        f"{covered:.2f}",
        "ok" if not missing else "wait",
        f"{covered:.2f}",
        f"{missing:.2f}",
    )


def _in_words(weeks: Sequence[Week]) -> str:
    """The gist for who does not see the bars; the table below has every number."""
    said = [f"{series.word} {series.total}" for series in legend(weeks)]
    below = _("Gli stessi numeri sono nella tabella che segue.")
    return f"{', '.join(said)}. {below}"
