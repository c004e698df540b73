"""A way to the CA's addresses for tests: the product's own pages, asked without a network, and what goes wrong on it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.test import Client

from cms.outside import Unreached


class InnerWire:
    """Asks the product itself. `faults` maps a piece of an address to what comes instead: bytes, or None for nothing."""

    def __init__(self) -> None:
        """Everything is reached."""
        self.faults: dict[str, bytes | Callable[[bytes], bytes] | None] = {}
        self.asked: list[str] = []

    def get(self, address):
        """See `cms.outside.Wire`."""
        return self._said(address, lambda path: Client().get(path))

    def post(self, address, body, media_type):
        """See `cms.outside.Wire`."""
        return self._said(address, lambda path: Client().post(path, body, content_type=media_type))

    def _said(self, address, ask):
        self.asked.append(address)
        answer = ask(urlsplit(address).path)
        if answer.status_code != 200:
            raise Unreached(str(answer.status_code))
        for piece, instead in self.faults.items():
            if piece in address:
                if instead is None:
                    raise Unreached("nothing")
                return instead(answer.content) if callable(instead) else instead
        return answer.content
