"""The line to the mail server: one connection for many mails, bounded waits, three kinds of failure."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from django.conf import settings

from notifications.envelope import mail_domain

CLOSING = 421
GO_ON = 354
TRANSIENT, PERMANENT = 400, 500
ACCEPTED = range(200, 300)
_BEGINS_WITH_A_DOT = re.compile(rb"(?m)^\.")  # RFC 5321 §4.5.2


def _end_of(content: bytes) -> bytes:
    return b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"


def nothing() -> None:
    """Do nothing while the server reads."""


class DeliveryFailure(Exception):
    """A mail was not accepted; `str` is the kind and the reply code or error class, never the server's own text."""

    def __init__(self, reason: object) -> None:
        """Keep the reply code or the class of the error."""
        super().__init__(f"{type(self).__name__} {reason}")


class ServerAway(DeliveryFailure):
    """The server cannot be reached, or refuses us whatever we send: says nothing about a message."""


class PutOff(DeliveryFailure):
    """The server did not accept this message now: a 4xx reply, a cut line, no answer in time. It may even have it."""


class Rejected(DeliveryFailure):
    """The server refuses this message for good: a 5xx reply to its recipient or its contents."""


class Transport(Protocol):
    """What delivery needs of a mail server."""

    def open(self) -> None:
        """Be connected, anew if need be. Raises ServerAway."""

    def send(self, *, sender: str, recipient: str, content: bytes, meanwhile: Callable[[], object] = nothing) -> None:
        """Hand one mail over; returns when the server took it. Raises ServerAway, PutOff, Rejected.

        `meanwhile` is done, if it comes to that, while the server reads the mail; it must not raise.
        """

    def close(self) -> None:
        """Hang up; never raises."""


class SmtpTransport:
    """SMTP as Django's `EMAIL_*` settings say."""

    def __init__(self) -> None:
        """Connect later, when there is something to send."""
        self._line: smtplib.SMTP | None = None
        self._sent = 0

    def open(self) -> None:
        """Connect, greet, encrypt and log in unless connected; anew after `mails_per_connection`. Raises ServerAway."""
        if self._sent >= settings.NOTIFICATIONS.mails_per_connection:
            self.close()
        if self._line is not None:
            return
        try:
            self._line = _connected()
        except smtplib.SMTPResponseException as refusal:
            raise ServerAway(refusal.smtp_code) from None
        except (OSError, smtplib.SMTPException) as failure:
            raise ServerAway(type(failure).__name__) from None
        self._sent = 0

    def send(self, *, sender: str, recipient: str, content: bytes, meanwhile: Callable[[], object] = nothing) -> None:
        """Hand one mail over: MAIL, RCPT, DATA. Returns at the 250. Raises ServerAway, PutOff, Rejected."""
        self.open()
        line = self._line
        assert line is not None  # noqa: S101 - `open` has raised otherwise
        try:
            self._require_sender(*line.docmd("MAIL", f"FROM:<{sender}>"))
            self._require_accepted(*line.docmd("RCPT", f"TO:<{recipient}>"))
            self._require_start(*line.docmd("DATA"))
            line.send(_BEGINS_WITH_A_DOT.sub(b"..", content) + _end_of(content))
            meanwhile()
            self._require_accepted(*line.getreply())
        except (OSError, smtplib.SMTPException) as failure:
            self._drop()
            raise PutOff(type(failure).__name__) from None
        self._sent += 1

    def close(self) -> None:
        """Say QUIT if somebody listens, and hang up."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(OSError, smtplib.SMTPException):
                line.quit()
            line.close()

    def _require_sender(self, code: int, _text: bytes) -> None:
        if code >= PERMANENT:  # our own address is refused: a fault of the set-up, not of this message
            self._drop()
            raise ServerAway(code)
        self._require_accepted(code, _text)

    def _require_accepted(self, code: int, _text: bytes) -> None:
        if code in ACCEPTED:
            return
        self._forget_mail(code)
        raise (Rejected if code >= PERMANENT else PutOff)(code)

    def _require_start(self, code: int, text: bytes) -> None:
        """Go on with the mail's text, which only 354 asks for; any other reply refuses the mail."""
        if code != GO_ON:
            self._require_accepted(max(code, TRANSIENT), text)

    def _forget_mail(self, code: int) -> None:
        """Make the line ready for the next mail, or drop it."""
        try:
            if code == CLOSING or self._line is None or self._line.rset()[0] not in ACCEPTED:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _connected() -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    line = kind(
        settings.EMAIL_HOST,
        settings.EMAIL_PORT,
        local_hostname=mail_domain(),  # else a DNS look-up of our own name, which may hang
        timeout=settings.NOTIFICATIONS.reply_seconds,
    )
    try:
        if settings.EMAIL_USE_TLS:
            line.starttls(context=ssl.create_default_context())
        if settings.EMAIL_HOST_USER:
            line.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        line.ehlo_or_helo_if_needed()
    except BaseException:
        line.close()
        raise
    return line
