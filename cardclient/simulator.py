"""A simulated card: one JSON file that behaves as a card does, with counters that lock and mishaps that can be ordered.

It is one more reader to the flow, for demonstrations and tests. It protects nothing: its keys lie in the file.
"""

from __future__ import annotations

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
    PinLength,
    PinLocked,
    PukLocked,
    WrongPin,
    WrongPuk,
)
from cardclient.ports import CardCertificate, CardKey, CardReport, CardView, KeyKind, ObjectKind, ObjectRef
from cardclient.secret import Secret
from cardclient.simulated_state import Counter, Fault, State, StoredObject

# Public ATRs of cards of the families the guides name; the last one serves every family not listed.
ATRS = {
    "AC 2014": "3BDF18008131FE7D006B020C0182011101434E53103180FC",
    "AC 2018": "3BDF18008131FE7D006B020C0182011101434E53103180FC",
    "ACe 2021": "3BFF1800008131FE45006B05052000012101434E5310318079",
    "ACx 2021": "3BFF1800008131FE45006B05052000012101434E5310318079",
}
OTHER_ATR = "3BFF1800008131FE55006B02090703010101434E5310318066"
SHORTEST_CODE, LONGEST_CODE = 5, 8
WRITES = frozenset({"generate", "install", "remove"})


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
        atr = ATRS.get(family, OTHER_ATR)
        counters = Counter.fresh(pin, tries), Counter.fresh(puk, tries)
        state = State(serial, family, atr, f"SIMULATED {family}", replaces, capacity, *counters)
        simulated_state.save(Path(path), state)
        return cls(path)

    # What happens to a card outside the program.

    def eject(self) -> None:
        """Pull the card out."""
        state = simulated_state.load(self.path)
        state.present = False
        simulated_state.save(self.path, state)

    def insert(self) -> None:
        """Put the card back; it has forgotten every login."""
        state = simulated_state.load(self.path)
        if not state.present:
            state.present, state.insertions = True, state.insertions + 1
            simulated_state.save(self.path, state)

    def plan_fault(self, operation: str, kind: str, *, when: str = "before", nth: int = 1) -> None:
        """Order a mishap: `kind` removed | device-error | memory, `when` before | after the effect of the nth call."""
        state = simulated_state.load(self.path)
        state.faults.append(Fault(operation, nth, when, kind))
        simulated_state.save(self.path, state)

    @property
    def is_present(self) -> bool:
        """Whether the card is in the reader."""
        return simulated_state.load(self.path).present

    # The Card port.

    def scan(self) -> tuple[CardView, ...]:
        """See `Card.scan`."""
        if not self.path.exists() or not self.is_present:
            raise NoCard
        with self._operation("scan") as state:
            return (_view(state),)

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
            return _view(state)

    def login(self, pin: Secret) -> None:
        """See `Card.login`."""
        with self._operation("login") as state:
            self._login = None
            _spend_pin(state, pin)
            self._login = state.insertions

    def verify_puk(self, puk: Secret) -> None:
        """See `Card.verify_puk`."""
        with self._operation("verify_puk") as state:
            self._login = None
            _spend_puk(state, puk)

    def unblock(self, puk: Secret, new_pin: Secret) -> None:
        """See `Card.unblock`."""
        with self._operation("unblock") as state:
            self._login = None
            _require_length(new_pin)
            _spend_puk(state, puk)
            state.pin = Counter.fresh(new_pin, state.pin.tries)

    def change_pin(self, pin: Secret, new_pin: Secret) -> None:
        """See `Card.change_pin`."""
        with self._operation("change_pin") as state:
            self._login = None
            _require_length(new_pin)
            _spend_pin(state, pin)
            state.pin = Counter.fresh(new_pin, state.pin.tries)

    def keys(self) -> tuple[CardKey, ...]:
        """See `Card.keys`."""
        with self._operation("keys") as state:
            public = [_public(each) for each in state.of(ObjectKind.PUBLIC_KEY)]
            private = [_public(each) for each in state.of(ObjectKind.PRIVATE_KEY)] if self._is_open(state) else []
            return (*private, *public)

    def sign(self, key: ObjectRef, data: bytes, pin: Secret) -> bytes:  # noqa: ARG002 - these keys do not ask again
        """See `Card.sign`."""
        with self._operation("sign") as state:
            self._require_login(state)
            found = _matching(state, key)
            if not found:
                raise CardError("key-missing", operation="sign")
            return simulated_keys.sign(found[0].der, data)

    def generate(self, key_id: bytes, label: str, kind: KeyKind) -> bytes:
        """See `Card.generate`."""
        with self._operation("generate") as state:
            self._require_login(state)
            if len(state.of(ObjectKind.PRIVATE_KEY)) >= state.capacity:
                raise CardUpdateError("card-memory", operation="generate")
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
            for each in _matching(state, target):
                state.objects.remove(each)

    def report(self) -> CardReport:
        """See `Card.report`."""
        with self._operation("report") as state:
            free = state.capacity - len(state.of(ObjectKind.PRIVATE_KEY))
            return CardReport("simulator", "1", state.family, free > 0, facts={"free_pairs": str(free)})

    def close(self) -> None:
        """See `Card.close`."""
        self._login = None

    @contextmanager
    def _operation(self, name: str) -> Iterator[State]:
        """Run one operation on the state: faults strike around it, and counters are kept even when it refuses."""
        state = simulated_state.load(self.path)
        if not state.present:
            raise CardRemoved(operation=name)
        fault = state.due(name)
        if fault and fault.when == "before":
            self._strike(state, fault)
        try:
            yield state
        finally:
            simulated_state.save(self.path, state)
        if fault:
            self._strike(state, fault)

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
        present = [card for card in self._cards if card.path.exists() and card.is_present]
        if not present:
            raise NoCard
        return tuple(view for card in present for view in card.scan())

    def choose(self, serial: str) -> None:
        """See `Card.choose`."""
        for card in self._cards:
            if card.is_present and card.view().serial == serial:
                self._chosen = card
                return
        raise AnotherCard if any(card.is_present for card in self._cards) else CardRemoved

    def __getattr__(self, name: str) -> object:
        """Pass every other call of the port to the chosen card; AnotherCard when only others are in."""
        if not self._chosen.is_present and any(card.is_present for card in self._cards):
            raise AnotherCard(operation=name)
        return getattr(self._chosen, name)


