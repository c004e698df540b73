"""Public documents (trusted lists, revocation lists) over HTTP: from jobs, never from a web request."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
)

TIMEOUT_SECONDS = 30
Fetch = Callable[[str, int], bytes]
"""Takes an address and the most bytes; returns the document or raises `DocumentAway`."""


class DocumentAway(Exception):
    """Nobody answered, the answer was an error or too large. The text is a short code, never what was answered."""


def download(address: str, most: int) -> bytes:
    """Get a document over http or https; other schemes, and redirects to them, have no handler here."""
    opener = OpenerDirector()
    for handler in (HTTPHandler, HTTPSHandler, HTTPRedirectHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor):
        opener.add_handler(handler())
    try:
        answer = opener.open(address, timeout=TIMEOUT_SECONDS)
        if answer is None:
            raise DocumentAway("scheme-unknown")
        with answer:
            content: bytes = answer.read(most + 1)
    except (OSError, HTTPException, URLError, ValueError) as error:
        raise DocumentAway(type(error).__name__[:40]) from error
    if len(content) > most:
        raise DocumentAway("document-too-large")
    return content
