"""The diagnosis: what computer, readers, drivers, cards, network and clock look like from here, as plain facts.

Serials, dates, versions and codes; no code of a card, no tax code, and a person's name only where the holder agreed.
Whatever fails is told by its code and stops nothing. Findings (`findings.py`) and text (`readable.py`) are made of it.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from cardclient import __version__
from cardclient.content import CertificateFacts, facts_of
from cardclient.errors import ClientError
from cardclient.naming import read_label
from cardclient.network.legs import Leg, Network
from cardclient.ports import Card, CardCertificate, CardView, Readers
from cardclient.readers.families import Families, known
from cardclient.readers.modules import Module, installed
from cardclient.readers.names import interface_of
from cardclient.support.findings import Finding, findings_of
from cardclient.support.log import Logbook
from cardclient.support.redaction import redacted

LIBRARIES = (
    "cryptography",
    "httpx",
    "keyring",
    "PySide6-Essentials",
    "pypdfium2",
    "pyspnego",
    "python-pkcs11",
    "python-socks",
    "truststore",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from; None leaves a part out. `service` names how the system's card service does."""

    card: Card | None = None
    readers: Readers | None = None
    service: Callable[[], str] | None = None
    modules: Callable[[], Sequence[Module]] = installed
    network: Callable[[], Network] | None = None
    logbook: Logbook | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Facts as JSON values, and what follows from them, the most pressing first."""

    facts: Mapping[str, Any]
    findings: tuple[Finding, ...]

    def as_json(self) -> str:
        """Return everything as one JSON object."""
        found = [{"code": each.code, "tone": each.tone, "text": each.text} for each in self.findings]
        return json.dumps({"findings": found} | dict(self.facts), ensure_ascii=False, indent=2)


def gather(
    sources: Sources,
    *,
    now: datetime,
    with_holder: bool = False,
    told: Callable[[str], None] = lambda _part: None,
    families: Families | None = None,
) -> Report:
    """Collect the report. `told` hears which part begins; an exception it raises stops the rest (a cancelled window).

    `with_holder` adds the names that certificates and labels carry, tax codes masked.
    """
    kinds = families or known()
    facts: dict[str, Any] = {"at": now.astimezone(UTC).isoformat(timespec="seconds"), "client": __version__}
    parts: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("system", _system),
        ("readers", lambda: _readers(sources, kinds)),
        ("modules", lambda: _modules(sources.modules)),
        ("cards", lambda: _cards(sources.card, now, with_holder=with_holder)),
        ("network", lambda: _network(sources.network)),
        ("log", lambda: _log(sources.logbook)),
    )
    for name, collect in parts:
        told(name)
        facts[name] = collect()
    return Report(facts, findings_of(facts, now=now, families=kinds))


def _system() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "bundled": bool(getattr(sys, "frozen", False)),
        "libraries": dict(_libraries()),
    }


def _libraries() -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)


def _readers(sources: Sources, families: Families) -> dict[str, Any] | None:
    if sources.readers is None:
        return None
    listed = []
    for each in sources.readers.snapshot():
        guess = families.by_atr(each.atr)
        driver = guess.driver if guess else None
        listed.append({
            "name": redacted(each.name),
            "interface": str(interface_of(each.name)),
            "atr": each.atr.hex().upper() if each.atr is not None else None,
            "family": guess.name if guess else None,
            "driver": driver.name if driver else None,
        })  # fmt: skip
    return {"service": str(sources.service()) if sources.service else None, "readers": listed}


def _modules(search: Callable[[], Sequence[Module]]) -> list[dict[str, Any]] | dict[str, str]:
    try:
        return [
            {"path": each.path, "driver": each.driver.name, "key": each.driver.key, "version": each.version}
            for each in search()
        ]
    except OSError as problem:
        return {"error": type(problem).__name__}


def _cards(card: Card | None, now: datetime, *, with_holder: bool) -> list[dict[str, Any]] | dict[str, Any] | None:
    if card is None:
        return None
    try:
        return [_card(card, view, now, with_holder=with_holder) for view in card.scan()]
    except ClientError as problem:
        return {"error": problem.code} | ({"facts": dict(problem.facts)} if problem.facts else {})


def _card(card: Card, view: CardView, now: datetime, *, with_holder: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "serial": view.serial,
        "reader": redacted(view.reader),
        "atr": view.atr.hex().upper() if view.atr else None,
        "family": view.family,
        "driver": view.driver or None,
        "final": view.final,
        "pin": view.pin,
        "puk": view.puk,
        "certificates": [_certificate(each, now, with_holder=with_holder) for each in view.certificates],
        "token": _token(card, view.serial),
    }
    return facts | ({"label": redacted(view.label)} if with_holder else {})


def _certificate(each: CardCertificate, now: datetime, *, with_holder: bool) -> dict[str, Any]:
    name = read_label(each.label)
    facts: dict[str, Any] = {"fingerprint": each.fingerprint, "id": each.id.hex(), "case": name.case if name else None}
    try:
        read = facts_of(each.der, now=now)
    except ClientError as problem:
        return facts | {"error": problem.code}
    return facts | _told(read) | ({"holder": redacted(read.holder)} if with_holder else {})


def _told(read: CertificateFacts) -> dict[str, Any]:
    return {
        "serial": read.serial,
        "slot": read.slot,
        "issuer": redacted(read.issuer),
        "not_before": read.not_before.isoformat(),
        "not_after": read.not_after.isoformat(),
        "validity": read.validity,
        "key": f"{read.key.kind}-{read.key.bits}" if read.key else None,
        "usages": list(read.usages),
    }


def _token(card: Card, serial: str) -> dict[str, Any]:
    """Ask the driver what it is and can do, and for free memory where it tells."""
    try:
        card.choose(serial)
        report = card.report()
    except ClientError as problem:
        return {"error": problem.code}
    # Bare numbers (octets, digits of a code) look like codes to the mask, and are the driver's own.
    facts = {key: value if value.isdecimal() else redacted(value) for key, value in report.facts.items()}
    return facts | {
        "driver": redacted(report.driver),
        "version": report.driver_version,
        "model": redacted(report.model),
        "can_generate": report.can_generate,
        "mechanisms": list(report.mechanisms),
    }


def _network(test: Callable[[], Network] | None) -> dict[str, Any] | None:
    if test is None:
        return None
    try:
        found = test()
    except ClientError as problem:
        return {"error": problem.code}
    return {
        "server": redacted(found.server),
        "proxy": redacted(found.proxy),
        "verdict": found.verdict,
        "legs": [_leg(each) for each in found.legs],
        "hosts": [_leg(each) for each in found.hosts],
        "clock_difference_seconds": round(found.clock_difference) if found.clock_difference is not None else None,
        "minimum_client": found.minimum,
    }


def _leg(each: Leg) -> dict[str, Any]:
    facts = {key: redacted(value) for key, value in (each.facts or {}).items()}
    told = {"name": each.name, "host": redacted(each.host), "code": each.code, "milliseconds": each.milliseconds}
    return told | ({"facts": facts} if facts else {})


def _log(logbook: Logbook | None) -> dict[str, Any] | None:
    if logbook is None:
        return None
    return {"debug": logbook.debug, "on_disk": logbook.on_disk, "runs": len(logbook.runs())}
