"""The sessions of the stand-in, how they end, and the messages that it sends about them."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from smime.idp_stand_in import payloads
from smime.idp_stand_in.payloads import DOCUMENT_NUMBER, PICTURES, Session

ANSWER_SECONDS = 10.0
PICTURE_SECONDS = 3600
OUTCOMES = ("APPROVED", "SUSPECTED", "DENIED")
FAULTS = ("", "replay", "out-of-order", "lie", "review", "silent", "slow")
"""How a session may end badly: the message comes often, last first, says the contrary, comes twice because people look
again, does not come, or every later answer takes longer than ten seconds."""
REPLAYS = 100


@dataclass
class Account:
    """Who may call, and where messages go. `retry_seconds`: pauses before a message is sent again.

    `document_number` stands on the document of everybody who comes.
    """

    key: str
    secret: str
    webhook_url: str
    webhook_secret: str
    retry_seconds: Sequence[float] = (1, 5, 15, 60, 300)
    document_number: str = DOCUMENT_NUMBER


@dataclass
class Sessions:
    """All sessions, in memory: whoever stops the program has forgotten everybody."""

    account: Account
    origin: str = ""
    slow_seconds: float = 10.5
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    _by_ref: dict[str, Session] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False

    def open(self, wish: Mapping[str, Any]) -> Session | None:
        """Open a session; None while another of the same client is alive (HTTP 409)."""
        with self._lock:
            others = [each for each in self._by_ref.values() if each.wish["clientId"] == wish["clientId"]]
            if any(each.is_alive(now()) for each in others):
                return None
            token = secrets.token_urlsafe(30)
            address = f"{self.origin}/api/v2/redirect?authToken={token}"
            session = Session(str(uuid.uuid4()), token, wish, now(), address, self.account.document_number)
            self._by_ref[session.scan_ref] = session
            return session

    def of(self, scan_ref: str) -> Session | None:
        """Find a session that was not deleted."""
        with self._lock:
            self._let_expire()
            session = self._by_ref.get(scan_ref)
            return None if session is None or session.is_deleted else session

    def with_token(self, token: str) -> Session | None:
        """Find the session that a person's address leads to."""
        with self._lock:
            return next(
                (each for each in self._by_ref.values() if secrets.compare_digest(each.auth_token, token)), None
            )

    def all(self) -> list[Session]:
        """List the sessions, the newest last."""
        with self._lock:
            return list(self._by_ref.values())

    def start(self, session: Session) -> None:
        """The person has arrived; the session's minutes run."""
        with self._lock:
            session.started = session.started or now()

    def finish(self, session: Session, overall: str, fault: str = "") -> None:
        """End a session as the person (or a test) wishes, and tell of it as the fault wants."""
        with self._lock:
            session.started = session.started or now()
            session.finished, session.status = now(), overall
            session.mismatch_tags = ["NAME"] if overall == "SUSPECTED" else []
            self.is_slow = fault == "slow"
            if fault == "review":
                session.status = "REVIEWING"
            messages = list(self._told(session, overall, fault))
        threading.Thread(target=self._send_all, args=(messages,), daemon=True).start()

    def review(self, session: Session, overall: str) -> None:
        """Let the provider's people decide about a session that they look at."""
        with self._lock:
            session.status, session.is_reviewed = overall, True
            body = self._message(session, overall, is_final=True)
        threading.Thread(target=self._send_all, args=([body],), daemon=True).start()

    def expire(self, session: Session) -> None:
        """Let a session end that nobody has finished."""
        with self._lock:
            session.status = "EXPIRED"
            body = self._message(session, "EXPIRED", is_final=True)
        threading.Thread(target=self._send_all, args=([body],), daemon=True).start()

    def delete(self, session: Session) -> bool:
        """Forget a session; False while its token is alive."""
        with self._lock:
            if session.is_alive(now()):
                return False
            session.is_deleted = True
            return True

    def picture_addresses(self, session: Session) -> dict[str, str]:
        """Make addresses of the photos, each good for an hour and for nobody who has not been given it."""
        until = now() + PICTURE_SECONDS
        base = f"{self.origin}/storage/{session.scan_ref}"
        return {name: f"{base}/{name}?until={until}&key={self.picture_key(session, name, until)}" for name in PICTURES}

    def picture_key(self, session: Session, name: str, until: int) -> str:
        """Sign an address of a photo."""
        what = f"{session.scan_ref}/{name}/{until}"
        return hmac.new(self.account.secret.encode(), what.encode(), hashlib.sha256).hexdigest()

    def stop(self) -> None:
        """Send nothing any more."""
        self._stopping.set()

    def send(self, body: bytes) -> int:
        """Send a message once, signed; the answer's status, or 0 where none came."""
        target = urlsplit(self.account.webhook_url)
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        line = kind(target.netloc, timeout=ANSWER_SECONDS)
        signature = hmac.new(self.account.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            line.request("POST", target.path, body, {"Content-Type": "application/json", "Idenfy-Signature": signature})
            status = line.getresponse().status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            line.close()
        self.sent.append((status, body))
        return status

    def _let_expire(self) -> None:
        for session in self._by_ref.values():
            if session.status == "ACTIVE" and not session.is_alive(now()):
                self.expire(session)

    def _told(self, session: Session, overall: str, fault: str) -> Iterator[bytes]:
        first = self._message(session, overall, is_final=False)
        last = self._message(session, overall, is_final=True)
        if fault == "lie":
            yield self._message(session, "APPROVED" if overall == "DENIED" else "DENIED", is_final=True)
        elif fault == "out-of-order":
            yield from (last, first)
        elif fault == "replay":
            yield from [last] * REPLAYS
        elif fault == "review":
            yield first
        elif fault != "silent":
            yield last

    def _message(self, session: Session, overall: str, *, is_final: bool) -> bytes:
        addresses = self.picture_addresses(session)
        return json.dumps(payloads.webhook(session, overall, addresses, is_final=is_final)).encode()

    def _send_all(self, messages: Sequence[bytes]) -> None:
        for body in messages:
            for pause in (*self.account.retry_seconds, None):
                if 200 <= self.send(body) < 300 or pause is None or self._stopping.wait(pause):
                    break


def now() -> int:
    """Say the present second, as the provider counts."""
    return int(time.time())
