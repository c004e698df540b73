"""A keyring for a program in a process of its own: the password lies in a file, whose place alone is in the environment.

Chosen through `PYTHON_KEYRING_BACKEND`, as `keyring` has it.
"""

from __future__ import annotations

import os
from pathlib import Path

from keyring.backend import KeyringBackend

PLACE = "TEST_HELD_PASSWORD"


def chosen(file: Path) -> dict[str, str]:
    """Return the variables that have a program use this keyring with the password in the file."""
    return {"PYTHON_KEYRING_BACKEND": f"{__name__}.HeldPassword", PLACE: str(file)}


class HeldPassword(KeyringBackend):
    """Holds one password for everybody; good enough for `SystemKeyring` by its priority."""

    priority = 5.0

    def get_password(self, service: str, username: str) -> str | None:
        return Path(os.environ[PLACE]).read_text(encoding="utf-8")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing new."""
