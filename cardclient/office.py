"""The enrollment API over HTTP. Nothing in it knows a card; it retries only what can be repeated without effect.

A request that certainly was not carried out (no connection, 429, 503) is repeated whatever its kind; one whose answer
was lost is repeated only where the API is idempotent. `Retry-After` is honoured up to a bound.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import httpx

from cardclient import __version__, answers, network
from cardclient.contract import (
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
from cardclient.errors import ClientError, ClientOutdated, Distrusted, OfficeRefusal, OfficeUnreachable, StillPending
from cardclient.network.credentials import Logins
from cardclient.network.failures import failure_of
from cardclient.ports import CardView
from cardclient.preferences import Preferences
from cardclient.secret import Secret

BASE = "/api/enrollment/v1"
LOG = logging.getLogger("cardclient.office")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ATTEMPTS = 4
LONGEST_PAUSE = 30.0  # seconds; a server that asks for more is given up until the next run
LONGEST_WAIT = 300.0  # seconds to wait for certificates before the holder is told to come back
LONGEST_NOTE = 300  # characters the API takes with a cancellation
# Characters the API takes with a request for help (docs/openapi.json, SupportRequestIn and SupportCardIn).
TEXT_LENGTHS = {"step": 64, "message": 2_000, "email": 254, "client": 40, "system": 80}
CARD_LENGTHS = {"serial": 64, "family": 16, "reader": 120, "driver": 120}
LONGEST_LOG = 200_000
OLDER_CANCELLATION = {"reason": "data-incorrect", "confirm": True}
LARGEST_ANSWER = 8 * 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
PAGES = frozenset({"text/html", "application/xhtml+xml"})
NOT_CARRIED_OUT = frozenset({429, 503})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


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
        self._sleep = sleep
        self._clock = clock
        self._token: Secret | None = None
        self._clock_difference: float | None = None
        self._http = httpx.Client(
            base_url=f"{parts.scheme}://{parts.netloc}{BASE}",
            transport=transport or network.transport(Preferences(), Logins(), ca_file=ca_file),
            timeout=TIMEOUT,
            headers={
                "User-Agent": f"sigillo-card/{__version__}",
                "Sigillo-Client": __version__,
                "Accept": "application/json",
            },
        )

    @property
    def host(self) -> str:
        """host[:port] as the user gave it; signed texts must name it."""
        return self._host

    def close(self) -> None:
        """Forget the token and close connections."""
        self._token = None
        self._http.close()

    def scan(self, card: CardView) -> ScanAnswer:
        """POST /scan: reads only, so it may be repeated."""
        body = {
            "card": {"serial": card.serial, "atr": card.atr.hex() if card.atr else None},
            "certificates": [_base64(each.der) for each in card.certificates[:8]],
        }
        return answers.read_scan(self._json("POST", "/scan", body, repeatable=True))

    def challenge(self, card_serial: str, certificate: str) -> Challenge:
        """POST /challenges: every call makes a new one, so a lost answer is not asked for again."""
        body = {"card_serial": card_serial, "certificate": certificate}
        return answers.read_challenge(self._json("POST", "/challenges", body))

    def open_session(self, challenge: str, signature: bytes) -> Case:
        """POST /sessions: a challenge is used once, so a lost answer means a new challenge."""
        body = {"challenge": challenge, "signature": _base64(signature)}
        fields = answers.Fields(self._json("POST", "/sessions", body))
        self._token = Secret(fields.text("token"))
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
        return answers.read_case(self._json("POST", "/case/contact-confirmation", {"code": code}))

    def texts(self) -> tuple[Text, ...]:
        """GET /case/texts."""
        return answers.read_texts(self._json("GET", "/case/texts", repeatable=True))

    def accept(self, texts: Sequence[Acceptance]) -> Case:
        """PUT /case/acceptance, all texts at once."""
        return self._case("PUT", "/case/acceptance", {"texts": [asdict(each) for each in texts]})

    def prepare_form(self) -> PreparedForm:
        """POST /case/form; idempotent per case."""
        return answers.read_form(self._json("POST", "/case/form", repeatable=True))

    def form_pdf(self) -> bytes:
        """GET /case/form.pdf."""
        answer = self._send("GET", "/case/form.pdf", None, repeatable=True)
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
            answer = self._send("GET", "/case/certificates", None, repeatable=True)
            if answer.status_code != httpx.codes.ACCEPTED:
                return answers.read_certificates(_decoded(answer))
            pause = _pause(answer, 2.0)
            waited += pause
            if waited > LONGEST_WAIT:
                raise StillPending
            self._sleep(pause)

    def installation_challenge(self) -> Challenge:
        """POST /case/installation-challenge: every call makes a new one."""
        return answers.read_challenge(self._json("POST", "/case/installation-challenge"))

    def prove_installation(self, challenge: str, proofs: Mapping[Slot, bytes]) -> Case:
        """POST /case/installation; a repeated proof of a finished case answers the case."""
        listed = [{"type": slot, "signature": _base64(value)} for slot, value in proofs.items()]
        return self._case("POST", "/case/installation", {"challenge": challenge, "proofs": listed})

    def report_failure(self, step: str, code: str, detail: str) -> str:
        """POST /case/failures; not repeated, a second report would be a second entry."""
        body = {"step": step, "code": code, "detail": detail[:500]}
        return answers.Fields(self._json("POST", "/case/failures", body)).text("reference")

    @property
    def clock_difference(self) -> float | None:
        """See `Office.clock_difference`; the Date header has whole seconds (RFC 9110 §6.6.1)."""
        return self._clock_difference

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
        body = {"reason": reason, "note": note[:LONGEST_NOTE], "confirm": True}
        answer = self._answered("POST", "/case/cancellation", body, repeatable=True)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            # An older office knows neither this reason nor a note.
            answer = self._answered("POST", "/case/cancellation", OLDER_CANCELLATION, repeatable=True)
        _decoded(_accepted(answer))

    def open_support_request(self, request: SupportRequest) -> SupportReceipt:
        """See `Office.open_support_request`."""
        return answers.read_receipt(self._json("POST", "/support-requests", _bounded(request), repeatable=True))

    def _public(self, path: str) -> Any:
        """GET what an older office does not have; None for its 404."""
        answer = self._answered("GET", path, None, repeatable=True)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _decoded(_accepted(answer))

    def _case(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Case:
        return answers.read_case(self._json(method, path, body, repeatable=True))

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Any:
        return _decoded(self._send(method, path, body, repeatable=repeatable))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, *, repeatable: bool) -> httpx.Response:
        """Return a 2xx answer or raise."""
        return _accepted(self._answered(method, path, body, repeatable=repeatable))

    def _answered(self, method: str, path: str, body: Mapping[str, Any] | None, *, repeatable: bool) -> httpx.Response:
        """Send until answered, at most ATTEMPTS times; returns whatever answer came or raises OfficeUnreachable."""
        for attempt in range(ATTEMPTS):
            pause = 0.5 * 2**attempt
            try:
                answer = self._once(method, path, body)
            except httpx.HTTPError as problem:
                failure = failure_of(problem)
                LOG.warning("%s %s failed: %s", method, path, failure.code)
                if failure.lasting or attempt == ATTEMPTS - 1 or not (repeatable or isinstance(problem, NEVER_SENT)):
                    raise failure from None
            else:
                LOG.info("%s %s: %d", method, path, answer.status_code)
                if answer.status_code not in NOT_CARRIED_OUT and not (repeatable and answer.is_server_error):
                    return answer
                pause = _pause(answer, pause)
                if attempt == ATTEMPTS - 1 or pause > LONGEST_PAUSE:
                    return answer
            self._sleep(pause)
        raise OfficeUnreachable

    def _compare_clocks(self, date: str) -> None:
        """Keep how far this clock is from the office's; a date that is none changes nothing."""
        with contextlib.suppress(ValueError, TypeError):
            self._clock_difference = (self._clock() - parsedate_to_datetime(date)).total_seconds()

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """Send once and read at most LARGEST_ANSWER bytes."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}"} if self._token else {}
        with self._http.stream(method, path, json=body, headers=headers) as answer:
            self._compare_clocks(answer.headers.get("date", ""))
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise answers.malformed()
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(content))


def _bounded(request: SupportRequest) -> dict[str, Any]:
    """Cut what a holder or driver wrote to what the API takes, of a log keep the end, leave out what is unknown."""
    card = {name: value[:length] for name, length in CARD_LENGTHS.items() if (value := request.card.get(name))}
    texts = {name: getattr(request, name)[:length] for name, length in TEXT_LENGTHS.items() if getattr(request, name)}
    log = request.log[-LONGEST_LOG:] if request.log else None
    return (
        {"request_id": request.request_id, "code": request.code, "language": request.language}
        | texts
        | {
            "card": card,
            "log": log,
        }
    )


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Keep the two headers that mean something to us; the body is already decoded."""
    return {name: headers[name] for name in ("content-type", "retry-after") if name in headers}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(answer: httpx.Response) -> Any:
    _require_no_page(answer)
    try:
        return answer.json()
    except ValueError:
        raise answers.malformed() from None


