"""The calendar file of a mail: its deadline as an entry that the holder can keep (RFC 5545, RFC 5546 §3.2.1).

Built from the row when the mail is composed, so nothing is stored, and the same row always gives the same bytes. The
entry of a deadline keeps its UID from one warning to the next: a later mail moves it, or takes it back once the matter
is settled. Two causes that suspend the same certificates have two entries: a mail names those that it sets and those
that have ended (`entries`, `ended_entries`: `cause:YYYYMMDD`, the day in Italy on which the certificates are revoked).
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from notifications.catalog import Message
from notifications.models import OutboxMessage
from notifications.rendering import HOLDER_PATH
from notifications.templatetags.mail import in_rome

MEDIA_TYPE = "text/calendar"
FILE_NAMES = MappingProxyType({"it": "scadenza.ics", "en": "deadline.ics"})
LONGEST_LINE = 75
"""Octets of a line before it is folded (RFC 5545 §3.1)."""

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # sequence numbers count seconds from here: they must only grow
_NAMED = re.compile(r"([a-z-]+:(\d{8}))(?=, |$)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class Deadline(enum.StrEnum):
    """What an entry is about."""

    RENEWAL = "renewal"
    SUSPENSION = "suspension"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True)
class Change:
    """What a kind of mail does to an entry: sets it to the instant under `key`, or takes it back (no key).

    `named`: the key of the context that names the entries, where a mail may set or take back several.
    """

    deadline: Deadline
    key: str = ""
    named: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry as a mail changes it; `about` tells it from others of the same person, card and deadline."""

    deadline: Deadline
    about: str
    instant: datetime
    is_set: bool


_WORDS: Mapping[Deadline, tuple[str, str]] = MappingProxyType(
    {
        Deadline.RENEWAL: (
            _("Scadono i certificati della carta: ultimo momento per rinnovarli"),
            _("Rinnovi i certificati con il programma di rinnovo prima di questo momento: dopo non è più possibile."),
        ),
        Deadline.SUSPENSION: (
            _("Sospensione dei certificati se il rinnovo non è autorizzato"),
            _("Contatti il centro e chieda di autorizzare il rinnovo prima di questo momento."),
        ),
        Deadline.REVOCATION: (
            _("Revoca definitiva dei certificati sospesi"),
            _("Contatti il centro e chieda di riattivare i certificati prima di questo momento."),
        ),
    }
)
_SET = Change(Deadline.REVOCATION, "revoke_on", named="entries")
_ENDED = Change(Deadline.REVOCATION, named="ended_entries")
CHANGES: Mapping[Message, tuple[Change, ...]] = MappingProxyType(
    {
        Message.RENEWAL_NOTICE: (Change(Deadline.RENEWAL, "old_not_after"),),
        Message.RENEWAL_REMINDER: (Change(Deadline.RENEWAL, "old_not_after"),),
        Message.RENEWAL_DONE: (Change(Deadline.RENEWAL),),
        Message.RENEWAL_DONE_TO_AUTHORISE: (Change(Deadline.RENEWAL), Change(Deadline.SUSPENSION, "authorise_by")),
        Message.CASE_CANCELLED: (Change(Deadline.RENEWAL),),
        Message.SUSPENSION_WARNING: (Change(Deadline.SUSPENSION, "suspend_at"),),
        Message.AUTHORISED: (Change(Deadline.SUSPENSION), _ENDED),
        Message.SUSPENDED: (_SET, _ENDED),
        Message.REVOCATION_WARNING: (_SET, _ENDED),
        Message.REACTIVATED: (_ENDED,),
        Message.REVOKED: (_ENDED,),
    }
)


def file_name(row: OutboxMessage) -> str:
    """What the recipient sees the file called."""
    return FILE_NAMES.get(row.language, FILE_NAMES["it"])


