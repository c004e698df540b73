"""The two kinds of card a holder may have here: a token on the test module (own process, own files) or a simulated one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cardclient.ports import Card
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient import shimmed
from tests.cardclient.conftest import PIN, PUK


class Medium(Protocol):
    """A card and its reader, seen from outside the program."""

    serial: str

    def process(self, **limits: float) -> object:
        """The program's side of the card, as a fresh run of it opens it."""

    def insert(self) -> None:
        """Put the card back, if it is out."""


@dataclass(frozen=True)
class OnModule:
    """A SoftHSM2 token behind the test module."""

    shim: shimmed.ShimmedCard

    @classmethod
    def make(cls, folder: Path, module: Path) -> OnModule:
        """Initialise a token in a folder of its own."""
        return cls(shimmed.make(folder, module, pin=PIN, puk=PUK))

    @property
    def serial(self) -> str:
        """As the token tells it."""
        return self.shim.serial

    @contextmanager
    def process(self, **limits: float) -> Iterator[Card]:
        """Open it with a helper process of its own."""
        with environment(self.shim.environment), closing(self.shim.card(**limits)) as card:
            yield card

    def insert(self) -> None:
        """Put it back."""
        self.shim.insert()


@dataclass(frozen=True)
class InFile:
    """A simulated card: no process, so quick."""

    path: Path
    serial: str

    @classmethod
    def make(cls, folder: Path, number: int) -> InFile:
        """Make an empty one."""
        serial = f"74300001{number:08d}"
        SimulatedCard.create(folder / "card.json", serial=serial, pin=Secret(PIN), puk=Secret(PUK))
        return cls(folder / "card.json", serial)

    @contextmanager
    def process(self, **_limits: float) -> Iterator[Card]:
        """Open it afresh."""
        with closing(SimulatedCard(self.path)) as card:
            yield card

    def insert(self) -> None:
        """Put it back."""
        SimulatedCard(self.path).insert()


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """What a process started inside sees."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
