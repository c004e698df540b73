"""From a row to the three texts of a mail. A variable that nobody gives is an error, not a hole.

A message is written once, in `mail/<kind>.body`, out of pieces (`{% include pieces.paragraph with text=… only %}`).
Every piece exists as HTML and as plain text, so that the two forms of a mail cannot say different things.
"""

from __future__ import annotations

import functools
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.conf import settings
from django.template import Context, Engine
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from notifications.catalog import CATALOG, Message
from notifications.errors import NotReadable
from notifications.models import OutboxMessage
from notifications.skeletons import Shelf
from notifications.templatetags.mail import in_rome
from runtime import sealing

TEXT_WIDTH = 76
HOLDER_PATH = "/titolare/"
"""Where holders find their own pages, below the base URL; nothing about a person stands in it."""

PIECES = (
    *("cases", "code", "end", "fact", "heading", "lead", "list", "notice", "operators", "paragraph", "password"),
    *("rows", "smime_facts", "smime_footer", "step"),
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's subject, plain text and HTML; it may hold a secret, so it does not show itself."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


def preview(row: OutboxMessage) -> Rendered:
    """Render a message for others than its recipient (the panel). Raises NotReadable when it carries a secret."""
    if CATALOG[Message(row.kind)].secrets:
        msg = "this message carries a secret: only its recipient reads it"
        raise NotReadable(msg)
    return render(row)


@sensitive_variables()
def render(row: OutboxMessage) -> Rendered:
    """Render a message for its recipient, secrets included. Raises NotReadable when its secrets were wiped."""
    values = {**_values(row), "subject": ""}
    with translation.override(row.language):
        decided_by = None if CATALOG[Message(row.kind)].secrets else _shelf().decided_by(values)
        fill = functools.partial(_shelf().filled, decided_by=decided_by)
        values["subject"] = " ".join(fill(f"mail/{row.kind}.subject", values, autoescape=False).split())
        return Rendered(
            subject=values["subject"],
            text=_wrapped(fill(f"mail/{row.kind}.body", {**values, **_form("txt")}, autoescape=False)),
            html=fill(f"mail/{row.kind}.body", {**values, **_form("html")}, autoescape=True),
        )


@sensitive_variables()
def _values(row: OutboxMessage) -> dict[str, Any]:
    contents = CATALOG[Message(row.kind)]
    values: dict[str, Any] = {**dict.fromkeys(contents.optional, ""), **row.context, **_secrets(row, contents.secrets)}
    return {
        **{name: isolated(value) for name, value in values.items()},
        "posted_at": row.created_at.isoformat(),
        "language": row.language,
        "holder_page": settings.BASE_URL + HOLDER_PATH,
    }


@functools.cache
def _form(suffix: str) -> dict[str, Any]:
    """The frame and the pieces of one of the two forms."""
    return {"base": f"mail/_base.{suffix}", "pieces": {name: f"mail/_{name}.{suffix}" for name in PIECES}}


@sensitive_variables()
def _secrets(row: OutboxMessage, names: frozenset[str]) -> dict[str, str]:
    if not names:
        return {}
    if row.sealed_context is None:
        msg = "the secret of this message is gone: sending it is a reissue"
        raise NotReadable(msg)
    opened: dict[str, str] = json.loads(sealing.unseal(bytes(row.sealed_context), context=row.seal_context))
    return opened


_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_ORDERING_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def isolated(value: Any) -> Any:
    """Keep a name in a right-to-left script from reordering the words around it (Unicode isolates, UAX 9).

    Marks that steer the order are taken out: only the letters themselves decide.
    """
    if not isinstance(value, str) or not _RIGHT_TO_LEFT.search(value):
        return value
    return "\n".join(f"\u2068{_ORDERING_MARKS.sub('', line)}\u2069" for line in value.splitlines())


class _Missing(str):
    """Stands for a variable that nobody gave; Django asks it for its text, and it refuses."""

    __slots__ = ()

    def __contains__(self, part: object) -> bool:
        return True

    def __mod__(self, name: object) -> NoReturn:
        msg = f"the template names {name}, which the message does not have"
        raise LookupError(msg)


@functools.cache
def _engine() -> Engine:
    return Engine(
        dirs=[str(settings.ROOT / "templates")],
        libraries={"i18n": "django.templatetags.i18n", "mail": "notifications.templatetags.mail"},
        string_if_invalid=_Missing("missing"),
    )


@functools.cache
def _shelf() -> Shelf:
    return Shelf(_fill, lambda day, since: in_rome(day).date() < in_rome(since).date())


def _fill(name: str, values: Mapping[str, Any], autoescape: bool) -> str:  # noqa: FBT001 - as `Shelf` calls it
    return _engine().get_template(name).render(Context(dict(values), autoescape=autoescape))


def _closed(lines: list[str]) -> list[str]:
    """Close an isolate at the end of each line that it was broken over, and open it again on the next."""
    closed, is_open = [], False
    for line in lines:
        said = ("\u2068" if is_open else "") + line
        is_open = said.count("\u2068") > said.count("\u2069")
        closed.append(said + ("\u2069" if is_open else ""))
    return closed


def _broken(line: str, hanging: str) -> list[str]:
    """Break one line between its words; by hand where single spaces part them, which is six times faster."""
    words = line.lstrip(" ").split(" ")
    indent = line[: len(line) - len(" ".join(words))]
    if max(map(len, words)) > TEXT_WIDTH - max(len(hanging), len(indent)) or "" in words or not line.isprintable():
        return textwrap.wrap(
            line, TEXT_WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
        )
    rows, row = [], indent + words[0]
    for word in words[1:]:
        if len(row) + 1 + len(word) <= TEXT_WIDTH:
            row = f"{row} {word}"
        else:
            rows.append(row)
            row = hanging + word
    return [*rows, row]


def _wrapped(text: str) -> str:
    """Break lines at `TEXT_WIDTH`; keep their indent, every address whole, one empty line between paragraphs."""
    lines: list[str] = []
    for line in text.splitlines():
        if len(line) <= TEXT_WIDTH:
            if line.strip() or (lines and lines[-1]):
                lines.append(line.rstrip())
            continue
        indent = " " * (len(line) - len(line.lstrip()))
        hanging = indent + ("   " if line.lstrip()[:2].rstrip(".").isdigit() else "")
        broken = _broken(line, hanging)
        if broken or (lines and lines[-1]):
            lines += _closed(broken) or [""]
    return "\n".join(lines).strip() + "\n"
