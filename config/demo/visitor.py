"""Somebody with a browser, as far as the smoke test needs one: follows redirects, keeps cookies, fills in forms."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

TIMEOUT_SECONDS = 30
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    """Remembers the page that lies open: its address and its text, or the file that came in place of a page."""

    def __init__(self, address: str) -> None:
        """Open the first page."""
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.go_to(address)

    def go_to(self, address: str) -> None:
        """Open another page."""
        self._open(Request(address))  # noqa: S310 - our own server

    def submit(self, **fields: str) -> None:
        """Post the page's form to the page's own address; raises `ValueError` where there is no form of ours."""
        self.press(self.address, **fields)

    def press(self, address: str, **fields: str) -> None:
        """Post a form of the page that goes to another address than the page's own."""
        token = TOKEN.search(self.text)
        if token is None:
            raise ValueError(f"no form at {self.address}")
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        target = urljoin(self.address, address)
        self._open(Request(target, data=body, headers={"Referer": self.address}))  # noqa: S310 - our own server

    def first_value(self, name: str) -> str:
        """Return the first value that the page offers for a field; raises `ValueError` where it offers none."""
        offered = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        if offered is None:
            raise ValueError(f"no choice of {name} at {self.address}")
        return offered[1]

    def _open(self, request: Request) -> None:
        with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            self.address: str = answer.url
            self.content: bytes = answer.read()
            self.text: str = self.content.decode(errors="replace")
