"""A simulated card: one JSON file that behaves as a card does, with counters that lock and mishaps that can be ordered.

It is one more reader to the flow, for demonstrations and tests. It protects nothing: its keys lie in the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cardclient import simulated_keys, simulated_state
from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    NoCard,
)
from cardclient.ports import CardKey, CardReport, CardView, KeyKind, ObjectKind, ObjectRef
from cardclient.secret import Secret
from cardclient.simulated_rules import (
    LONGEST_CODE,
    SHORTEST_CODE,
    atr_of,
    matching,
    public_key_of,
    reader_name,
    require_length,
    spend_pin,
    spend_puk,
    view_of,
)
from cardclient.simulated_state import Condition, Counter, Fault, State, StoredObject

WRITES = frozenset({"generate", "install", "remove"})
UNASKED = frozenset({"scan", "view", "report"})  # what a card answers whatever state it is in


class SimulatedCard:
    """The card in one file, seen through the `Card` port. Each call reads the file afresh, as a card would be asked."""

    def __init__(self, path: Path | str) -> None:
        """Use an existing file."""
        self.path = Path(path)
        self._login: int | None = None

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        serial: str,
        family: str = "ACe 2021",
        pin: Secret,
        puk: Secret,
        replaces: bool | None = None,
        capacity: int = 4,
        tries: int = 3,
    ) -> SimulatedCard:
        """Make a new card file without keys; `replaces` None leaves it to the flow, `capacity` counts key pairs."""
        counters = Counter.fresh(pin, tries), Counter.fresh(puk, tries)
        state = State(serial, family, atr_of(family), f"SIMULATED {family}", replaces, capacity, *counters)
        simulated_state.save(Path(path), state)
        return cls(path)

    # What happens to a card outside the program.

    def eject(self) -> None:
        """Pull the card out."""
        with self._changing() as state:
            state.present = False

    def insert(self) -> None:
        """Put the card, and its reader, back; it has forgotten every login."""
        with self._changing() as state:
            if not state.present:
                state.insertions += 1
            state.present = state.plugged = True

    def unplug(self) -> None:
        """Take the reader away, with the card in it; `insert` brings both back."""
        with self._changing() as state:
            state.present = state.plugged = False

    def plan_fault(self, operation: str, kind: str, *, when: str = "before", nth: int = 1) -> None:
        """Order a mishap: `kind` removed | device-error | memory, `when` before | after the effect of the nth call."""
        with self._changing() as state:
            state.faults.append(Fault(operation, nth, when, kind))

    def put_into(self, condition: Condition) -> None:
        """Make the card whole, not personalised, unreadable, or lock its PIN or PUK."""
        with self._changing() as state:
            state.enter(condition)

    def slow_down(self, seconds: float) -> None:
        """Let each generation of a pair take so long, as on a real card (guide: up to two or three minutes)."""
        with self._changing() as state:
            state.generation_seconds = seconds

    @property
    def reader(self) -> str:
        """Name of the reader this card has to itself."""
        return reader_name(self.path)

    @contextmanager
    def _changing(self) -> Iterator[State]:
        state = simulated_state.load(self.path)
        yield state
        simulated_state.save(self.path, state)

    @property
    def is_present(self) -> bool:
        """Whether the card is in the reader; a file that is not there is no card."""
        return self.path.exists() and simulated_state.load(self.path).present

    # The Card port.

    def scan(self) -> tuple[CardView, ...]:
        """See `Card.scan`."""
        if not self.is_present:
            raise NoCard
        with self._operation("scan") as state:
            return (view_of(state, self.reader),)

    def choose(self, serial: str) -> None:
        """See `Card.choose`."""
        state = simulated_state.load(self.path)
        if not state.present:
            raise CardRemoved
        if state.serial != serial:
            raise AnotherCard

    def view(self) -> CardView:
        """See `Card.view`."""
        with self._operation("view") as state:
            return view_of(state, self.reader)

    def login(self, pin: Secret) -> None:
        """See `Card.login`."""
        with self._operation("login") as state:
            self._login = None
            spend_pin(state, pin)
            self._login = state.insertions

    def verify_puk(self, puk: Secret) -> None:
        """See `Card.verify_puk`."""
        with self._operation("verify_puk") as state:
            self._login = None
            spend_puk(state, puk)

    def unblock(self, puk: Secret, new_pin: Secret) -> None:
        """See `Card.unblock`."""
        with self._operation("unblock") as state:
            self._login = None
            require_length(new_pin)
            spend_puk(state, puk)
            state.pin = Counter.fresh(new_pin, state.pin.tries)

    def change_pin(self, pin: Secret, new_pin: Secret) -> None:
        """See `Card.change_pin`."""
        with self._operation("change_pin") as state:
            self._login = None
            require_length(new_pin)
            spend_pin(state, pin)
            state.pin = Counter.fresh(new_pin, state.pin.tries)

    def keys(self) -> tuple[CardKey, ...]:
        """See `Card.keys`."""
        with self._operation("keys") as state:
            public = [public_key_of(each) for each in state.of(ObjectKind.PUBLIC_KEY)]
            private = [public_key_of(each) for each in state.of(ObjectKind.PRIVATE_KEY)] if self._is_open(state) else []
            return (*private, *public)

    def sign(self, key: ObjectRef, data: bytes, pin: Secret) -> bytes:  # noqa: ARG002 - these keys do not ask again
        """See `Card.sign`."""
        with self._operation("sign") as state:
            self._require_login(state)
            found = matching(state, key)
            if not found:
                raise CardError("key-missing", operation="sign")
            return simulated_keys.sign(found[0].der, data)

    def generate(self, key_id: bytes, label: str, kind: KeyKind) -> bytes:
        """See `Card.generate`."""
        with self._operation("generate") as state:
            self._require_login(state)
            if len(state.of(ObjectKind.PRIVATE_KEY)) >= state.capacity:
                raise CardUpdateError("card-memory", operation="generate")
            time.sleep(state.generation_seconds)
            private = simulated_keys.make(kind)
            spki = simulated_keys.spki_of(private)
            der = simulated_keys.stored(private)
            state.objects.append(StoredObject.make(ObjectKind.PRIVATE_KEY, key_id, label, der, about=spki))
            state.objects.append(StoredObject.make(ObjectKind.PUBLIC_KEY, key_id, label, spki, about=spki))
            return spki

    def install(self, key_id: bytes, label: str, certificate: bytes) -> None:
        """See `Card.install`."""
        with self._operation("install") as state:
            self._require_login(state)
            made = StoredObject.make(ObjectKind.CERTIFICATE, key_id, label, certificate, about=certificate)
            state.objects.append(made)

    def remove(self, target: ObjectRef) -> None:
        """See `Card.remove`."""
        with self._operation("remove") as state:
            self._require_login(state)
            for each in matching(state, target):
                state.objects.remove(each)

    def report(self) -> CardReport:
        """See `Card.report`."""
        with self._operation("report") as state:
            free = state.capacity - len(state.of(ObjectKind.PRIVATE_KEY))
            facts = {"free_pairs": str(free), "shortest_pin": str(SHORTEST_CODE), "longest_pin": str(LONGEST_CODE)}
            return CardReport("simulator", "1", state.family, free > 0, facts=facts)

    def close(self) -> None:
        """See `Card.close`."""
        self._login = None

    @contextmanager
    def _operation(self, name: str) -> Iterator[State]:
        """Run one operation on the state: faults strike around it, and counters are kept even when it refuses."""
        state = simulated_state.load(self.path)
        if not state.present:
            raise CardRemoved(operation=name)
        if not state.personalised and name not in UNASKED:
            raise CardError("card-not-personalised", operation=name)
        before = simulated_state.text_of(state)
        fault = state.due(name)
        if fault and fault.when == "before":
            self._strike(state, fault)
        try:
            yield state
        finally:
            was_pulled = self._keep(state, before)
        if was_pulled:
            raise CardRemoved(operation=name)
        if fault:
            self._strike(state, fault)

    def _keep(self, state: State, before: str) -> bool:
        """Save what the operation changed, and what befell the card meanwhile; tells whether it was pulled out.

        One that only looked writes nothing: the watch of the readers would else put back what a renewal has just
        removed.
        """
        now = simulated_state.load(self.path)
        was_pulled = (now.present, now.insertions) != (state.present, state.insertions)
        if simulated_state.text_of(state) != before:
            state.present, state.plugged, state.insertions = now.present, now.plugged, now.insertions
            simulated_state.save(self.path, state)
        return was_pulled

    def _strike(self, state: State, fault: Fault) -> None:
        if fault.kind == "removed":
            state.present = False
        simulated_state.save(self.path, state)
        if fault.kind == "removed":
            raise CardRemoved(operation=fault.operation)
        if fault.kind == "memory":
            raise CardUpdateError("card-memory", operation=fault.operation)
        kind = CardUpdateError if fault.operation in WRITES else CardError
        raise kind(operation=fault.operation)

    def _is_open(self, state: State) -> bool:
        return self._login == state.insertions

    def _require_login(self, state: State) -> None:
        if self._login is not None and not self._is_open(state):
            raise CardRemoved
        if not self._is_open(state):
            raise CardError("login-missing")


class SimulatedReader:
    """Several simulated cards at once, as several readers on one computer."""

    def __init__(self, cards: Sequence[SimulatedCard]) -> None:
        """Hold the cards; the first one present is chosen until `choose`."""
        self._cards = list(cards)
        self._chosen = self._cards[0]

    def scan(self) -> tuple[CardView, ...]:
        """See `Card.scan`."""
        present = self._present()
        if not present:
            raise NoCard
        views = tuple(view for card in present for view in card.scan())
        if len(present) == 1:
            self._chosen = present[0]
        return views

    def choose(self, serial: str) -> None:
        """See `Card.choose`."""
        for card in self._present():
            if card.view().serial == serial:
                self._chosen = card
                return
        raise AnotherCard if self._present() else CardRemoved

    def _present(self) -> list[SimulatedCard]:
        return [card for card in self._cards if card.is_present]

    def __getattr__(self, name: str) -> object:
        """Pass every other call of the port to the chosen card; AnotherCard when only others are in."""
        if not self._chosen.is_present and self._present():
            raise AnotherCard(operation=name)
        return getattr(self._chosen, name)
