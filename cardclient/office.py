"""The enrollment API, call by call; each says whether it may be repeated (`wire.py`). Nothing in it knows a card."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import httpx

from cardclient import answers
from cardclient.contract import (
    SERIAL,
    Acceptance,
    Capabilities,
    Case,
    Challenge,
    Contacts,
    Diagnosis,
    PreparedForm,
    ScanAnswer,
    Slot,
    SupportReceipt,
    SupportRequest,
    Text,
)
from cardclient.errors import ClientError, StillPending
from cardclient.network import opening
from cardclient.network.credentials import Logins
from cardclient.ports import CardView
from cardclient.preferences import Preferences
from cardclient.secret import Secret
from cardclient.wire import Wire, accepted, decoded, pause_of

BASE = "/api/enrollment/v1"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_WAIT = 300.0  # seconds to wait for certificates before the holder is told to come back
BRIEF = httpx.Timeout(connect=0.9, read=1.0, write=0.5, pool=0.1)  # seconds; a report that does not arrive costs little
LONGEST_NOTE = 300  # characters the API takes with a cancellation
# Characters the API takes with a request for help (docs/openapi.json, SupportRequestIn and SupportCardIn).
LINE_LENGTHS = {"step": 64, "email": 254, "client": 40, "system": 80}
CARD_LENGTHS = {"family": 16, "reader": 120, "driver": 120}
LONGEST_MESSAGE, LONGEST_LOG = 2_000, 200_000
OLDER_CANCELLATION = {"reason": "data-incorrect", "confirm": True}


class InsecureAddress(ClientError):
    """The server's address is not https, and not this machine."""

    code = "address-insecure"


