"""Every card on this computer as one `Card`: PC/SC tells reader and ATR, the family's driver reads and writes.

Each driver's module runs in a process of its own. One that is missing, crashes or hangs is named and passed over; the
next one is tried, the family's own first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    ClientError,
    DriverError,
    DriverNeeded,
    NoCard,
    NotRenewable,
)
from cardclient.ports import Card, CardView, Readers, ReaderState
from cardclient.readers.families import Families, Guess, known
from cardclient.readers.modules import Module, installed, ordered_for
from cardclient.readers.names import is_same_reader
from cardclient.readers.pcsc import PcscReaders
from cardclient.readers.verdicts import FAMILY_REFUSED, judged
from cardclient.words import tr

LOG = logging.getLogger("cardclient.readers")
SILENT, UNRECOGNISED = "card-silent", "card-unrecognised"


@dataclass(frozen=True, slots=True)
class Unread:
    """A card that no driver here reads: in which reader, what the ATR says of it, and what stopped each module.

    `problems` are pairs of a module's file name and a code.
    """

    state: ReaderState
    guess: Guess | None
    problems: tuple[tuple[str, str], ...] = ()

    def error(self) -> ClientError:
        """Return the error that says what is wrong with it, the curable first."""
        if self.state.atr == b"":
            return CardError(SILENT)
        if self.guess and self.guess.refusal:
            return NotRenewable(FAMILY_REFUSED, advice=tr(self.guess.refusal))
        if self.problems:
            return DriverError(self.problems[0][1], operation=self.problems[0][0])
        if self.guess and self.guess.driver:
            return DriverNeeded(self.guess.name, self.guess.driver.name, self.guess.driver.address)
        return CardError(UNRECOGNISED)


class ReaderCards:
    """The `Card` port over all readers and drivers of this computer; calls go to the chosen card's module."""

    def __init__(
        self,
        readers: Readers,
        *,
        families: Families | None = None,
        find_modules: Callable[[], Sequence[Module]] = installed,
        open_module: Callable[[str], Card] = Pkcs11Card,
    ) -> None:
        """Read with these; modules are looked for at each scan, because a driver may be installed meanwhile."""
        self._readers = readers
        self._families = families or known()
        self._find_modules = find_modules
        self._open_module = open_module
        self._opened: dict[str, Card] = {}
        self._module_of: dict[str, str] = {}  # by serial, as the last scan found it
        self._seen: dict[str, CardView] = {}
        self._chosen: Card | None = None
        self._unread: tuple[Unread, ...] = ()

    @classmethod
    def of_this_computer(cls) -> ReaderCards:
        """Use this computer's readers and the drivers installed on it."""
        return cls(PcscReaders.of_this_computer())

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Cards of the last scan that no driver read, for the diagnosis."""
        return self._unread

    def scan(self) -> tuple[CardView, ...]:
        """See `Card.scan`; where no card can be read raises what stands against the first (`Unread.error`)."""
        present = [each for each in self._readers.snapshot() if each.atr is not None]
        look = _Look(self._families, self._find_modules(), self._module)
        found = [(each, look.at(each, alone=len(present) == 1)) for each in present]
        views = tuple(view for _, view in found if isinstance(view, CardView))
        self._unread = tuple(each for _, each in found if isinstance(each, Unread))
        self._module_of = look.module_of
        self._seen = {view.serial: view for view in views}
        self._close_all_but(set(look.module_of.values()))
        if not views:
            raise self._unread[0].error() if self._unread else NoCard
        if len(views) == 1:
            self.choose(views[0].serial)
        return views

    def choose(self, serial: str) -> None:
        """See `Card.choose`."""
        module = self._module_of.get(serial)
        if module is None:
            raise AnotherCard if any(each.atr for each in self._readers.snapshot()) else CardRemoved
        self._chosen = self._module(module)
        self._chosen.choose(serial)

    def view(self) -> CardView:
        """See `Card.view`."""
        view = self._card().view()
        before = self._seen.get(view.serial, view)
        placed = replace(view, atr=before.atr, reader=before.reader)
        return judged(placed, families=self._families, module=self._module_of.get(view.serial, ""))

    def close(self) -> None:
        """See `Card.close`: every module's process ends."""
        self._close_all_but(set())

    def __getattr__(self, name: str) -> Any:
        """Pass every other call of the port to the chosen card's module."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._card(), name)

    def _card(self) -> Card:
        if self._chosen is None:
            raise CardError("card-absent")
        return self._chosen

    def _close_all_but(self, kept: set[str]) -> None:
        """End the processes of modules that read no card: each costs memory."""
        for path in set(self._opened) - kept:
            self._opened.pop(path).close()

    def _module(self, path: str) -> Card:
        """Return the module's card, opened once; its process starts at its first call."""
        if path not in self._opened:
            self._opened[path] = self._open_module(path)
        return self._opened[path]


class _Look:
    """One look at all readers: each module is asked once, and only if a card needs it."""

    def __init__(self, families: Families, modules: Iterable[Module], open_module: Callable[[str], Card]) -> None:
        self._families = families
        self._modules = tuple(modules)
        self._open = open_module
        self._told: dict[str, tuple[CardView, ...] | CardError] = {}
        self.module_of: dict[str, str] = {}

    def at(self, state: ReaderState, *, alone: bool) -> CardView | Unread:
        """Read the card in a reader with the first module that can; `alone`: it is the only card on the computer."""
        guess = self._families.by_atr(state.atr)
        problems = []
        for module in ordered_for(guess, self._modules) if state.atr and not (guess and guess.refusal) else ():
            told = self._ask(module)
            if isinstance(told, CardError):
                problems.append((module.name, told.code))
                continue
            view = _in_reader(state, told, alone=alone)
            if view is not None:
                self.module_of[view.serial] = module.path
                view = replace(view, atr=state.atr, reader=state.name)
                return judged(view, families=self._families, module=module.path, guess=guess)
        return Unread(state, guess, tuple(problems))

    def _ask(self, module: Module) -> tuple[CardView, ...] | CardError:
        """Have a module read its cards, once; one that fails is named in the log and passed over."""
        if module.path not in self._told:
            try:
                self._told[module.path] = self._open(module.path).scan()
            except NoCard:
                self._told[module.path] = ()
            except CardError as problem:
                LOG.warning("module %s: %s", module.name, problem.code)
                self._told[module.path] = problem
        return self._told[module.path]


def _in_reader(state: ReaderState, views: Sequence[CardView], *, alone: bool) -> CardView | None:
    """Find the view of the card in this reader: by name, or as the only card where the driver names it otherwise."""
    named = [each for each in views if is_same_reader(state.name, each.reader)]
    if named:
        return named[0]
    return views[0] if alone and len(views) == 1 else None
