"""What follows from the facts of a report: a verdict a line, each with what to do, the most pressing first.

The codes and words are those of `messages.toml`, so that diagnosis, window and support desk say the same of the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cardclient import __version__
from cardclient.messages import message_for
from cardclient.readers.families import Families

SOON = timedelta(days=62)  # the renewal opens two calendar months before expiry
WRONG_CLOCK = 120  # seconds; less does no harm to a certificate or a challenge


class Tone(enum.StrEnum):
    """How bad it is: nothing can be done before, it may matter, all is well."""

    PROBLEM = "problem"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict line, in the language chosen."""

    code: str
    tone: Tone
    text: str
    advice: str


def findings_of(facts: Mapping[str, Any], *, now: datetime, families: Families) -> tuple[Finding, ...]:
    """Judge the facts of a report."""
    found = [
        *_of_readers(facts, families),
        *_of_cards(facts["cards"], now),
        *_of_network(facts["network"]),
        *_of_log(facts["log"]),
    ]
    order = list(Tone)
    once = {(each.code, each.text): each for each in found}  # reader and driver may tell of the same lack
    return tuple(sorted(once.values(), key=lambda each: order.index(each.tone)))


def _finding(code: str, tone: Tone, **facts: str) -> Finding:
    told = message_for(code, facts)
    return Finding(code, tone, told.cause or told.text, told.advice)


def _of_readers(facts: Mapping[str, Any], families: Families) -> Iterator[Finding]:
    readers = facts["readers"]
    if readers is None:
        return
    if readers["service"] not in {None, "running"}:
        yield _finding(f"reader-service-{readers['service']}", Tone.PROBLEM)
        return
    if not readers["readers"]:
        yield _finding("reader-absent", Tone.PROBLEM)
        return
    present = [each for each in readers["readers"] if each["atr"] is not None]
    if not present:
        yield _finding("card-absent", Tone.PROBLEM)
    read, here = _read(facts["cards"]), _drivers(facts["modules"])
    for each in present:
        yield _of_atr(each, families, read, here)


def _read(cards: object) -> frozenset[str]:
    """Return the ATRs of the cards that a driver has read: nothing is missing for them."""
    return frozenset(each["atr"] for each in cards) if isinstance(cards, list) else frozenset()


def _drivers(modules: object) -> frozenset[str]:
    return frozenset(each["key"] for each in modules) if isinstance(modules, list) else frozenset()


def _of_atr(reader: Mapping[str, Any], families: Families, read: frozenset[str], here: frozenset[str]) -> Finding:
    guess = families.named(reader["family"])
    if not reader["atr"]:
        return _finding("card-silent", Tone.PROBLEM)
    if reader["atr"] in read or (guess and guess.driver and guess.driver.key in here):
        return _finding("card-known", Tone.OK, family=guess.name if guess else "?")
    if guess is None or guess.driver is None:
        return _finding("card-unrecognised", Tone.WARNING)
    driver = guess.driver
    return _finding("driver-needed", Tone.PROBLEM, family=guess.name, driver=driver.name, address=driver.address)


def _of_cards(facts: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None, now: datetime) -> Iterator[Finding]:
    if facts is None:
        return
    if isinstance(facts, Mapping):
        yield _finding(facts["error"], Tone.PROBLEM, **facts.get("facts", {}))
        return
    for each in facts:
        yield from _of_codes(each)
        if "error" in each["token"]:
            yield _finding(each["token"]["error"], Tone.PROBLEM)
        elif not each["token"]["can_generate"]:
            yield _finding("driver-reads-only", Tone.PROBLEM, driver=each["token"]["driver"])
        yield from _of_certificates(each["certificates"], now, is_lost=bool(each["final"]))


def _of_codes(card: Mapping[str, Any]) -> Iterator[Finding]:
    if card["final"]:
        yield _finding(card["final"], Tone.PROBLEM)
    for kind in ("pin", "puk"):
        if card[kind] == "locked" and card["final"] != "puk-locked":
            yield _finding(f"{kind}-maybe-locked", Tone.WARNING)
        elif card[kind] == "last-try":
            yield _finding(f"{kind}-last-try", Tone.WARNING)
        elif card[kind] == "tried":
            yield _finding(f"{kind}-tried", Tone.WARNING)


def _of_certificates(listed: Sequence[Mapping[str, Any]], now: datetime, *, is_lost: bool) -> Iterator[Finding]:
    if not listed:
        yield _finding("certificates-none", Tone.PROBLEM)
    for each in listed:
        if "error" in each:
            yield _finding(each["error"] if is_lost else "certificate-skipped", Tone.WARNING)
            continue
        until = datetime.fromisoformat(each["not_after"])
        if each["validity"] == "expired":
            yield _finding("certificate-over", Tone.WARNING, serial=each["serial"], until=f"{until:%d/%m/%Y}")
        elif each["validity"] == "not-yet":
            yield _finding("certificate-early", Tone.WARNING, serial=each["serial"])
        elif until - now < SOON:
            yield _finding("certificate-ending", Tone.WARNING, serial=each["serial"], until=f"{until:%d/%m/%Y}")
        else:
            yield _finding("certificate-valid", Tone.OK, serial=each["serial"], until=f"{until:%d/%m/%Y}")


def _of_network(facts: Mapping[str, Any] | None) -> Iterator[Finding]:
    if facts is None:
        return
    if "error" in facts:
        yield _finding(facts["error"], Tone.PROBLEM)
        return
    if facts["verdict"]:
        good = facts["verdict"] == "legs-ok"
        yield _finding(facts["verdict"], Tone.OK if good else Tone.PROBLEM)
    for leg in facts["legs"]:
        if leg["code"] != "ok" and facts["verdict"] != "legs-ok":
            yield _finding(leg["code"], Tone.WARNING, **leg.get("facts", {}))
    difference = facts["clock_difference_seconds"]
    if difference is not None and abs(difference) >= WRONG_CLOCK:
        yield _finding("clock-wrong", Tone.PROBLEM, minutes=str(max(1, round(abs(difference) / 60))))
    if facts["minimum_client"] and _parts(facts["minimum_client"]) > _parts(__version__):
        yield _finding("client-outdated", Tone.PROBLEM)


def _of_log(facts: Mapping[str, Any] | None) -> Iterator[Finding]:
    if facts is not None and not facts["on_disk"]:
        yield _finding("log-unwritable", Tone.WARNING)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split(".") if each.isdecimal())
