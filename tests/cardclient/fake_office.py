"""The enrollment API in memory, at HTTP level and with real crypto: what the client talks to in tests.

`weather` maps a path to a function that sees request and honest answer and may return another, or raise.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cardclient import certificates as facts
from cardclient.contract import Slot
from cardclient.errors import CardError
from tests.cardclient import fake_form
from tests.cardclient.fake_authority import NEW_END, FakeAuthority

BASE = "/api/enrollment/v1"
CODE = "R26-7KQ4M2"
TEXTS = {
    "contract": "Condizioni del servizio.",
    "clauses": "Clausole ai sensi degli artt. 1341 e 1342.",
    "privacy": "Informativa privacy.",
    "encryption-warning": "Se la carta è stata usata per cifrare, il rinnovo cancella la chiave di decifratura.",
}
STEPS = ["diagnosis", "contacts", "contact-confirmation", "acceptance", "form-signature", "requests", "installation"]
ENROLL_ONLY = {"contacts", "contact-confirmation", "form-signature"}

HOLDER = {
    "given_name": "MARIO",
    "surname": "ROSSI",
    "tax_code": "RSSMRA85T10A562S",
    "mobile": "+393331234567",
    "address": {"street": "Via Roma 1", "postcode": "56010", "town": "San Giuliano Terme", "province": "PI"},
}
CENTRE = {
    "name": "CDRL Prova",
    "email": "cdrl@example.org",
    "phone": "+39050000000",
    "purchase_url": "https://example.org",
}


class FakeOffice:
    def __init__(self, serial: str, old: dict[Slot, bytes], authority: FakeAuthority, *, now: datetime) -> None:
        self.serial, self.old, self.authority, self.now = serial, old, authority, now
        self.done: set[str] = set()
        self.flow, self.secrets, self.reinsert, self.key = "enroll", ["pin"], False, {"kind": "ec", "bits": 256}
        self.confirms, self.authorised, self.closed = False, True, False
        self.email = "mario.rossi@example.org"
        self.pending: dict | None = None
        self.codes_mailed, self.code_is_stale = 0, False
        self.challenges: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.nonce = "ab" * 32
        self.requested: dict[Slot, bytes] = {}
        self.certificates: dict[Slot, bytes] = {}
        self.failures: list[dict] = []
        self.hosts: set[str] = set()
        self.seen: list[tuple[str, str, bytes]] = []
        self.weather: dict[str, object] = {}
        self.pdf = fake_form.prepared_pdf()
        self.polls_before_issue = 0
        self.scan_answer: dict | None = None
        self.minimum, self.current, self.is_old, self.keeps = "0.0.1", "0.0.1", False, None
        self.cancelled: dict | None = None

    # HTTP

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(BASE)
        self.host = request.url.netloc.decode()
        self.hosts.add(self.host)
        self.seen.append((request.method, path, request.content))
        answer = self._answer(request, path)
        change = self.weather.get(path)
        return change(request, answer) if change else answer

    def _answer(self, request: httpx.Request, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        if path.startswith("/case"):
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return problem(401, "session-invalid", "restart")
        if self.is_old and (path in {"/capabilities", "/texts"} or body.get("reason") == "holder-data-wrong"):
            return problem(422, "input-invalid", "none") if body else httpx.Response(404, text="<h1>Not Found</h1>")
        name = f"{request.method.lower()}_{path.strip('/').replace('/', '_').replace('-', '_').replace('.', '_')}"
        try:
            return getattr(self, name)(body)
        except Refused as refusal:
            return problem(refusal.status, refusal.code, refusal.action, refusal.message)

    # Before login

    def get_capabilities(self, _body):
        client = {"minimum": self.minimum, "current": self.current, "download": "https://ra.example.org/scarica/"}
        body = {"now": self.now.isoformat(), "client": client, "hosts": ["ra.example.org"], "support": True}
        return httpx.Response(200, json=body)

    def get_texts(self, _body):
        return self.get_case_texts(_body)

    def post_support_requests(self, body):
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", body.get("step", "-")):
            return problem(422, "input-invalid", "correct-data")
        self.asked_for_help = body
        return httpx.Response(201, json={"number": "RS-0001", "answer_to": "m***@example.org"})

    def post_scan(self, body):
        if self.scan_answer:
            return httpx.Response(200, json=self.scan_answer)
        ders = [base64.b64decode(each) for each in body["certificates"]]
        verdicts = [self._verdict(der) for der in ders]
        found = {each["verdict"] for each in verdicts}
        order = ["renewable", "already-renewed", "expired", "not-renewable"]
        verdict = next((each for each in order if each in found), "not-renewable")
        offers = [self._offer()] if verdict == "renewable" else []
        messages = {"already-renewed": "Certificato già rinnovato per la carta"}
        return httpx.Response(
            200,
            json={
                "verdict": verdict,
                "code": "certificate-renewed" if verdict == "already-renewed" else None,
                "message": messages.get(verdict),
                "advice": None,
                "family": {"code": "ACe 2021", "name": "ACe 2021", "reinsert_after": self.reinsert},
                "secrets": self.secrets,
                "certificates": verdicts,
                "offers": offers,
                "purchase_url": None,
            },
        )

    def _verdict(self, der):
        slot = next((slot for slot, old in self.old.items() if old == der), None)
        verdict = "not-renewable" if slot is None else "already-renewed" if self.is_complete else "renewable"
        own = facts.slot_of(facts.load(der))
        issued = der in self.certificates.values() and self.is_complete
        return {
            "fingerprint": hashlib.sha256(der).hexdigest(),
            "type": own,
            "verdict": verdict,
            "code": "window-not-open" if issued else None,
            "message": None,
            "not_after": None,
        }

    def _offer(self):
        return {
            "login_with": fingerprint(self.old[Slot.AUTHENTICATION]),
            "sign_with": fingerprint(self.old[Slot.SIGNATURE]) if Slot.SIGNATURE in self.old else None,
            "flow": self.flow,
            "service": "CNS - Firma 3 anni",
            "old_not_after": "2026-03-01T10:00:00Z",
            "steps": self._steps(),
        } | ({} if self.keeps is None else {"replaces": not self.keeps})

    def _steps(self):
        return [each for each in STEPS if self.flow == "enroll" or each not in ENROLL_ONLY]

    def post_challenges(self, body):
        if body["card_serial"] != self.serial:
            raise Refused("card-mismatch", "change-card")
        expires = self.now.replace(microsecond=0) + timedelta(minutes=5)
        text = (
            f"Sigillo enrollment login v1\nhost: {self.host}\nnonce: {uuid.uuid4().hex * 2}\ncard: {self.serial}\n"
            f"case: -\nexpires: {expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        )
        return self._challenge(text, expires)

    def _challenge(self, text, expires):
        identifier = str(uuid.uuid4())
        self.challenges[identifier] = text
        return httpx.Response(201, json={"id": identifier, "text": text, "expires_at": expires.isoformat()})

    def post_sessions(self, body):
        text = self.challenges.pop(body["challenge"], None)
        if text is None:
            raise Refused("challenge-invalid", "restart")
        self._require(self.old[Slot.AUTHENTICATION], text.encode(), body["signature"], "signature-invalid")
        token = uuid.uuid4().hex
        self.tokens.add(token)
        expires = (self.now + timedelta(minutes=30)).isoformat()
        return httpx.Response(201, json={"token": token, "expires_at": expires, "case": self.view()})

    # The case

    def get_case(self, _body):
        return self._case()

    def post_case_diagnosis(self, body):
        if not body["can_generate"] or not body["login_key_matches"]:
            raise Refused("card-unfit", "new-purchase")
        self.diagnosis = body
        return self._finish("diagnosis")

    def put_case_contacts(self, body):
        if body["mobile"] == "+393330000000":
            raise Refused("contact-taken", "correct-data")
        if body["email"] == self.email:
            self.pending = None
            self.done.add("contact-confirmation")
            return self._finish("contacts")
        self.pending, self.code_is_stale = body, False
        self.codes_mailed += 1
        self.done.discard("contact-confirmation")
        return self._finish("contacts")

    def post_case_contact_confirmation(self, body):
        if self.code_is_stale:
            raise Refused("confirmation-expired", "correct-data")
        if body["code"] != "123456":
            raise Refused("confirmation-invalid", "correct-data", status=422)
        self.email, self.pending = self.pending["email"], None
        return self._finish("contact-confirmation")

    def _texts(self):
        return TEXTS if self.flow == "enroll" else {kind: TEXTS[kind] for kind in ("contract", "privacy")}

    def get_case_texts(self, _body):
        return httpx.Response(
            200,
            json={
                "texts": [
                    {
                        "kind": kind,
                        "version": "2025-1",
                        "sha256": hashlib.sha256(text.encode()).hexdigest(),
                        "title": kind,
                        "text": text,
                    }
                    for kind, text in self._texts().items()
                ]
            },
        )

    def put_case_acceptance(self, body):
        if {each["kind"] for each in body["texts"]} != set(self._texts()):
            raise Refused("texts-outdated", "restart")
        return self._finish("acceptance")

    def post_case_form(self, _body):
        self.attributes = fake_form.signed_attributes(self.pdf, self.old[Slot.SIGNATURE])
        return httpx.Response(
            200,
            json={
                "document_sha256": hashlib.sha256(self.pdf).hexdigest(),
                "signed_attributes": encoded(self.attributes),
                "certificate": fingerprint(self.old[Slot.SIGNATURE]),
            },
        )

    def get_case_form_pdf(self, _body):
        return httpx.Response(200, content=self.pdf, headers={"content-type": "application/pdf"})

    def post_case_form_signature(self, body):
        self._require(self.old[Slot.SIGNATURE], self.attributes, body["signature"], "form-signature-invalid")
        return self._finish("form-signature")

    def put_case_requests(self, body):
        public = {}
        for each in body["requests"]:
            csr = x509.load_der_x509_csr(base64.b64decode(each["csr"]))
            assert csr.is_signature_valid
            public[Slot(each["type"])] = csr.public_key()
        lines = [f"{slot}: {hashlib.sha256(spki(public[slot])).hexdigest()}\n" for slot in Slot if slot in public]
        text = (
            f"Sigillo enrollment keys v1\nhost: {self.host}\nnonce: {self.nonce}\ncard: {self.serial}\ncase: {CODE}\n"
        )
        self._require(
            self.old[Slot.AUTHENTICATION], (text + "".join(lines)).encode(), body["binding"], "binding-invalid"
        )
        for slot, key in public.items():
            if self.requested.setdefault(slot, spki(key)) != spki(key):
                raise Refused("key-conflict", "contact-centre")
            if slot not in self.certificates:
                self.certificates[slot] = self.authority.issue(slot, key)
        return self._finish("requests", 202 if self.polls_before_issue else 200)

    def get_case_certificates(self, _body):
        if self.polls_before_issue > 0:
            self.polls_before_issue -= 1
            return httpx.Response(202, json={"certificates": []}, headers={"Retry-After": "1"})
        return httpx.Response(
            200,
            json={
                "certificates": [
                    {"type": slot, "certificate": encoded(der), "chain": [encoded(self.authority.der)]}
                    for slot, der in self.certificates.items()
                ]
            },
        )

    def post_case_installation_challenge(self, _body):
        lines = [f"{slot}: {fingerprint(self.certificates[slot])}\n" for slot in Slot if slot in self.certificates]
        text = (
            f"Sigillo enrollment installation v1\nhost: {self.host}\nnonce: {uuid.uuid4().hex * 2}\n"
            f"card: {self.serial}\ncase: {CODE}\n" + "".join(lines)
        )
        return self._challenge(text, self.now + timedelta(minutes=5))

    def post_case_installation(self, body):
        if self.is_complete:
            return self._case()
        text = self.challenges.pop(body["challenge"])
        for each in body["proofs"]:
            self._require(self.certificates[Slot(each["type"])], text.encode(), each["signature"], "proof-invalid")
        return self._finish("installation")

    def post_case_cancellation(self, body):
        self.cancelled, self.closed = body, True
        return self._case()

    def post_case_failures(self, body):
        self.failures.append(body)
        return httpx.Response(201, json={"reference": "SUP-0001"})

    # What the office thinks

    @property
    def is_complete(self) -> bool:
        return "installation" in self.done

    def _finish(self, step, status=200):
        self.done.add(step)
        headers = {"Retry-After": "1"} if status == 202 else {}
        return httpx.Response(status, json=self.view(), headers=headers)

    def _case(self):
        return httpx.Response(200, json=self.view())

    def view(self) -> dict:
        step = "closed" if self.closed else next((each for each in self._steps() if each not in self.done), "done")
        if step == "installation" and self.polls_before_issue:
            step = "certificates"
        done = step == "done"
        return {
            "code": CODE,
            "state": "completed" if done else "notified",
            "state_label": "Completato" if done else "Comunicato",
            "authorisation": "not-required",
            "flow": self.flow,
            "next_step": step,
            "steps": self._steps(),
            "old_not_after": "2026-03-01T10:00:00Z",
            "nonce": self.nonce,
            "host": self.host,
            "card_serial": self.serial,
            "holder": {**HOLDER, "email": self.email},
            "pending_contacts": self.pending,
            "centre": CENTRE,
            "slots": [
                {
                    "type": slot,
                    "old_certificate": fingerprint(self.old[slot]),
                    "key": self.key,
                    "requested": slot in self.requested,
                    "issued": slot in self.certificates,
                    "installed": done,
                }
                for slot in Slot
                if slot in self.old
            ],
            "approval": {"mode": "automatic", "authorise_by": None},
            "result": {
                "concluded": True,
                "message": "Il rinnovo è concluso.",
                "authorise_by": None,
                "new_not_after": NEW_END.isoformat(),
            }
            if done
            else None,
        }

    def _require(self, certificate, data, signature, code):
        try:
            facts.require_signature(facts.spki(facts.load(certificate)), data, base64.b64decode(signature))
        except CardError:
            raise Refused(code, "restart") from None


class Refused(Exception):
    def __init__(self, code, action, *, status=409, message=None) -> None:
        super().__init__(code)
        self.code, self.action, self.status, self.message = code, action, status, message


def problem(status, code, action, message=None) -> httpx.Response:
    body = {
        "type": "about:blank",
        "title": code,
        "status": status,
        "code": code,
        "detail": f"Dettaglio {code}.",
        "action": action,
        "message": message,
    }
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def fingerprint(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
