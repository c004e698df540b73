"""The stand-in's HTTP server: the provider's addresses, and the page of its own that takes the camera's place."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

from smime.idp_stand_in import page, payloads
from smime.idp_stand_in.sessions import FAULTS, OUTCOMES, Account, Sessions, now

LARGEST_BODY = 64 * 1024
_BACK = {"APPROVED": "successUrl", "SUSPECTED": "successUrl", "DENIED": "errorUrl", "EXPIRED": "unverifiedUrl"}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Show the person's page, or hand out a photo."""
        target = urlsplit(self.path)
        if target.path == "/api/v2/redirect":
            self._redirect_page(target)
        elif target.path.startswith("/storage/"):
            self._photo(target)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "Not found.", "NOT_FOUND")

    def do_POST(self) -> None:
        """Answer a partner's call, or take the person's choice."""
        target = urlsplit(self.path)
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))
        if target.path == "/api/v2/redirect":
            self._choice(target, body)
        elif not self._is_partner():
            self._refuse(HTTPStatus.UNAUTHORIZED, "Invalid API key or secret.", "AUTHENTICATION_FAILED")
        else:
            self._called(target.path.rpartition("/")[2], body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: addresses here carry tokens."""

    def _called(self, verb: str, body: bytes) -> None:
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            self._refuse(HTTPStatus.BAD_REQUEST, "Malformed JSON.", "REQUEST_DATA_ERROR")
            return
        if self.server.sessions.is_slow:
            time.sleep(self.server.sessions.slow_seconds)
        if verb == "token":
            self._token(asked)
            return
        session = self.server.sessions.of(str(asked.get("scanRef")))
        if session is None:
            self._refuse(HTTPStatus.NOT_FOUND, "Identification not found.", "NOT_FOUND")
        elif verb == "status":
            self._answer(payloads.status_reply(session))
        elif verb == "data":
            self._answer(payloads.data_reply(session))
        elif verb == "files":
            self._answer(payloads.files_reply(session, self.server.sessions.picture_addresses(session)))
        elif verb == "delete":
            self._delete(session)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "Not found.", "NOT_FOUND")

    def _token(self, asked: dict[str, Any]) -> None:
        client = asked.get("clientId")
        if not isinstance(client, str) or not client.isascii() or not 0 < len(client) <= 100:
            self._refuse(HTTPStatus.BAD_REQUEST, "clientId is required.", "REQUEST_DATA_ERROR")
            return
        if not 60 <= int(asked.get("sessionLength") or 600) <= 3600:
            self._refuse(HTTPStatus.BAD_REQUEST, "sessionLength is out of range.", "REQUEST_DATA_ERROR")
            return
        session = self.server.sessions.open(asked)
        if session is None:
            self._refuse(HTTPStatus.CONFLICT, "Active session exists.", "ACTIVE_SESSION")
        else:
            self._answer(payloads.token_reply(session), HTTPStatus.CREATED)

    def _delete(self, session: payloads.Session) -> None:
        if self.server.sessions.delete(session):
            self._send(HTTPStatus.OK, b"", "application/json")
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "Token has not expired yet.", "PARTNER_ERROR")

    def _redirect_page(self, target: SplitResult) -> None:
        session = self.server.sessions.with_token(_one(target.query, "authToken"))
        if session is None or not session.is_alive(now()):
            self._send(HTTPStatus.GONE, page.over(), "text/html; charset=utf-8")
            return
        self.server.sessions.start(session)
        self._send(HTTPStatus.OK, page.choice(session), "text/html; charset=utf-8")

    def _choice(self, target: SplitResult, body: bytes) -> None:
        session = self.server.sessions.with_token(_one(target.query, "authToken"))
        chosen, fault = _one(body.decode(errors="replace"), "outcome"), _one(body.decode(errors="replace"), "fault")
        is_known = chosen in {*OUTCOMES, "EXPIRED"} and fault in FAULTS
        if session is None or not session.is_alive(now()) or not is_known:
            self._send(HTTPStatus.GONE, page.over(), "text/html; charset=utf-8")
            return
        if chosen == "EXPIRED":
            self.server.sessions.expire(session)
        else:
            self.server.sessions.finish(session, chosen, fault)
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", str(session.wish.get(_BACK[chosen]) or "/"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _photo(self, target: SplitResult) -> None:
        scan_ref, _, name = target.path.removeprefix("/storage/").partition("/")
        session, until = self.server.sessions.of(scan_ref), _one(target.query, "until")
        if session is None or name not in payloads.PICTURES or not until.isdigit() or now() > int(until):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        if not hmac.compare_digest(
            self.server.sessions.picture_key(session, name, int(until)), _one(target.query, "key")
        ):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
            return
        self._send(HTTPStatus.OK, page.picture(session, name), "image/jpeg")

    def _is_partner(self) -> bool:
        account = self.server.sessions.account
        expected = base64.b64encode(f"{account.key}:{account.secret}".encode()).decode()
        return hmac.compare_digest(f"Basic {expected}".encode(), self.headers.get("Authorization", "").encode())

    def _answer(self, body: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _refuse(self, status: HTTPStatus, message: str, identifier: str) -> None:
        self._answer(payloads.refusal(message, identifier), status)

    def _send(self, status: HTTPStatus, content: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """The stand-in in threads of this process; as a context it serves until the end of the block."""

    daemon_threads = True

    def __init__(self, account: Account, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind, on a port of the system's choice by default."""
        super().__init__((host, port), Handler)
        self.sessions = Sessions(account)
        self.sessions.origin = f"http://{host}:{self.server_port}"

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return self.sessions.origin

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving and sending."""
        self.sessions.stop()
        self.shutdown()
        self.server_close()


def _one(query: str, name: str) -> str:
    return next(iter(parse_qs(query).get(name, [""])))
