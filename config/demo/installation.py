"""One demo installation: its data folder, its secrets, and the environment that its processes see."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from runtime.embedded.errors import FolderRefused
from runtime.embedded.folder import DataFolder

ROOT = Path(__file__).resolve().parents[2]
CARD_CODE_DIGITS = "0123456789"

# What is made once, at the first start, and never again: a lost sealing key makes the CA's keys unreadable.
MAKERS: Mapping[str, Callable[[], str]] = {
    "secret-key": lambda: secrets.token_urlsafe(48),
    "sealing-keys": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "card-pin": lambda: "".join(secrets.choice(CARD_CODE_DIGITS) for _ in range(8)),
    "card-puk": lambda: "".join(secrets.choice(CARD_CODE_DIGITS) for _ in range(8)),
}

# Made whenever they are missing: an account that has others already keeps those.
STAFF_MAKERS: Mapping[str, Callable[[], str]] = {
    "password": lambda: "-".join(secrets.token_hex(2) for _ in range(4)),
    "totp": lambda: base64.b32encode(secrets.token_bytes(20)).decode(),
}


@dataclass
class Installation:
    """The opened folder and what its processes are told. Addresses are filled in as the services start."""

    data: DataFolder
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> Path:
        """The folder of the secrets, one file each, 0600."""
        return self.data.private("keys")

    @property
    def logs(self) -> Path:
        """The folder of the services' output."""
        return self.data.private("logs")

    @property
    def mails(self) -> Path:
        """The folder where mails end up."""
        return self.data.private("mails")

    @property
    def cards(self) -> Path:
        """The folder of the simulated cards."""
        return self.data.private("cards")

    @property
    def heartbeats(self) -> Path:
        """The folder of the signs of life."""
        return self.data.private("heartbeats")

    def secret(self, name: str) -> str:
        """Read a secret that `make_secrets` has made."""
        return (self.keys / name).read_text().strip()

    def make_secrets(self, *, database_exists: bool) -> None:
        """Make the missing secrets; raise `FolderRefused` where a database exists that was sealed with lost ones."""
        missing = [name for name in MAKERS if not (self.keys / name).exists()]
        if missing and database_exists:
            raise _keys_lost(self.keys, missing)
        for name in missing:
            _write_private(self.keys / name, MAKERS[name]())

    def make_staff_secrets(self, names: Iterable[str]) -> None:
        """Make passwords and one-time keys of people who have none yet."""
        for name, (kind, make) in product(names, STAFF_MAKERS.items()):
            file = self.keys / f"{name}-{kind}"
            if not file.exists():
                _write_private(file, make())

    def make_missing(self, makers: Mapping[str, Callable[[], str]]) -> None:
        """Make each secret that is not there yet."""
        for name, make in makers.items():
            if not (self.keys / name).exists():
                _write_private(self.keys / name, make())

    def environment(self, **more: str) -> dict[str, str]:
        """Return what a process of this installation sees: our values, beside what the user has set himself."""
        ours = {
            "SIGILLO_SECRET_KEY": self.secret("secret-key"),
            "SIGILLO_SEALING_KEYS": self.secret("sealing-keys"),
            "SIGILLO_FROM_EMAIL": "Sigillo <sigillo@example.org>",
            "SIGILLO_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "SIGILLO_HEARTBEAT_FOLDER": str(self.heartbeats),
            **self.addresses,
            **more,
        }
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        return {**inherited, **ours, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}

    def manage(self, *arguments: str) -> list[str]:
        """Return the command line of a command of `manage.py`."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
    draft.rename(path)


def _keys_lost(folder: Path, missing: list[str]) -> FolderRefused:
    names = ", ".join(missing)
    return FolderRefused(
        f"In {folder} mancano {names}, ma la base dati esiste: senza queste chiavi i suoi segreti non si aprono. "
        "Nulla è stato modificato. Ripristinarle da una copia, oppure spostare tutta la cartella dei dati.",
        f"{names} missing in {folder} although the database exists: without these keys its secrets cannot be opened. "
        "Nothing was changed. Restore them from a copy, or move the whole data folder away.",
    )
