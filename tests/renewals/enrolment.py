"""A holder at home, as the API sees one: each step a call, in order or out of it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from tests.renewals.world import TestCard, csr_of

BASE = "/api/enrollment/v1"


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode()


def sign(private: rsa.RSAPrivateKey, text: str | bytes) -> bytes:
    """PKCS #1 v1.5 with SHA-256, as a card signs."""
    data = text.encode() if isinstance(text, str) else text
    return private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def spki(private: rsa.RSAPrivateKey) -> bytes:
    """SubjectPublicKeyInfo (DER)."""
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Enrolment:
    """Drives the API with a card; `answer` is the last response, `case` the last case view."""

    def __init__(self, card: TestCard, client: Client | None = None) -> None:
        """No call yet."""
        self.card, self.client = card, client or Client()
        self.token, self.case = "", {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One HTTP call; remembers the case view of a good answer."""
        send = getattr(self.client, method)
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        extra = {"data": body, "content_type": "application/json"} if body is not None else {}
        self.answer = send(BASE + path, headers=headers, **extra)
        if self.answer.headers["Content-Type"].startswith("application/json"):
            json = self.answer.json()
            self.case = json.get("case", json if "next_step" in json else self.case)
        return self.answer

    @property
    def refusal(self) -> str | None:
        """Code of the last refusal, or None."""
        return self.answer.json()["code"] if self.answer.status_code >= 400 else None

    def scan(self) -> Any:
        """Scan without login."""
        certificates = [b64(der) for der in self.card.certificates.values()]
        return self.call(
            "post", "/scan", {"card": {"serial": self.card.serial, "atr": None}, "certificates": certificates}
        )

    def challenge(self) -> Any:
        """Ask for a login text."""
        slot = min(self.card.certificates)
        fingerprint = hashlib.sha256(self.card.certificates[slot]).hexdigest()
        return self.call("post", "/challenges", {"card_serial": self.card.serial, "certificate": fingerprint})

    def login(self) -> Any:
        """Challenge, signature, session."""
        if self.challenge().status_code != 201:
            return self.answer
        issued = self.answer.json()
        signature = sign(self.card.keys[min(self.card.keys)], issued["text"])
        self.call("post", "/sessions", {"challenge": issued["id"], "signature": b64(signature)})
        self.token = self.answer.json().get("token", "")
        return self.answer

    def diagnose(self, **found: Any) -> Any:
        """Report a fit card, unless told otherwise."""
        body = {
            "atr": None,
            "pin": "ok",
            "puk": "not-asked",
            "login_key_matches": True,
            "sign_key_matches": True,
            "certificates_readable": True,
            "can_generate": True,
            "driver": "test",
        }
        return self.call("post", "/case/diagnosis", body | found)

    def contacts(self, **changed: str) -> Any:
        """Send the contacts that the case shows, unless told otherwise."""
        holder = self.case["holder"]
        body = {"email": holder["email"], "mobile": holder["mobile"], "address": holder["address"]} | changed
        return self.call("put", "/case/contacts", body)

    def accept(self) -> Any:
        """Read and accept every text."""
        shown = self.call("get", "/case/texts").json()["texts"]
        accepted = [{name: text[name] for name in ("kind", "version", "sha256")} for text in shown]
        return self.call("put", "/case/acceptance", {"texts": accepted})

    def sign_form(self) -> Any:
        """Render, sign, send."""
        self.call("post", "/case/form")
        attributes = base64.b64decode(self.answer.json()["signed_attributes"])
        return self.call(
            "post", "/case/form-signature", {"signature": b64(sign(self.card.keys["signature"], attributes))}
        )

    def keys_text(self, keys: dict[str, rsa.RSAPrivateKey]) -> str:
        """The statement by which the old key vouches for the new ones."""
        lines = [
            "Sigillo enrollment keys v1",
            f"host: {self.case['host']}",
            f"nonce: {self.case['nonce']}",
            f"card: {self.card.serial}",
            f"case: {self.case['code']}",
            *[f"{slot}: {hashlib.sha256(spki(keys[slot])).hexdigest()}" for slot in sorted(keys)],
        ]
        return "".join(f"{line}\n" for line in lines)

    def request(self, keys: dict[str, rsa.RSAPrivateKey] | None = None, **overrides: Any) -> Any:
        """Send one CSR per slot with the old key's statement."""
        keys = keys or self.card.generate()
        statement = sign(self.card.keys[min(self.card.keys)], self.keys_text(keys))
        body = {
            "requests": [{"type": slot, "csr": b64(csr_of(private))} for slot, private in sorted(keys.items())],
            "binding": b64(statement),
        }
        return self.call("put", "/case/requests", body | overrides)

    def certificates(self) -> dict[str, bytes]:
        """Fetch what was issued."""
        rows = self.call("get", "/case/certificates").json()["certificates"]
        return {row["type"]: base64.b64decode(row["certificate"]) for row in rows}

    def install(self, keys: dict[str, rsa.RSAPrivateKey] | None = None) -> Any:
        """Prove each new key."""
        keys = keys or self.card.new_keys
        if self.call("post", "/case/installation-challenge").status_code != 201:
            return self.answer
        issued = self.answer.json()
        proofs = [{"type": slot, "signature": b64(sign(private, issued["text"]))} for slot, private in keys.items()]
        return self.call("post", "/case/installation", {"challenge": issued["id"], "proofs": proofs})

    def until(self, step: str) -> Enrolment:
        """Go on, step by step, until the server names this one (or the case is over)."""
        moves = {
            "diagnosis": self.diagnose,
            "contacts": self.contacts,
            "acceptance": self.accept,
            "form-signature": self.sign_form,
            "requests": self.request,
            "certificates": lambda: self.call("get", "/case"),
            "installation": self.install,
        }
        if not self.token:
            assert self.login().status_code == 201, self.answer.content
        while self.case["next_step"] not in {step, "done", "closed"}:
            before = self.case["next_step"]
            assert moves[before]().status_code == 200, self.answer.content
            assert self.case["next_step"] != before
        return self
