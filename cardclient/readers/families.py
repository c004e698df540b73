"""Card families as data (`families.toml`): what an ATR tells of a card before any driver is loaded.

The file is part of the program and is checked when it is read; an unknown key or an inconsistent family is a defect of
the program and raises ValueError.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cardclient.ports import CodeLengths, Lengths
from cardclient.readers.atr import historical_bytes
from cardclient.readers.systems import System

FILE = Path(__file__).resolve().parent.parent / "families.toml"
JOINT = " / "  # between the codes of families that an ATR does not tell apart
_PATTERN = re.compile(r"(?:[0-9A-F.]{2})+")


@dataclass(frozen=True, slots=True)
class Driver:
    """A card driver: name with version and download address as the guide has them, file names of its modules.

    `tells_puk_lock`: its SO_PIN_LOCKED flag is the card's own word. `writes`: it makes keys and stores certificates.
    """

    key: str
    name: str
    address: str
    management_tool: str
    tells_puk_lock: bool
    writes: bool
    modules: Mapping[System, tuple[str, ...]]

    def has_module(self, path: str) -> bool:
        """Tell whether a module's path ends in one of this driver's file names, on any system."""
        name = re.split(r"[/\\]", path)[-1].casefold()
        return any(name == each.casefold() for names in self.modules.values() for each in names)


@dataclass(frozen=True, slots=True)
class Family:
    """A card family (*sigla*); meanings as in `families.toml` and in the office's register.

    Days are inclusive; None means that no day, no number or no driver is known. `replaces` None: as the flow has it.
    Lengths are the fewest and the most digits of a code.
    """

    code: str
    name: str
    driver: Driver | None = None
    atrs: tuple[str, ...] = ()
    historical: tuple[str, ...] = ()
    asks_puk: bool = False
    reinsert_after: bool = False
    smallest_old_rsa: int = 2048
    replaces: bool | None = None
    renewable: bool = True
    refusal: str = ""
    renewable_until: date | None = None
    certified_until: date | None = None
    max_renewals: int | None = None
    pin_lengths: tuple[int, int] | None = None
    puk_lengths: tuple[int, int] | None = None

    def matches(self, atr: bytes) -> bool:
        """Tell whether a card with this ATR can be of this family."""
        if atr.hex().upper() in self.atrs:
            return True
        told = historical_bytes(atr).hex().upper()
        return any(_fits(pattern, told) for pattern in self.historical)


@dataclass(frozen=True, slots=True)
class Guess:
    """The families an ATR leaves possible, never none; they agree in everything asked here."""

    families: tuple[Family, ...]

    @property
    def name(self) -> str:
        """The code, or the codes the ATR does not tell apart: "AC 2014 / AC 2018"."""
        return JOINT.join(each.code for each in self.families)

    @property
    def driver(self) -> Driver | None:
        """The driver these families need."""
        return self.families[0].driver

    @property
    def asks_puk(self) -> bool:
        """Whether a renewal asks for the PUK beside the PIN."""
        return self.families[0].asks_puk

    @property
    def reinsert_after(self) -> bool:
        """Whether the card must be unplugged and plugged in again after a renewal."""
        return self.families[0].reinsert_after

    @property
    def lengths(self) -> CodeLengths:
        """How long PIN and PUK are; whatever a card takes where the family does not say."""
        family, any_card = self.families[0], CodeLengths()
        pin = Lengths(*family.pin_lengths) if family.pin_lengths else None
        puk = Lengths(*family.puk_lengths) if family.puk_lengths else any_card.puk
        return CodeLengths(pin or any_card.pin, puk, pin or any_card.new_pin)

    @property
    def refusal(self) -> str:
        """Why these cards are not renewed, to be shown to the holder; empty when they are."""
        return self.families[0].refusal


@dataclass(frozen=True, slots=True)
class Families:
    """Every family and driver known to the program."""

    families: tuple[Family, ...]
    drivers: tuple[Driver, ...]
    _by_code: Mapping[str, Family] = field(repr=False, compare=False)

    def by_atr(self, atr: bytes | None) -> Guess | None:
        """Return what the ATR leaves possible; None for a card that is not known by it."""
        found = tuple(each for each in self.families if atr and each.matches(atr))
        return Guess(found) if found else None

    def named(self, name: str | None) -> Guess | None:
        """Return the families behind a code or a `Guess.name`; None for a name that is not ours."""
        found = tuple(self._by_code[code] for code in (name or "").split(JOINT) if code in self._by_code)
        return Guess(found) if found else None

    def driver_of(self, module: str) -> Driver | None:
        """Return the driver a module belongs to, by its file name."""
        return next((each for each in self.drivers if each.has_module(module)), None)


@cache
def known() -> Families:
    """Return the families shipped with the program, read once."""
    return load(FILE.read_text("utf-8"))


def load(text: str) -> Families:
    """Read and check a text in the form of `families.toml`; raises ValueError."""
    data = tomllib.loads(text)
    _require_keys(data, {"drivers", "families"}, "file")
    drivers = {key: _driver(key, each) for key, each in data["drivers"].items()}
    families = tuple(_family(each, drivers) for each in data["families"])
    by_code = {each.code: each for each in families}
    if len(by_code) != len(families):
        raise ValueError("a code stands twice")
    _require_agreement(families)
    return Families(families, tuple(drivers.values()), by_code)


def _driver(key: str, data: Mapping[str, Any]) -> Driver:
    _require_keys(data, {each.name for each in fields(Driver)} - {"key"}, key)
    modules = {System(system): tuple(names) for system, names in data["modules"].items()}
    if set(modules) != set(System) or any("/" in name or "\\" in name for names in modules.values() for name in names):
        raise ValueError(f"{key}: one list of bare file names for each system")
    if not data["address"].startswith("https://"):
        raise ValueError(f"{key}: address")
    return Driver(key=key, **{**data, "modules": modules})


def _family(data: Mapping[str, Any], drivers: Mapping[str, Driver]) -> Family:
    _require_keys(data, {each.name for each in fields(Family)}, data.get("code", "?"), required={"code", "name"})
    values = dict(data)
    if "driver" in values:
        values["driver"] = drivers[values["driver"]]
    for key in ("atrs", "historical"):
        values[key] = tuple(values.get(key, ()))
    for key in {"pin_lengths", "puk_lengths"} & set(values):
        values[key] = _lengths(values[key], f"{values['code']}: {key}")
    family = Family(**values)
    patterns_are_sound = all(_PATTERN.fullmatch(each) and len(each) == 30 for each in family.historical)
    if not patterns_are_sound or any(bytes.fromhex(each).hex().upper() != each for each in family.atrs):
        raise ValueError(f"{family.code}: ATR")
    if family.renewable == bool(family.refusal) or (family.renewable and family.driver is None):
        raise ValueError(f"{family.code}: a family is renewed with a driver, or refused with a reason")
    return family


def _lengths(told: Any, where: str) -> tuple[int, int]:
    match told:
        case [int(shortest), int(longest)] if 0 < shortest <= longest:
            return shortest, longest
    raise ValueError(f"{where}: fewest and most digits")


def _require_keys(data: Mapping[str, Any], allowed: set[str], where: str, *, required: set[str] | None = None) -> None:
    """Refuse a key nobody reads, which is a misspelt one, and a missing one."""
    unknown, missing = set(data) - allowed, (allowed if required is None else required) - set(data)
    if unknown or missing:
        raise ValueError(f"{where}: unknown {sorted(unknown)}, missing {sorted(missing)}")


def _require_agreement(families: Sequence[Family]) -> None:
    """Families that share an ATR must agree, since the client cannot tell them apart."""
    for family in families:
        for other in families:
            if _overlap(family.historical, other.historical) and _essence(family) != _essence(other):
                raise ValueError(f"{family.code} and {other.code} share an ATR and differ")


def _overlap(patterns: Iterable[str], others: Iterable[str]) -> bool:
    theirs = tuple(others)
    return any(
        all(ours == other or "." in {ours, other} for ours, other in zip(pattern, each, strict=True))
        for pattern in patterns
        for each in theirs
    )


def _essence(family: Family) -> tuple[object, ...]:
    codes = family.asks_puk, family.pin_lengths, family.puk_lengths
    return family.driver, *codes, family.reinsert_after, family.renewable, family.refusal


def _fits(pattern: str, told: str) -> bool:
    return len(pattern) == len(told) and all(ours in {".", theirs} for ours, theirs in zip(pattern, told, strict=True))
