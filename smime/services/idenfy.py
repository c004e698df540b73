"""The provider iDenfy behind the port (`idp`): its HTTP interface of version 2, and the signature of its webhooks.

Sources: documentation.idenfy.com, pages kyc/generate-token, kyc/data-retrieval, kyc/deletion, kyc/webhooks,
security/callback-signing, resources/vocabulary (read on 22 November 2026).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from smime.services.idp import (
    Message,
    NotErasable,
    Outcome,
    Overall,
    Picture,
    ProviderRefused,
    ProviderUnavailable,
    Session,
    Wish,
)

SECONDS = 10.0
LARGEST_ANSWER = 1024 * 1024
LARGEST_PICTURE = 10 * 1024 * 1024
DOCUMENTS = ("ID_CARD", "PASSPORT")
"""What the guide asks the recipient to have at hand."""
SIGNATURE_HEADER = "Idenfy-Signature"
LONGEST_NAME = 100

_OVERALL = {
    "ACTIVE": Overall.ACTIVE,
    "REVIEWING": Overall.REVIEWING,
    "APPROVED": Overall.APPROVED,
    "SUSPECTED": Overall.SUSPECTED,
    "DENIED": Overall.DENIED,
    "EXPIRED": Overall.EXPIRED,
    "EXPIRED-DELETED": Overall.EXPIRED,
    "DELETED": Overall.GONE,
    "ARCHIVED": Overall.GONE,
}
_DETAILS = ("autoDocument", "autoFace", "manualDocument", "manualFace")
_TAGS = ("mismatchTags", "fraudTags", "suspicionReasons")  # the last is what older accounts still send
# Digits and these signs are refused in names with an error that would stop the whole attempt.
_NOT_IN_NAMES = re.compile(r"[0-9~!@#$%^*()_+={}\[\]|:;\",<>/?\\]")
_TAG = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_STILL_ALIVE = "Token has not expired yet."
_UNKNOWN = "provider-refused-404"


class Idenfy:
    """One account at the provider. `key` and `secret` are its API key pair, `signing_key` that of the webhook."""

    def __init__(self, url: str, key: str, secret: str, signing_key: str, *, is_local: bool = False) -> None:
        """Keep the account; nothing is asked yet. `is_local` lets plain http pass, for the stand-in on this machine."""
        self._url = url.rstrip("/")
        pair = base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        self._signing_key = signing_key.encode()
        self._schemes = {"https", "http"} if is_local else {"https"}

    def open_session(self, wish: Wish) -> Session:
        """Make a token. Its life of `link_seconds` begins now, so it is asked for when the mail is about to go."""
        body: dict[str, Any] = {
            "clientId": wish.client_id,
            "externalRef": wish.reference,
            "documents": list(DOCUMENTS),
            "locale": wish.language,
            "expiryTime": wish.link_seconds,
            "sessionLength": wish.session_seconds,
            **wish.back_to,
        }
        names = {"firstName": _name(wish.given_name), "lastName": _name(wish.surname)}
        if all(names.values()):
            body |= names
        answer = self._asked("token", body)
        token, scan_ref = answer.get("authToken"), answer.get("scanRef")
        if not isinstance(token, str) or not isinstance(scan_ref, str) or not token or not scan_ref:
            raise ProviderUnavailable("provider-answer-unreadable")
        given = answer.get("redirectUrl")
        address = given if isinstance(given, str) and given else f"{self._url}/api/v2/redirect?authToken={token}"
        return Session(scan_ref, address)

    def outcome(self, scan_ref: str) -> Outcome:
        """Ask how a session stands. The provider forbids polling: asked after a message and at the end of a session."""
        answer = self._asked("status", {"scanRef": scan_ref})
        overall = _OVERALL.get(str(answer.get("status")))
        if overall is None or answer.get("scanRef", scan_ref) != scan_ref:
            raise ProviderUnavailable("provider-answer-unreadable")
        said = [tag for name in _TAGS for tag in answer.get(name) or [] if isinstance(tag, str) and _TAG.fullmatch(tag)]
        details = {name: str(answer[name])[:40] for name in _DETAILS if answer.get(name)}
        return Outcome(overall, tuple(dict.fromkeys(said)), details)

    def document(self, scan_ref: str) -> Mapping[str, str]:
        """Fetch what was read from the document; any field may be missing."""
        answer = self._asked("data", {"scanRef": scan_ref})
        return {name: value[:300] for name, value in answer.items() if isinstance(value, str) and value}

    def pictures(self, scan_ref: str) -> Mapping[Picture, bytes]:
        """Fetch the photos from the addresses that the provider hands out for an hour."""
        answer = self._asked("files", {"scanRef": scan_ref})
        addresses = answer.get("files", answer)
        found = addresses if isinstance(addresses, dict) else {}
        return {picture: self._fetched(str(found[picture.value])) for picture in Picture if found.get(picture.value)}

    def erase(self, scan_ref: str) -> None:
        """Have all data of the session deleted; refused there while its token could still be used."""
        try:
            self._asked("delete", {"scanRef": scan_ref})
        except ProviderRefused as refusal:
            if refusal.code != _UNKNOWN:  # nothing of it there: forgotten already
                raise

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Compare the hex HMAC-SHA-256 of the raw body in constant time; without a key nothing is signed."""
        expected = hmac.new(self._signing_key, body, hashlib.sha256).hexdigest()
        return bool(self._signing_key) and hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))

    def message(self, body: bytes, *, at: datetime) -> Message | None:
        """Read which session a webhook is about; what it says of the outcome is asked anew and not taken from here."""
        del at  # these messages carry neither instant nor number: replays are known by their bytes
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return None
        scan_ref = said.get("scanRef") if isinstance(said, dict) else None
        if not isinstance(scan_ref, str) or not 0 < len(scan_ref) <= 64:
            return None
        return Message(scan_ref, is_final=said.get("final") is True)

    def _asked(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        encoded = json.dumps(body).encode()
        status, content = self._sent("POST", f"{self._url}/api/v2/{verb}", encoded, self._headers, LARGEST_ANSWER)
        if status not in {200, 201}:
            raise _failure(status, content)
        return _object(content) if content.strip() else {}

    def _fetched(self, address: str) -> bytes:
        status, content = self._sent("GET", address, None, {}, LARGEST_PICTURE)
        if status != 200:
            raise ProviderUnavailable("provider-picture-missing")
        return content

    def _sent(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        """Send once, follow nothing, read no more than `most`."""
        target = _split(address)
        if target is None or target.scheme not in self._schemes or not target.hostname:
            raise ProviderUnavailable("provider-address-refused")
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        line = kind(target.netloc, timeout=SECONDS)
        try:
            line.request(method, f"{target.path or '/'}?{target.query}".rstrip("?"), body=body, headers=dict(headers))
            answer = line.getresponse()
            content = answer.read(most + 1)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            raise ProviderUnavailable from failure
        finally:
            line.close()
        if len(content) > most:
            raise ProviderUnavailable("provider-answer-too-large")
        return answer.status, content


def configured() -> Idenfy:
    """Build the adapter from the settings."""
    chosen = settings.SMIME
    return Idenfy(
        chosen.idp_url,
        chosen.idp_key,
        chosen.idp_secret.get_secret_value(),
        chosen.idp_webhook_secret.get_secret_value(),
        is_local=chosen.idp_environment == "local",
    )


def _failure(status: int, content: bytes) -> Exception:
    if status == 429 or status >= 500:
        return ProviderUnavailable(f"provider-fault-{status}")
    if status == 409:
        return ProviderUnavailable("provider-session-open")
    try:
        said = _object(content)
    except ProviderUnavailable:
        said = {}
    if said.get("message") == _STILL_ALIVE:
        return NotErasable()
    return ProviderRefused(f"provider-refused-{status}")


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailable("provider-answer-unreadable") from error
    if not isinstance(answer, dict):
        raise ProviderUnavailable("provider-answer-unreadable")
    return answer


def _name(text: str) -> str:
    """A name as the provider takes it, or nothing where it would refuse it; officers compare in any case."""
    return "" if _NOT_IN_NAMES.search(text) or len(text) > LONGEST_NAME else text.strip()
