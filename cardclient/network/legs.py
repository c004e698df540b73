"""The test of the network: to the proxy, through it to the server, past it to the server; then the firewall's hosts.

Each leg is told as soon as it is known, and the whole says which leg fails. Nothing personal is sent: the server is
asked for its capabilities only.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from cardclient.errors import ClientError
from cardclient.network import trust
from cardclient.network.backend import Backend, dial
from cardclient.network.causes import failure_of
from cardclient.network.credentials import Logins
from cardclient.network.failures import NetworkFailure
from cardclient.network.routes import DIRECT, EnvironmentProxy, Route, SystemProxy, routes
from cardclient.network.transport import ProxiedTransport
from cardclient.preferences import Preferences, ProxyChoice

OK = "ok"
PROXY, THROUGH, STRAIGHT = "proxy", "through-proxy", "direct"
CAPABILITIES = "/api/enrollment/v1/capabilities"
SECONDS = 10.0  # for one leg's connection, and for each wait on its answer
MOST_HOSTS = 20
LARGEST_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Leg:
    """One way that was tried: `code` is `ok` or the code of the failure, whose words `facts` fill."""

    name: str  # PROXY, THROUGH, STRAIGHT, or a host of the firewall's list
    host: str
    code: str
    milliseconds: int | None = None
    facts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What was found. `verdict` is a code of messages.toml, empty if stopped; the clock's difference is + if ahead."""

    server: str
    proxy: str
    legs: tuple[Leg, ...] = ()
    hosts: tuple[Leg, ...] = ()
    verdict: str = ""
    clock_difference: float | None = None  # seconds
    minimum: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """How to try: the holder's settings, who knows the proxy's password, whom to trust, the clocks."""

    preferences: Preferences
    logins: Logins
    system: SystemProxy = field(default_factory=EnvironmentProxy)
    ca_file: str | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ticks: Callable[[], float] = time.monotonic
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class _Reached:
    """What the server said of itself on the way there."""

    hosts: tuple[str, ...] = ()
    minimum: str | None = None
    clock_difference: float | None = None


Told = Callable[[Leg], None]
_Step = tuple[Leg, _Reached | None]
_Way = Callable[[], Sequence[_Step]]


class _Steps:
    """What came in so far, told on at once."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self.legs: list[Leg] = []
        self.reached: _Reached | None = None

    def take(self, step: _Step) -> None:
        leg, reached = step
        self.legs.append(leg)
        self.reached = reached or self.reached
        self._told(leg)


def try_legs(probe: Probe, *, told: Told = lambda _leg: None, stopped: threading.Event | None = None) -> Network:
    """Try every way; `told` gets each leg in the calling thread, `stopped` ends the wait at once. Never raises."""
    stopped = stopped or threading.Event()
    steps, hosts = _Steps(told), _Steps(told)
    host, port = _target(probe.preferences.server)
    server = f"{host}:{port}"
    try:
        way = routes(probe.preferences.proxy, host, port, probe.system)[0]
    except NetworkFailure as failure:
        steps.take((_leg(PROXY, "", failure.code, facts=failure.facts), None))
        way = Route()
    proxied = not way.is_direct or bool(steps.legs)
    ways: list[_Way] = [lambda: _straight(probe, server)]
    if not way.is_direct:
        ways.append(lambda: _proxied(probe, way.choice, server))
    _try(ways, steps, stopped)
    reached = steps.reached or _Reached()
    _try(_host_tests(probe, reached.hosts, host), hosts, stopped)
    return Network(
        server=server,
        proxy="none" if way.is_direct else f"{way.choice.kind.value} {way.choice.host}:{way.choice.port}",
        legs=tuple(sorted(steps.legs, key=lambda leg: (PROXY, THROUGH, STRAIGHT).index(leg.name))),
        hosts=tuple(sorted(hosts.legs, key=lambda leg: leg.name)),
        verdict="" if stopped.is_set() else verdict(steps.legs, hosts.legs, proxied=proxied),
        clock_difference=reached.clock_difference,
        minimum=reached.minimum,
    )


def verdict(legs: Sequence[Leg], hosts: Sequence[Leg], *, proxied: bool) -> str:
    """Say which leg fails, as a code of messages.toml that tells what to do."""
    good = {leg.name for leg in legs if leg.code == OK}
    if (THROUGH if proxied else STRAIGHT) in good:
        return "legs-ok" if all(leg.code == OK for leg in hosts) else "legs-hosts-blocked"
    if not proxied:
        return "legs-direct-failed"
    if PROXY not in good:
        return "legs-proxy-down" if STRAIGHT in good else "legs-proxy-unreachable"
    return "legs-proxy-blocks" if STRAIGHT in good else "legs-server-unreachable"


def _try(ways: Sequence[_Way], steps: _Steps, stopped: threading.Event) -> None:
    """Try all ways at once. A way that hangs is left behind when stopped: its own time ends it, no result is kept."""
    results: queue.SimpleQueue[Sequence[_Step]] = queue.SimpleQueue()
    for way in ways:
        threading.Thread(target=lambda way=way: results.put(way()), name="sigillo-leg", daemon=True).start()
    missing = len(ways)
    while missing and not stopped.is_set():
        try:
            came = results.get(timeout=0.1)
        except queue.Empty:
            continue
        missing -= 1
        for step in came:
            steps.take(step)


def _proxied(probe: Probe, choice: ProxyChoice, server: str) -> Sequence[_Step]:
    """Try the proxy itself, and if it is there the way through it."""
    address, began = f"{choice.host}:{choice.port}", probe.ticks()
    try:
        dial(choice.host, choice.port, probe.seconds, "proxy").close()
    except NetworkFailure as failure:
        return [(_leg(PROXY, address, failure.code, facts=failure.facts), None)]
    leg = _leg(PROXY, address, OK, _since(probe, began))
    return [(leg, None), _reach(probe, THROUGH, probe.preferences.proxy, server)]


def _straight(probe: Probe, server: str) -> Sequence[_Step]:
    return [_reach(probe, STRAIGHT, DIRECT, server)]


def _reach(probe: Probe, name: str, choice: ProxyChoice, server: str) -> _Step:
    """Ask the server for its capabilities along one way; an older server's 404 counts as an answer."""
    began = probe.ticks()
    try:
        backend = Backend(choice, probe.logins, probe.system, now=probe.now)
        with httpx.Client(
            transport=ProxiedTransport(backend, trust.context(probe.ca_file)), timeout=probe.seconds
        ) as line:
            answer = _asked(line, probe.preferences.server.rstrip("/") + CAPABILITIES)
        reached = _read(answer, probe.now())
    except httpx.HTTPError as problem:
        failure: ClientError = failure_of(problem)
    except ClientError as problem:
        failure = problem
    else:
        return _leg(name, server, OK, _since(probe, began)), reached
    return _leg(name, server, failure.code, facts=failure.facts), None


