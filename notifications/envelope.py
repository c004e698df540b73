"""From a rendered message to the bytes that travel. Composed twice, they are the same bytes."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
import textwrap
from collections.abc import Iterable, Iterator
from email.headerregistry import Address, HeaderRegistry
from email.message import MIMEPart
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings

from notifications.calendar import calendar_file, file_name
from notifications.errors import NotificationError
from notifications.models import OutboxAttachment, OutboxMessage
from notifications.rendering import Rendered, render

ASCII_ONLY = SMTP.clone(cte_type="7bit")  # no server along the way needs 8BITMIME
LONGEST_DISPLAY_NAME = 60
LONGEST_LINE = 78  # RFC 5322 §2.1.1, without CRLF
_FACTORY = HeaderRegistry()
_SHORT_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,30}@[A-Za-z0-9.-]{1,40}")  # needs no quotes and fits one line
_BREAKS_A_HEADER = re.compile("[\r\n\x00]")
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."\s]+')  # RFC 5322 §3.2.3, and white space


class HeaderRefused(NotificationError):
    """A header value holds CR, LF or NUL: it would start another header or cut this one."""

    code = "message-header-invalid"


def message_id(key: str) -> str:
    """Message-ID for a dedupe key: the same at every sending, and silent about what the key says."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{mail_domain()}>"


def mail_domain() -> str:
    """Domain of Message-ID and List-Id: as set, else that of the sender's address."""
    return settings.NOTIFICATIONS.message_id_domain or sender().rpartition("@")[2].lower()


def sender() -> str:
    """Bare address in the SMTP envelope; returned mail goes there."""
    return _name_and_address(settings.DEFAULT_FROM_EMAIL)[1]


@functools.lru_cache(maxsize=8)
def _name_and_address(mailbox: str) -> tuple[str, str]:
    return parseaddr(mailbox)


def compose(row: OutboxMessage, attachments: Iterable[OutboxAttachment] = ()) -> bytes:
    """Render the message and pack it with its files, ready for SMTP. Raises what `render` raises, and HeaderRefused.

    Written out by hand: the library's parser and folder of headers took three times as long as rendering. What is not
    plain ASCII, or differs from mail to mail in more than an address, is still folded by the library.
    """
    rendered = render(row)
    digest = hashlib.sha256(row.message_id.encode()).hexdigest()[:32]  # no line of base64 or quoted-printable is `=_`
    letter = _multipart(
        "alternative", f"=_0_{digest}", [_text_part("plain", rendered.text), _text_part("html", rendered.html)]
    )
    files = [*(_file_part(file) for file in attachments), *_calendar_part(row)]
    if files:
        letter = _multipart("mixed", f"=_1_{digest}", [letter, *files])
    return b"".join([*_headers(row, rendered), b"MIME-Version: 1.0\r\n", letter])


def _multipart(subtype: str, boundary: str, parts: Iterable[bytes]) -> bytes:
    line = f"--{boundary}".encode()
    inner = b"".join(b"%b\r\n%b\r\n" % (line, part) for part in parts)
    return b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n\r\n%b%b--\r\n' % (
        subtype.encode(),
        boundary.encode(),
        inner,
        line,
    )


def _text_part(subtype: str, text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return b"".join(
        [
            f'Content-Type: text/{subtype}; charset="utf-8"\r\n'.encode(),
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            binascii.b2a_qp(lines.encode(), istext=True),
        ]
    )


def _file_part(file: OutboxAttachment) -> bytes:
    maintype, _, subtype = file.media_type.partition("/")
    part = MIMEPart(policy=ASCII_ONLY)
    part.set_content(bytes(file.content), maintype=maintype, subtype=subtype, disposition="attachment")
    part.set_param("filename", file.name, header="Content-Disposition", replace=True)
    return part.as_bytes()


def _calendar_part(row: OutboxMessage) -> Iterator[bytes]:
    """Pack the deadline of the message as an entry for the reader's calendar, where it has one."""
    content = calendar_file(row)
    if content is not None:
        yield b"".join(
            [
                b'Content-Type: text/calendar; charset="utf-8"; method=PUBLISH\r\n',
                b"Content-Transfer-Encoding: base64\r\n",
                f'Content-Disposition: attachment; filename="{file_name(row)}"\r\n\r\n'.encode("ascii"),
                base64.encodebytes(content).replace(b"\n", b"\r\n"),
            ]
        )


def _headers(row: OutboxMessage, rendered: Rendered) -> Iterator[bytes]:
    name, address = _name_and_address(settings.DEFAULT_FROM_EMAIL)
    yield _folded_address("From", name or "Sigillo", address)
    yield _recipient(row.recipient)
    yield _folded("Subject", rendered.subject)
    yield _plain("Date", format_datetime(row.created_at))  # when the fact happened: a resend is the same letter
    yield _plain("Message-ID", row.message_id)
    yield _folded("List-Id", f"Sigillo <{row.kind}.{mail_domain()}>")  # RFC 2919
    yield _folded("Auto-Submitted", "auto-generated")  # RFC 3834: no holiday answers
    yield _folded("Content-Language", row.language)
    if "centre_email" in row.context:
        yield _folded_address("Reply-To", _display_name(row.context["centre_name"]), row.context["centre_email"])


def _recipient(address: str) -> bytes:
    return _plain("To", address) if _SHORT_ADDRESS.fullmatch(address) else _folded_address("To", "", address)


def _plain(name: str, value: str) -> bytes:
    """Write a header whose value is short, ASCII and of our own making."""
    _require_one_line(name, value)
    return f"{name}: {value}\r\n".encode("ascii")


@functools.lru_cache(maxsize=512)
def _folded(name: str, value: str) -> bytes:
    """Fold a header as the library does; the mails of one batch share most values.

    Plain ASCII is wrapped here: the library may leave nothing on the first line, which some servers refuse.
    """
    _require_one_line(name, value)
    if value.isascii():
        lines = textwrap.wrap(f"{name}: {value}", LONGEST_LINE, break_long_words=False, break_on_hyphens=False)
        return "\r\n ".join([*lines, ""]).removesuffix(" ").encode("ascii")
    return _FACTORY(name, value).fold(policy=ASCII_ONLY).encode("ascii")


@functools.lru_cache(maxsize=512)
def _folded_address(name: str, display: str, address: str) -> bytes:
    _require_one_line(name, display + address)
    return _FACTORY(name, Address(display, addr_spec=address)).fold(policy=ASCII_ONLY).encode("ascii")


def _display_name(name: str) -> str:
    """Reduce a name to words that need no quotes: folding loses them, and a comma then ends the address."""
    _require_one_line("Reply-To", name)
    return _SPECIALS.sub(" ", name)[:LONGEST_DISPLAY_NAME].strip()


def _require_one_line(name: str, value: str) -> None:
    if _BREAKS_A_HEADER.search(value):
        msg = f"{name}: holds a line break or NUL"
        raise HeaderRefused(msg)
