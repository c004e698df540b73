"""Rules of a message: what may be posted, to whom, with what. Each raises; none shows the value it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import urlsplit

from notifications.catalog import CATALOG, Attachment, Message, Shape
from notifications.digest_words import FAILURES
from notifications.errors import AttachmentRefused, ContextRefused, RecipientRefused

LONGEST_LINE = 300
LONGEST_PROSE = 4000
LONGEST_ADDRESS = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
MOST_ENTRIES = 50
MOST_ATTACHED_BYTES = 5 * 1024 * 1024

# Cc covers CR, LF and NUL; U+2028 and U+2029 break lines in some programs; the others reorder what the reader sees.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNPRINTABLE_BUT_NEWLINE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"  # RFC 5321 Dot-string
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_FILE_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f/\\\"]{1,120}")


def harmless(message: Message, context: Mapping[str, object]) -> dict[str, object]:
    """Return the context without what could hurt in its lines and texts: control and ordering marks, excess length.

    The register's doors refuse such names. One that came in some other way must not keep a suspension from being told,
    nor the messages of everybody else in the same sweep.
    """
    shapes = CATALOG[message].shapes
    return {
        key: _harmless(value, shapes.get(key)) if isinstance(value, str) else value for key, value in context.items()
    }


def _harmless(text: str, shape: Shape | None) -> str:
    if shape in {Shape.LINE, Shape.LINE_OR_NOTHING}:
        return _UNPRINTABLE.sub(" ", text)[:LONGEST_LINE]
    if shape in {Shape.PROSE, Shape.PROSE_OR_NOTHING}:
        return _UNPRINTABLE_BUT_NEWLINE.sub(" ", text.replace("\r\n", "\n"))[:LONGEST_PROSE]
    return text


def require_context(message: Message, context: Mapping[str, object]) -> None:
    """Refuse a context that lacks a key, has an unknown one or a value of the wrong shape.

    Raises ContextRefused naming every key at fault, never a value.
    """
    contents = CATALOG[message]
    faults = _misplaced(context, required=set(contents.required), allowed=set(contents.shapes))
    faults += [
        f"{key}: must be {shape.value}"
        for key, shape in contents.shapes.items()
        if key in context and not _FITS[shape](context[key])
    ]
    _refuse(message, "context", faults)


def require_secrets(message: Message, secrets: Mapping[str, object]) -> None:
    """Refuse secrets that are not exactly those of the catalogue, one printable line each. Raises ContextRefused."""
    names = set(CATALOG[message].secrets)
    faults = _misplaced(secrets, required=names, allowed=names)
    faults += [f"{key}: must be {Shape.LINE.value}" for key in names & set(secrets) if not _is_line(secrets[key])]
    _refuse(message, "secrets", faults)


def require_recipient(address: str) -> None:
    """Refuse what is not one plain mailbox `local@domain` in ASCII (RFC 5321 Dot-string). Raises RecipientRefused.

    Strict on purpose: quoted local parts, comments and lists are where address parsers disagree (CVE-2023-27043).
    """
    if not _is_mailbox(address):
        msg = "recipient: must be one plain address, local@domain"
        raise RecipientRefused(msg)


def require_attachments(message: Message, attachments: Sequence[Attachment]) -> None:
    """Refuse attachments where the message takes none or needs one, or that cannot travel. Raises AttachmentRefused."""
    if bool(attachments) != CATALOG[message].takes_attachments:
        msg = f"{message}: {'takes no attachment' if attachments else 'needs an attachment'}"
        raise AttachmentRefused(msg)
    for number, attachment in enumerate(attachments, start=1):
        if not _FILE_NAME.fullmatch(attachment.name) or not _MEDIA_TYPE.fullmatch(attachment.media_type):
            msg = f"{message}: attachment {number} has a name or media type that cannot stand in a header"
            raise AttachmentRefused(msg)
    if sum(len(attachment.content) for attachment in attachments) > MOST_ATTACHED_BYTES:
        msg = f"{message}: attachments exceed {MOST_ATTACHED_BYTES} bytes"
        raise AttachmentRefused(msg)


def _misplaced(given: Mapping[str, object], *, required: set[str], allowed: set[str]) -> list[str]:
    missing = [f"{key}: missing" for key in sorted(required - set(given))]
    return missing + [f"{key}: unknown" for key in sorted(set(given) - allowed)]


def _refuse(message: Message, part: str, faults: list[str]) -> None:
    if faults:
        msg = f"{message}, {part}: " + "; ".join(faults)
        raise ContextRefused(msg)


def _is_line(value: object) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_LINE:
        return False
    return not _UNPRINTABLE.search(value)


def _is_prose(value: object) -> bool:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_PROSE:
        return False
    return not _UNPRINTABLE_BUT_NEWLINE.search(value.replace("\r\n", "\n"))


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_day_start(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return _is_instant(value)


def _is_url(value: object) -> bool:
    if not _is_line(value) or " " in str(value):
        return False
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_mailbox(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_ADDRESS and bool(_ADDRESS.fullmatch(value))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_lines(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_ENTRIES and all(map(_is_line, value))


def _are_cases(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_ENTRIES and all(map(_is_case, value))


def _is_case(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"code", "at", "remark"}:
        return False
    remark_fits = value["remark"] == "" or _is_line(value["remark"])
    return _is_line(value["code"]) and (value["at"] == "" or _is_instant(value["at"])) and remark_fits


def _are_failures(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_ENTRIES and all(map(_is_failure, value))


def _is_failure(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"code", "count", "cases"}:
        return False
    return value["code"] in FAILURES and _is_count(value["count"]) and _are_lines(value["cases"])


def _are_counters(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_ENTRIES and all(map(_is_counter, value))


def _is_counter(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"type", "free", "threshold"}:
        return False
    return _is_line(value["type"]) and _is_number(value["free"]) and _is_number(value["threshold"])


def _or_nothing(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value == "" or fits(value)


_FITS: Mapping[Shape, Callable[[object], bool]] = {
    Shape.LINE: _is_line,
    Shape.LINE_OR_NOTHING: _or_nothing(_is_line),
    Shape.PROSE: _is_prose,
    Shape.PROSE_OR_NOTHING: _or_nothing(_is_prose),
    Shape.LINES: _are_lines,
    Shape.CASES: _are_cases,
    Shape.FAILURES: _are_failures,
    Shape.COUNTERS: _are_counters,
    Shape.INSTANT: _is_instant,
    Shape.INSTANT_OR_NOTHING: _or_nothing(_is_instant),
    Shape.DAY_START: _is_day_start,
    Shape.URL: _is_url,
    Shape.URL_OR_NOTHING: _or_nothing(_is_url),
    Shape.MAILBOX: _is_mailbox,
    Shape.COUNT: _is_count,
    Shape.NUMBER: _is_number,
}
