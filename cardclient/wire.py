"""Sending to the office: what is repeated, how long is waited, and what counts as its answer.

A request that certainly was not carried out (no connection, 429, 503) is repeated whatever its kind; one whose answer
was lost is repeated only where the caller says that the call is idempotent. `Retry-After` is honoured up to a bound.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cardclient import __version__, answers
from cardclient.errors import ClientOutdated, Distrusted, OfficeRefusal, OfficeUnreachable
from cardclient.network.causes import failure_of
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.office")
ATTEMPTS = 4
LONGEST_PAUSE = 30.0  # seconds; a server that asks for more is given up until the next run
LARGEST_ANSWER = 8 * 1024 * 1024
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
PAGES = frozenset({"text/html", "application/xhtml+xml"})
NOT_CARRIED_OUT = frozenset({429, 503})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Wire:
    """One conversation: it carries the bearer token once there is one, and notices how the clocks differ."""

    def __init__(
        self,
        base: str,
        transport: httpx.BaseTransport,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare for addresses below `base`."""
        self.sleep = sleep
        self.token: Secret | None = None
        self.clock_difference: float | None = None
        self._clock = clock
        self._http = httpx.Client(
            base_url=base,
            transport=transport,
            timeout=TIMEOUT,
            headers={
                "User-Agent": f"sigillo-card/{__version__}",
                "Sigillo-Client": __version__,
                "Accept": "application/json",
            },
        )

    def close(self) -> None:
        """Forget the token and close connections."""
        self.token = None
        self._http.close()

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Any:
        """Return the decoded body of a 2xx answer, or raise."""
        return decoded(self.send(method, path, body, repeatable=repeatable))

    def json_once(self, method: str, path: str, body: Mapping[str, Any], timeout: httpx.Timeout) -> Any:
        """Return the decoded body of a 2xx answer to the one attempt made, or raise."""
        try:
            return decoded(accepted(self._once(method, path, body, timeout)))
        except httpx.HTTPError as problem:
            raise failure_of(problem) from None

    def send(self, method: str, path: str, body: Mapping[str, Any] | None, *, repeatable: bool) -> httpx.Response:
        """Return a 2xx answer or raise."""
        return accepted(self.answered(method, path, body, repeatable=repeatable))

    def answered(self, method: str, path: str, body: Mapping[str, Any] | None, *, repeatable: bool) -> httpx.Response:
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
                pause = pause_of(answer, pause)
                if attempt == ATTEMPTS - 1 or pause > LONGEST_PAUSE:
                    return answer
            self.sleep(pause)
        raise OfficeUnreachable

    def _compare_clocks(self, date: str) -> None:
        """Keep how far this clock is from the office's; a date that is none changes nothing."""
        with contextlib.suppress(ValueError, TypeError):
            self.clock_difference = (self._clock() - parsedate_to_datetime(date)).total_seconds()

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, timeout: httpx.Timeout = TIMEOUT
    ) -> httpx.Response:
        """Send once and read at most LARGEST_ANSWER bytes."""
        headers = {"Authorization": f"Bearer {self.token.reveal()}"} if self.token else {}
        with self._http.stream(method, path, json=body, headers=headers, timeout=timeout) as answer:
            self._compare_clocks(answer.headers.get("date", ""))
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise answers.malformed()
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(content))


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Keep the two headers that mean something to us; the body is already decoded."""
    return {name: headers[name] for name in ("content-type", "retry-after") if name in headers}


def decoded(answer: httpx.Response) -> Any:
    """Return the JSON of an answer; raises Distrusted for what is none, OfficeUnreachable for a page in its place."""
    _require_no_page(answer)
    try:
        return answer.json()
    except ValueError:
        raise answers.malformed() from None


def pause_of(answer: httpx.Response, otherwise: float) -> float:
    """Read Retry-After in seconds (RFC 9110 §10.2.3); a date or nonsense counts as absent."""
    value = answer.headers.get("retry-after", "")
    return max(float(value), 0.1) if value.isdecimal() and len(value) < 6 else otherwise


def _require_no_page(answer: httpx.Response) -> None:
    """Name what hotels and offices put in a server's place: a page to log in on, as an answer or behind a redirect."""
    is_page = answer.headers.get("content-type", "").split(";")[0].strip().lower() in PAGES
    if answer.is_redirect or (answer.is_success and is_page):
        raise OfficeUnreachable("portal-answered")


def accepted(answer: httpx.Response) -> httpx.Response:
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