def _view(state: State) -> CardView:
    certificates = tuple(
        CardCertificate(bytes.fromhex(each.id), each.label, each.der) for each in state.of(ObjectKind.CERTIFICATE)
    )
    codes = state.pin.state, state.puk.state
    return CardView(
        state.serial, bytes.fromhex(state.atr), state.label, "simulator", *codes, certificates, state.replaces
    )


def _require_length(code: Secret) -> None:
    if not SHORTEST_CODE <= len(code.reveal()) <= LONGEST_CODE:
        raise PinLength


def _spend_pin(state: State, pin: Secret) -> None:
    _require_length(pin)
    if state.pin.is_locked:
        raise PinLocked
    if not state.pin.accepts(pin):
        raise PinLocked if state.pin.is_locked else WrongPin


def _spend_puk(state: State, puk: Secret) -> None:
    if state.puk.is_locked:
        raise PukLocked
    _require_length(puk)
    if not state.puk.accepts(puk):
        raise PukLocked if state.puk.is_locked else WrongPuk


def _matching(state: State, ref: ObjectRef) -> list[StoredObject]:
    found = [each for each in state.of(ref.kind) if each.id == ref.id.hex()]
    return [each for each in found if ref.digest is None or each.digest == ref.digest.hex()]


def _public(stored: StoredObject) -> CardKey:
    spki = (
        stored.der if stored.kind == ObjectKind.PUBLIC_KEY else simulated_keys.spki_of(simulated_keys.read(stored.der))
    )
    return CardKey(ObjectKind(stored.kind), bytes.fromhex(stored.id), stored.label, spki)
