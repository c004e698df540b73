"""From a rendered message to the bytes that travel. Composed twice, they are the same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings

from notifications.errors import NotificationError
from notifications.models import OutboxAttachment, OutboxMessage
from notifications.rendering import Rendered, render

ASCII_ONLY = SMTP.clone(cte_type="7bit")  # no server along the way needs 8BITMIME
LONGEST_DISPLAY_NAME = 60
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
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def compose(row: OutboxMessage, attachments: Iterable[OutboxAttachment] = ()) -> bytes:
    """Render the message and pack it with its files, ready for SMTP. Raises what `render` raises, and HeaderRefused."""
    rendered = render(row)
    mail = EmailMessage(policy=ASCII_ONLY)
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    for file in attachments:
        maintype, _, subtype = file.media_type.partition("/")
        mail.add_attachment(bytes(file.content), maintype=maintype, subtype=subtype, filename=file.name)
    for name, value in _headers(row, rendered).items():
        _require_one_line(name, str(value))
        mail[name] = value
    _fix_boundaries(mail, row.message_id)
    return mail.as_bytes()


def _headers(row: OutboxMessage, rendered: Rendered) -> dict[str, object]:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    headers: dict[str, object] = {
        "From": Address(name or "Sigillo", addr_spec=address),
        "To": Address(addr_spec=row.recipient),
        "Subject": rendered.subject,
        "Date": format_datetime(row.created_at),  # when the fact happened: a resend is the same letter
        "Message-ID": row.message_id,
        "List-Id": f"Sigillo <{row.kind}.{mail_domain()}>",  # RFC 2919
        "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday answers
        "Content-Language": row.language,
    }
    if "centre_email" in row.context:
        headers["Reply-To"] = Address(_display_name(row.context["centre_name"]), addr_spec=row.context["centre_email"])
    return headers


def _display_name(name: str) -> str:
    """Reduce a name to words that need no quotes: folding loses them, and a comma then ends the address."""
    _require_one_line("Reply-To", name)
    return _SPECIALS.sub(" ", name)[:LONGEST_DISPLAY_NAME].strip()


def _require_one_line(name: str, value: str) -> None:
    if _BREAKS_A_HEADER.search(value):
        msg = f"{name}: holds a line break or NUL"
        raise HeaderRefused(msg)


def _fix_boundaries(mail: EmailMessage, seed: str) -> None:
    digest = hashlib.sha256(seed.encode()).hexdigest()[:32]
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{digest}")
