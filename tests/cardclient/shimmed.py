"""The test card (`p11shim.c` over SoftHSM2): built once, with cards that are told from outside what to do."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cardclient.card_pkcs11 import Pkcs11Card
from tests.cardclient import softhsm

HEADERS = Path("/usr/include/p11-kit-1")
CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY = "0x5", "0x6", "0x30", "0x31"
READER = "Lettore di prova 00 00"


def missing() -> str | None:
    """Name what the machine lacks, for a visible skip."""
    lacks_gcc = None if shutil.which("gcc") else "gcc"
    return softhsm.missing() or lacks_gcc or (None if HEADERS.exists() else "libp11-kit-dev")


def build(folder: Path) -> Path:
    """Compile the module; under a second."""
    built = folder / "p11shim.so"
    source = Path(__file__).with_name("p11shim.c")
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source)]
    subprocess.run([*command, f"-I{HEADERS}", "-ldl"], check=True, timeout=60)
    return built


@dataclass(frozen=True)
class ShimmedCard:
    """One card on the test module and what happens to it from outside; the words are those of `p11shim.c`."""

    root: Path
    folder: Path
    token: softhsm.Token
    module: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the module reads; set it before a card process starts."""
        shim = {"P11SHIM_DIR": str(self.root), "P11SHIM_MODULE": str(softhsm.module())}
        return self.token.environment | shim

    @property
    def serial(self) -> str:
        """The serial number that the card tells."""
        return self.settings.get("serial", self.token.serial)

    def card(self, **limits: float) -> Pkcs11Card:
        return Pkcs11Card(str(self.module), limits=limits)

    def eject(self) -> None:
        (self.folder / "out").touch()

    def insert(self) -> None:
        """Put the card (and its reader) back; whatever was open on it is forgotten."""
        count = self.folder / "insertions"
        if (self.folder / "out").exists() or (self.folder / "unplugged").exists():
            count.write_text(str(int(count.read_text()) + 1 if count.exists() else 1))
        (self.folder / "unplugged").unlink(missing_ok=True)
        (self.folder / "out").unlink(missing_ok=True)

    def unplug(self) -> None:
        """Take the reader away, with the card in it."""
        (self.folder / "unplugged").touch()

    def say(self, **settings: str) -> None:
        """Change what the card says of itself: `label="…"`, `set_flags="0x40000"`; an empty text takes it back."""
        self.settings.update({key.replace("_", "-"): value for key, value in settings.items()})
        lines = [f"{key} {value}\n" for key, value in self.settings.items() if value]
        (self.folder / "card").write_text("".join(lines))

    def set_tries(self, *, pin: int = 3, puk: int = 3) -> None:
        """Set how many tries are left."""
        (self.folder / "pin_left").write_text(f"{pin}\n")
        (self.folder / "puk_left").write_text(f"{puk}\n")

    def plan(self, function: str, what: str, *, when: str = "before", nth: int = 1) -> None:
        """Order one mishap, at the nth call of a function from now on; several may be planned."""
        with (self.root / "fault").open("a") as file:
            file.write(f"{function} {nth} {when} {what}\n")

    @property
    def fault_is_spent(self) -> bool:
        """Whether every mishap ordered has happened."""
        return not (self.root / "fault").exists()

    def record_calls(self) -> None:
        """Start a fresh log of calls and results, without arguments."""
        (self.root / "calls").write_text("")

    @property
    def calls(self) -> list[tuple[str, int]]:
        """Name and return value of each call since `record_calls`."""
        lines = (self.root / "calls").read_text().splitlines()
        return [(name, int(result, 16)) for name, result in (line.split() for line in lines)]


def make(root: Path, module: Path, *, pin: str, puk: str, label: str = "Sigillo", alone: bool = True) -> ShimmedCard:
    """Initialise a card; each of several in one folder (`alone` False) has its own counters and its own absence."""
    token = softhsm.make_token(root, pin=pin, puk=puk, label=label)
    folder = root if alone else root / token.serial
    folder.mkdir(exist_ok=True)
    return ShimmedCard(root, folder, token, module)


def put_in(monkeypatch: object, card: ShimmedCard) -> ShimmedCard:
    """Let processes started from now on see the card."""
    for name, value in card.environment.items():
        monkeypatch.setenv(name, value)  # type: ignore[attr-defined]
    return card
