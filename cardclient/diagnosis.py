"""The report for the support desk: what the computer, the reader, the card and the network look like from here.

Holds serials, dates and versions; never a code, a name or a tax code.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cardclient import __version__, certificates
from cardclient.errors import ClientError
from cardclient.naming import read_label
from cardclient.ports import Card, CardCertificate, CardView


def diagnose(card: Card | None, server: str | None, *, now: datetime) -> dict[str, Any]:
    """Return the report as plain JSON values; whatever fails is told by its code and stops nothing."""
    return {
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "client": __version__,
        "system": {"platform": platform.platform(), "python": platform.python_version()},
        "cards": _cards(card) if card else {"error": "driver-missing"},
        "driver": _driver(card) if card else {"error": "driver-missing"},
        "server": _server(server, now) if server else None,
    }


def _cards(card: Card) -> list[dict[str, Any]] | dict[str, str]:
    try:
        return [_card(view) for view in card.scan()]
    except ClientError as problem:
        return {"error": problem.code}


def _card(view: CardView) -> dict[str, Any]:
    return {
        "serial": view.serial,
        "label": view.label,
        "reader": view.reader,
        "atr": view.atr.hex() if view.atr else None,
        "pin": view.pin,
        "puk": view.puk,
        "certificates": [_certificate(each) for each in view.certificates],
    }


def _certificate(each: CardCertificate) -> dict[str, Any]:
    name = read_label(each.label)
    facts: dict[str, Any] = {"fingerprint": each.fingerprint, "id": each.id.hex(), "case": name.case if name else None}
    try:
        certificate = certificates.load(each.der)
        kind = certificates.key_kind(certificates.spki(certificate))
    except ClientError as problem:
        return facts | {"error": problem.code}
    return facts | {
        "serial": f"{certificate.serial_number:x}",
        "slot": certificates.slot_of(certificate),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "key": f"{kind.kind}-{kind.bits}",
    }


def _driver(card: Card) -> dict[str, Any]:
    try:
        report = card.report()
    except ClientError as problem:
        return {"error": problem.code}
    return {
        "name": report.driver,
        "version": report.driver_version,
        "model": report.model,
        "can_generate": report.can_generate,
        "mechanisms": list(report.mechanisms),
        **report.facts,
    }


def _server(address: str, now: datetime) -> dict[str, Any]:
    """Any HTTP answer counts as reached; a wrong clock here makes good certificates look expired, so it is compared."""
    try:
        answer = httpx.get(address, timeout=10.0)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return {"address": address, "reached": False, "error": type(problem).__name__}
    clock = None
    if "date" in answer.headers:
        try:
            clock = round((now - parsedate_to_datetime(answer.headers["date"])).total_seconds())
        except (ValueError, TypeError):
            clock = None
    return {"address": address, "reached": True, "status": answer.status_code, "clock_difference_seconds": clock}