def calendar_file(row: OutboxMessage) -> bytes | None:
    """The calendar file that travels with this message; None for one that changes no entry.

    Suspended certificates that expire before the day of their revocation are not revoked: nothing to note down.
    """
    entries = [entry for change in CHANGES.get(Message(row.kind), ()) for entry in _changed(row, change)]
    if not entries or row.context.get("valid_until"):
        return None
    with translation.override(row.language):
        lines = [*_opening(), *(line for entry in entries for line in _lines(row, entry)), "END:VCALENDAR"]
    return b"".join(_folded(line) for line in lines)


def _opening() -> tuple[str, ...]:
    return ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sigillo//Scadenze//IT", "CALSCALE:GREGORIAN", "METHOD:PUBLISH")


def _changed(row: OutboxMessage, change: Change) -> Iterator[_Entry]:
    """The entries that the message changes in this way.

    What is taken back keeps a start, which the standard wants: its own where it is named, else that of the letter.
    """
    if change.named:
        for about, day in _NAMED.findall(row.context.get(change.named, "")):
            yield _Entry(change.deadline, about, in_rome(day), bool(change.key))
        return
    instant = in_rome(row.context[change.key]) if change.key else row.created_at
    yield _Entry(change.deadline, str(row.context.get("case_code")), instant, bool(change.key))


def _lines(row: OutboxMessage, entry: _Entry) -> Iterator[str]:
    summary, advice = map(gettext, _WORDS[entry.deadline])
    yield from (
        "BEGIN:VEVENT",
        f"UID:{_uid(row, entry)}",
        f"DTSTAMP:{_stamp(row.created_at)}",
        f"SEQUENCE:{_sequence(row.created_at)}",
        f"DTSTART:{_stamp(entry.instant)}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(advice + _contact(row))}",
        f"ORGANIZER;CN={_parameter(row.context['centre_name'])}:mailto:{_plain(row.context['centre_email'])}",
        f"URL:{settings.BASE_URL}{HOLDER_PATH}",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        f"STATUS:{'CONFIRMED' if entry.is_set else 'CANCELLED'}",
    )
    if entry.is_set:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P1D", f"DESCRIPTION:{_text(summary)}", "END:VALARM")
    yield "END:VEVENT"


def _uid(row: OutboxMessage, entry: _Entry) -> str:
    """One per person, card, deadline and what it is about (a case; a cause and its day); it tells nothing of them."""
    about = (entry.deadline.value, str(row.holder_id), str(row.context.get("card_serial")), entry.about)
    return (
        f"{hashlib.sha256('|'.join(about).encode()).hexdigest()[:40]}@{row.message_id.rpartition('@')[2].rstrip('>')}"
    )


def _sequence(at: datetime) -> int:
    return max(0, int((at - _EPOCH).total_seconds()))


def _contact(row: OutboxMessage) -> str:
    known = row.context
    lines = [known["centre_name"], known["centre_phone"], known["centre_email"], known.get("case_code", "")]
    return "".join(f"\n{line}" for line in lines if line)


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _plain(text: str) -> str:
    """Without control characters: a line break would start another property."""
    return _CONTROL.sub(" ", str(text))


def _text(text: str) -> str:
    """Write a TEXT value (§3.3.11); its own line breaks stay, as a backslash and an n."""
    return "\n".join(map(_plain, text.split("\n"))).translate(_ESCAPED)


def _parameter(text: str) -> str:
    """A quoted parameter value (§3.2), which has no way to say a quotation mark."""
    return '"' + _plain(text).replace('"', "'") + '"'


def _folded(line: str) -> bytes:
    """The line in UTF-8, cut between characters after at most 75 octets; what follows begins with a space."""
    octets, pieces, start, room = line.encode(), [], 0, LONGEST_LINE
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0b1100_0000 == 0b1000_0000:  # in the middle of a character of UTF-8
            end -= 1
        pieces.append(octets[start:end])
        start, room = end, LONGEST_LINE - 1
    return b"\r\n ".join([*pieces, octets[start:]]) + b"\r\n"