def _pause(answer: httpx.Response, otherwise: float) -> float:
    """Read Retry-After in seconds (RFC 9110 §10.2.3); a date or nonsense counts as absent."""
    value = answer.headers.get("retry-after", "")
    return max(float(value), 0.1) if value.isdecimal() and len(value) < 6 else otherwise


def _require_no_page(answer: httpx.Response) -> None:
    """Name what hotels and offices put in a server's place: a page to log in on, as an answer or behind a redirect."""
    is_page = answer.headers.get("content-type", "").split(";")[0].strip().lower() in PAGES
    if answer.is_redirect or (answer.is_success and is_page):
        raise OfficeUnreachable("portal-answered")


def _accepted(answer: httpx.Response) -> httpx.Response:
    """Return a success; turn problem+json into OfficeRefusal and anything else into OfficeUnreachable or Distrusted."""
    _require_no_page(answer)
    if answer.is_success:
        return answer
    try:
        fields = answers.Fields(answer.json())
        code, detail, action = fields.text("code"), fields.text_or_none("detail"), fields.text_or_none("action")
        message = fields.text_or_none("message")
        download = fields.text_or_none("download")
    except (ValueError, Distrusted):
        raise OfficeUnreachable from None
    if code == ClientOutdated.code:
        raise ClientOutdated(download=download)
    raise OfficeRefusal(code, status=answer.status_code, detail=detail or "", action=action or "none", message=message)
