"""The file behind a simulated card: objects, counters and faults; every change is written whole or not at all."""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cardclient.ports import CodeState, ObjectKind
from cardclient.secret import Secret

VERSION = 1
SCRYPT = {"n": 2**10, "r": 8, "p": 1}  # cheap on purpose: the file protects nobody, it only must not show the PIN


@dataclass(slots=True)
class Counter:
    """A PIN or PUK: salted hash, and how many wrong entries are left before it locks."""

    salt: str
    digest: str
    tries: int
    left: int

    @classmethod
    def fresh(cls, code: Secret, tries: int) -> Counter:
        """Hash a code and give it all its tries."""
        salt = secrets.token_hex(8)
        return cls(salt, _digest(code, salt), tries, tries)

    @property
    def state(self) -> CodeState:
        """What a token's flags would say of this counter."""
        if self.left == 0:
            return CodeState.LOCKED
        if self.left == self.tries:
            return CodeState.OK
        return CodeState.LAST_TRY if self.left == 1 else CodeState.TRIED

    @property
    def is_locked(self) -> bool:
        """Whether no try is left."""
        return self.left == 0

    def accepts(self, code: Secret) -> bool:
        """Compare and count: right restores all tries, wrong uses one up, locked refuses whatever comes."""
        if self.left == 0:
            return False
        right = hmac.compare_digest(_digest(code, self.salt), self.digest)
        self.left = self.tries if right else self.left - 1
        return right


@dataclass(slots=True)
class StoredObject:
    """One object: DER of a certificate, an SPKI, or a PKCS #8 private key, base64."""

    kind: str
    id: str
    label: str
    data: str
    digest: str

    @classmethod
    def make(cls, kind: ObjectKind, object_id: bytes, label: str, der: bytes, *, about: bytes) -> StoredObject:
        """Store `der`; `about` is what names the object: the certificate, or the public key of the pair."""
        digest = hashlib.sha256(about).hexdigest()
        return cls(kind.value, object_id.hex(), label, base64.b64encode(der).decode(), digest)

    @property
    def der(self) -> bytes:
        """The stored bytes."""
        return base64.b64decode(self.data)


@dataclass(slots=True)
class Fault:
    """A mishap that happens once: at the nth call of an operation from now, before or after its effect."""

    operation: str
    nth: int
    when: str
    kind: str


class Condition(enum.StrEnum):
    """What a training card can be put into, beside being out or failing once."""

    WHOLE = "whole"
    NOT_PERSONALISED = "not-personalised"
    UNREADABLE = "unreadable"
    PIN_LAST_TRY = "pin-last-try"
    PIN_LOCKED = "pin-locked"
    PUK_LOCKED = "puk-locked"


@dataclass(slots=True)
class State:
    """Everything a simulated card is."""

    serial: str
    family: str
    atr: str
    label: str
    replaces: bool | None
    capacity: int
    pin: Counter
    puk: Counter
    present: bool = True
    insertions: int = 1
    objects: list[StoredObject] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    plugged: bool = True
    personalised: bool = True
    readable: bool = True
    generation_seconds: float = 0.0

    def enter(self, condition: Condition) -> None:
        """Become whole, then what the condition says."""
        self.personalised = condition is not Condition.NOT_PERSONALISED
        self.readable = condition is not Condition.UNREADABLE
        self.pin.left = {Condition.PIN_LOCKED: 0, Condition.PIN_LAST_TRY: 1}.get(condition, self.pin.tries)
        self.puk.left = 0 if condition is Condition.PUK_LOCKED else self.puk.tries

    def due(self, operation: str) -> Fault | None:
        """Count a call of an operation and return the fault it meets, which is then used up."""
        for fault in [each for each in self.faults if each.operation == operation]:
            fault.nth -= 1
            if fault.nth <= 0:
                self.faults.remove(fault)
                return fault
        return None

    def of(self, kind: ObjectKind) -> list[StoredObject]:
        """All objects of a kind."""
        return [each for each in self.objects if each.kind == kind]


def load(path: Path) -> State:
    """Read the file; raises ValueError for anything that is not a simulated card."""
    value: Any = json.loads(path.read_text("utf-8"))
    if not isinstance(value, dict) or value.pop("version", None) != VERSION:
        raise ValueError(path.name)
    value["pin"], value["puk"] = Counter(**value["pin"]), Counter(**value["puk"])
    value["objects"] = [StoredObject(**each) for each in value["objects"]]
    value["faults"] = [Fault(**each) for each in value["faults"]]
    return State(**value)


def text_of(state: State) -> str:
    """Write down the card as its file holds it."""
    return json.dumps({"version": VERSION, **asdict(state)}, indent=1)


def save(path: Path, state: State) -> None:
    """Replace the file atomically, readable by its owner only."""
    text = text_of(state)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(code: Secret, salt: str) -> str:
    return hashlib.scrypt(code.reveal().encode(), salt=bytes.fromhex(salt), dklen=32, **SCRYPT).hex()
