"""A holder at home, reduced to what the network sees: each call as the card client makes it, on one connection."""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import json
from typing import Any

from benchmarks.purse import SLOTS, Card, sign, spki

BASE = "/api/enrollment/v1"
DIAGNOSIS = {
    "atr": None,
    "pin": "ok",
    "puk": "not-asked",
    "login_key_matches": True,
    "sign_key_matches": True,
    "certificates_readable": True,
    "can_generate": True,
    "driver": "benchmark",
}
_turns = itertools.count(1)


class Refused(Exception):
    """The server answered with an error."""


class HolderClient:
    """One holder. Each comes from a loopback address of his own, so that rate limits see many people, not one."""

    def __init__(self, port: int, card: Card) -> None:
        """Connect at the first call."""
        turn = next(_turns)
        source = f"127.{1 + turn // 62500}.{turn // 250 % 250}.{1 + turn % 250}"
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
        self._card, self._token, self._case = card, "", {}

    def renew(self) -> None:
        """From the challenge to *Completato*, for a card whose form is signed: the timed part of W1."""
        self._log_in()
        self._request_certificates()
        self._prove_installation()

    def renew_from_the_start(self) -> None:
        """The same with everything before: diagnosis, contacts, texts, form."""
        self._log_in()
        self._case = self._call("POST", "/case/diagnosis", DIAGNOSIS)
        holder = self._case["holder"]
        self._call("PUT", "/case/contacts", {name: holder[name] for name in ("email", "mobile", "address")})
        shown = self._call("GET", "/case/texts")["texts"]
        accepted = [{name: text[name] for name in ("kind", "version", "sha256")} for text in shown]
        self._call("PUT", "/case/acceptance", {"texts": accepted})
        attributes = base64.b64decode(self._call("POST", "/case/form")["signed_attributes"])
        self._call("GET", "/case/form.pdf")
        self._call("POST", "/case/form-signature", {"signature": _signed(self._card, "signature", attributes)})
        self._request_certificates()
        self._prove_installation()

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _log_in(self) -> None:
        card = self._card
        asked = self._call("POST", "/challenges", {"card_serial": card.serial, "certificate": card.fingerprint})
        signature = _signed(card, "authentication", asked["text"].encode())
        session = self._call("POST", "/sessions", {"challenge": asked["id"], "signature": signature})
        self._token, self._case = session["token"], session["case"]

    def _request_certificates(self) -> None:
        requests = [{"type": slot, "csr": _text(self._card.requests[slot])} for slot in SLOTS]
        binding = _signed(self._card, "authentication", self._keys_text())
        self._call("PUT", "/case/requests", {"requests": requests, "binding": binding})
        issued = self._call("GET", "/case/certificates")["certificates"]
        if len(issued) != len(SLOTS):
            raise Refused(f"{len(issued)} certificates instead of {len(SLOTS)}")

    def _prove_installation(self) -> None:
        asked = self._call("POST", "/case/installation-challenge")
        proofs = [
            {"type": slot, "signature": _text(sign(self._card.new_keys[slot], asked["text"].encode()))}
            for slot in SLOTS
        ]
        case = self._call("POST", "/case/installation", {"challenge": asked["id"], "proofs": proofs})
        if case["state"] != "completed":
            raise Refused(f"the case ended as {case['state']}")

    def _keys_text(self) -> bytes:
        lines = [
            "Sigillo enrollment keys v1",
            f"host: {self._case['host']}",
            f"nonce: {self._case['nonce']}",
            f"card: {self._card.serial}",
            f"case: {self._case['code']}",
            *[f"{slot}: {hashlib.sha256(spki(self._card.new_keys[slot])).hexdigest()}" for slot in SLOTS],
        ]
        return "".join(f"{line}\n" for line in lines).encode()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._line.request(method, BASE + path, None if body is None else json.dumps(body), headers)
        answer = self._line.getresponse()
        content = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST or answer.status == http.HTTPStatus.ACCEPTED:
            raise Refused(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content if path.endswith(".pdf") else json.loads(content)


def _signed(card: Card, slot: str, text: bytes) -> str:
    return _text(sign(card.old_keys[slot], text))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