def require_address(address: str) -> SplitResult:
    """Take an office's address apart; raises InsecureAddress, or ClientError("usage") for what is no such address."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ClientError("usage") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ClientError("usage")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InsecureAddress
    return parts


class HttpOffice:
    """One conversation with the office; after `open_session` it holds the bearer token, in memory only."""

    def __init__(
        self,
        address: str,
        *,
        transport: httpx.BaseTransport | None = None,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare for a base address such as `https://ra.example.org`; `ca_file` replaces the system's trust store."""
        parts = require_address(address)
        self._host = parts.netloc.lower()
        self._wire = Wire(
            f"{parts.scheme}://{parts.netloc}{BASE}",
            transport or opening.transport(Preferences(), Logins(), ca_file=ca_file),
            sleep=sleep,
            clock=clock,
        )

    @property
    def host(self) -> str:
        """host[:port] as the user gave it; signed texts must name it."""
        return self._host

    def close(self) -> None:
        """Forget the token and close connections."""
        self._wire.close()

    def scan(self, card: CardView) -> ScanAnswer:
        """POST /scan: reads only, so it may be repeated."""
        body = {
            "card": {"serial": card.serial, "atr": card.atr.hex() if card.atr else None},
            "certificates": [_base64(each.der) for each in card.certificates[:8]],
        }
        return answers.read_scan(self._wire.json("POST", "/scan", body, repeatable=True))

    def challenge(self, card_serial: str, certificate: str) -> Challenge:
        """POST /challenges: every call makes a new one, so a lost answer is not asked for again."""
        body = {"card_serial": card_serial, "certificate": certificate}
        return answers.read_challenge(self._wire.json("POST", "/challenges", body))

    def open_session(self, challenge: str, signature: bytes) -> Case:
        """POST /sessions: a challenge is used once, so a lost answer means a new challenge."""
        body = {"challenge": challenge, "signature": _base64(signature)}
        fields = answers.Fields(self._wire.json("POST", "/sessions", body))
        self._wire.token = Secret(fields.text("token"))
        return answers.read_case(fields.raw("case"))

    def case(self) -> Case:
        """GET /case."""
        return self._case("GET", "/case")

    def diagnose(self, diagnosis: Diagnosis) -> Case:
        """POST /case/diagnosis; idempotent per case."""
        return self._case("POST", "/case/diagnosis", asdict(diagnosis))

    def put_contacts(self, contacts: Contacts) -> Case:
        """PUT /case/contacts."""
        return self._case("PUT", "/case/contacts", asdict(contacts))

    def confirm_contact(self, code: str) -> Case:
        """POST /case/contact-confirmation; a repeated wrong code might count twice, so it is not repeated."""
        return answers.read_case(self._wire.json("POST", "/case/contact-confirmation", {"code": code}))

    def texts(self) -> tuple[Text, ...]:
        """GET /case/texts."""
        return answers.read_texts(self._wire.json("GET", "/case/texts", repeatable=True))

    def accept(self, texts: Sequence[Acceptance]) -> Case:
        """PUT /case/acceptance, all texts at once."""
        return self._case("PUT", "/case/acceptance", {"texts": [asdict(each) for each in texts]})

    def prepare_form(self) -> PreparedForm:
        """POST /case/form; idempotent per case."""
        return answers.read_form(self._wire.json("POST", "/case/form", repeatable=True))

    def form_pdf(self) -> bytes:
        """GET /case/form.pdf."""
        answer = self._wire.send("GET", "/case/form.pdf", None, repeatable=True)
        if answer.headers.get("content-type", "").split(";")[0] != "application/pdf":
            raise answers.malformed()
        return answer.content

    def put_form_signature(self, signature: bytes) -> Case:
        """POST /case/form-signature; idempotent per case."""
        return self._case("POST", "/case/form-signature", {"signature": _base64(signature)})

    def put_requests(self, requests: Mapping[Slot, bytes], binding: bytes) -> Case:
        """PUT /case/requests, all slots at once; the same requests may come again."""
        listed = [{"type": slot, "csr": _base64(csr)} for slot, csr in requests.items()]
        return self._case("PUT", "/case/requests", {"requests": listed, "binding": _base64(binding)})

    def certificates(self) -> Mapping[Slot, tuple[bytes, ...]]:
        """GET /case/certificates, asking again at the office's pace; StillPending after five minutes."""
        waited = 0.0
        while True:
            answer = self._wire.send("GET", "/case/certificates", None, repeatable=True)
            if answer.status_code != httpx.codes.ACCEPTED:
                return answers.read_certificates(decoded(answer))
            pause = pause_of(answer, 2.0)
            waited += pause
            if waited > LONGEST_WAIT:
                raise StillPending
            self._wire.sleep(pause)

    def installation_challenge(self) -> Challenge:
        """POST /case/installation-challenge: every call makes a new one."""
        return answers.read_challenge(self._wire.json("POST", "/case/installation-challenge"))

    def prove_installation(self, challenge: str, proofs: Mapping[Slot, bytes]) -> Case:
        """POST /case/installation; a repeated proof of a finished case answers the case."""
        listed = [{"type": slot, "signature": _base64(value)} for slot, value in proofs.items()]
        return self._case("POST", "/case/installation", {"challenge": challenge, "proofs": listed})

    def report_failure(self, step: str, code: str, detail: str) -> str:
        """POST /case/failures; once and briefly: the holder waits for the page that tells him of the failure."""
        body = {"step": step, "code": code, "detail": detail[:500]}
        return answers.Fields(self._wire.json_once("POST", "/case/failures", body, BRIEF)).text("reference")

    @property
    def clock_difference(self) -> float | None:
        """See `Office.clock_difference`; the Date header has whole seconds (RFC 9110 §6.6.1)."""
        return self._wire.clock_difference

    def capabilities(self) -> Capabilities | None:
        """See `Office.capabilities`."""
        found = self._public("/capabilities")
        return None if found is None else answers.read_capabilities(found)

    def public_texts(self, flow: str) -> tuple[Text, ...]:
        """See `Office.public_texts`."""
        found = self._public(f"/texts?flow={quote(flow, safe='')}")
        return () if found is None else answers.read_texts(found)

    def cancel(self, reason: str, note: str) -> None:
        """See `Office.cancel`; a cancelled case stays cancelled however often it is asked."""
        body = {"reason": reason, "note": _line(note)[:LONGEST_NOTE], "confirm": True}
        answer = self._wire.answered("POST", "/case/cancellation", body, repeatable=True)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            # An older office knows neither this reason nor a note.
            answer = self._wire.answered("POST", "/case/cancellation", OLDER_CANCELLATION, repeatable=True)
        decoded(accepted(answer))

    def open_support_request(self, request: SupportRequest) -> SupportReceipt:
        """See `Office.open_support_request`."""
        return answers.read_receipt(self._wire.json("POST", "/support-requests", _bounded(request), repeatable=True))

    def _public(self, path: str) -> Any:
        """GET what an older office does not have; None for its 404."""
        answer = self._wire.answered("GET", path, None, repeatable=True)
        return None if answer.status_code == httpx.codes.NOT_FOUND else decoded(accepted(answer))

    def _case(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Case:
        return answers.read_case(self._wire.json(method, path, body, repeatable=True))


def _bounded(request: SupportRequest) -> dict[str, Any]:
    """Cut what a holder or driver wrote to what the API takes, of a log keep the end, leave out what is unknown."""
    card = {name: _line(value)[:length] for name, length in CARD_LENGTHS.items() if (value := request.card.get(name))}
    serial, message = request.card.get("serial") or "", request.message
    if known := serial_of(serial):
        card["serial"] = known
    elif serial:
        message = f"Carta: {_line(serial)[:64]}\n\n{message}"
    lines = {name: _line(getattr(request, name))[:length] for name, length in LINE_LENGTHS.items()}
    told = {name: value for name, value in lines.items() if value}
    log = request.log[-LONGEST_LOG:] if request.log else None
    fixed = {"request_id": request.request_id, "code": request.code, "language": request.language}
    return {**fixed, **told, "message": message[:LONGEST_MESSAGE], "card": card, "log": log}


def serial_of(told: str) -> str | None:
    """Return a card's serial as the API takes it; blanks and dots only group its digits. None for any other form."""
    serial = re.sub(r"[ .]", "", told)
    return serial if SERIAL.fullmatch(serial) else None


def _line(text: str) -> str:
    """One line of printable characters, which is all that the API takes in most places."""
    return "".join(each if each.isprintable() else " " for each in " ".join(text.split()))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