def _asked(line: httpx.Client, address: str) -> httpx.Response:
    with line.stream("GET", address, headers={"Accept": "application/json"}) as answer:
        content = bytearray()
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > LARGEST_ANSWER:
                raise ClientError("answer-malformed")
        kept = {name: answer.headers[name] for name in ("content-type", "date") if name in answer.headers}
        return httpx.Response(answer.status_code, headers=kept, content=bytes(content))


def _read(answer: httpx.Response, now: datetime) -> _Reached:
    """Believe an answer in JSON, of whatever status; a page or a redirect is the network's own."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    if answer.is_redirect or kind in {"text/html", "application/xhtml+xml"}:
        raise ClientError("portal-answered")
    try:
        body = answer.json()
    except ValueError:
        raise ClientError("answer-malformed") from None
    body = body if isinstance(body, dict) and answer.is_success else {}
    client = body.get("client")
    minimum = client.get("minimum") if isinstance(client, dict) else None
    named = body.get("hosts")
    hosts = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    theirs = _instant(body.get("now")) or _date(answer.headers.get("date", ""))
    return _Reached(
        hosts=tuple(hosts[:MOST_HOSTS]),
        minimum=minimum if isinstance(minimum, str) else None,
        clock_difference=(now - theirs).total_seconds() if theirs else None,
    )


def _host_tests(probe: Probe, hosts: Sequence[str], own: str) -> list[_Way]:
    """Try to connect to each host of the firewall's list (port 443 where it names none) as the settings lead."""

    def connect(name: str) -> Sequence[_Step]:  # in a thread of its own
        host, port = _target(name if "://" in name else f"https://{name}")
        began = probe.ticks()
        try:
            Backend(probe.preferences.proxy, probe.logins, probe.system, now=probe.now).connect_tcp(
                host, port, probe.seconds
            ).close()
        except Exception as problem:  # noqa: BLE001 - a name of the server's that is none must not end the test
            failure = failure_of(problem)
            return [(_leg(name, name, failure.code, facts=failure.facts), None)]
        return [(_leg(name, name, OK, _since(probe, began)), None)]

    return [functools.partial(connect, name) for name in dict.fromkeys(hosts) if name != own]


def _target(address: str) -> tuple[str, int]:
    """Return host and port of an address; the scheme's port where none is named."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", 443
    return host, port or (80 if parts.scheme == "http" else 443)


def _leg(
    name: str, host: str, code: str, milliseconds: int | None = None, *, facts: Mapping[str, str] | None = None
) -> Leg:
    return Leg(name, host, code, milliseconds, dict(facts) if facts else None)


def _since(probe: Probe, began: float) -> int:
    return round((probe.ticks() - began) * 1000)


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None


def _date(text: str) -> datetime | None:
    """Read a Date header, which has whole seconds (RFC 9110 §6.6.1)."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
