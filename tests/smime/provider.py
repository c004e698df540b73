"""A provider in memory with switchable weather, behind the port: what a person did there is set by hand."""

from __future__ import annotations

import hashlib
import hmac
import io
import itertools
import json
from dataclasses import dataclass, field
from functools import cache

from PIL import Image

from smime.services import deliveries
from smime.services.idp import Message, NotErasable, Outcome, Overall, Picture, ProviderUnavailable, Session

KEY = b"chiave-di-prova"
ADDRESS = "https://idp.example.org/redirect?authToken=segreto-"


@dataclass
class FakeProvider:
    """`is_away` refuses all calls; `alive` names sessions whose data cannot be erased yet."""

    is_away: bool = False
    wishes: list = field(default_factory=list)
    outcomes: dict = field(default_factory=dict)
    erased: list = field(default_factory=list)
    alive: set = field(default_factory=set)
    read: dict = field(default_factory=lambda: {"docFirstName": "ANNA", "docLastName": "PROVA", "docNumber": "CA1"})
    looks: int = 0
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def open_session(self, wish):
        self._weather()
        self.wishes.append(wish)
        scan_ref = f"scan-{next(self._numbers)}"
        self.outcomes[scan_ref] = Outcome(Overall.ACTIVE)
        return Session(scan_ref, f"{ADDRESS}{scan_ref}")

    def outcome(self, scan_ref):
        self._weather()
        self.looks += 1
        return self.outcomes[scan_ref]

    def document(self, scan_ref):
        self._weather()
        return self.read

    def pictures(self, scan_ref):
        self._weather()
        return {picture: jpeg() for picture in Picture}

    def erase(self, scan_ref):
        self._weather()
        if scan_ref in self.alive:
            raise NotErasable
        self.erased.append(scan_ref)

    def is_signed(self, body, signature):
        return hmac.compare_digest(signed(body).encode(), signature.encode())

    def message(self, body, *, at):
        said = json.loads(body)
        return Message(said["scanRef"], is_final=said["final"]) if "scanRef" in said else None

    def becomes(self, scan_ref: str, overall: str, *tags: str) -> None:
        """What the person did there."""
        self.outcomes[scan_ref] = Outcome(Overall(overall), tags, {"autoFace": "FACE_MATCH"})

    def _weather(self):
        if self.is_away:
            raise ProviderUnavailable


@cache
def jpeg() -> bytes:
    """A photo of nothing."""
    content = io.BytesIO()
    Image.new("RGB", (16, 16), "grey").save(content, "JPEG")
    return content.getvalue()


def signed(body: bytes) -> str:
    return hmac.new(KEY, body, hashlib.sha256).hexdigest()


def told(scan_ref: str, at, *, final: bool = True, says: str = "APPROVED", **more) -> None:
    """The provider's message arrives at the door."""
    body = json.dumps({"final": final, "scanRef": scan_ref, "status": {"overall": says}, **more}).encode()
    deliveries.receive(body, signed(body), at=at)
