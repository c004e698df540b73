"""Who works in the demo: one person for each role, every one with a password and an authenticator app."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass

from config.demo.installation import ROOT


@dataclass(frozen=True, slots=True)
class Colleague:
    """An invented person of the panel. `role` is empty for an administrator of the provider."""

    name: str
    word: str
    email: str
    full_name: str
    tax_code: str
    role: str

    @property
    def password(self) -> str:
        """The name of the secret that is the password."""
        return f"{self.name}-password"

    @property
    def totp(self) -> str:
        """The name of the secret that the authenticator app holds."""
        return f"{self.name}-totp"


# The first two are shown at the start, the others by `python -m config.demo people`.
STAFF = (
    Colleague("operator", "Operatore", "operatore@example.org", "Sara Galli", "GLLSRA78S52L219L", "operator"),
    Colleague("manager", "Responsabile", "responsabile@example.org", "Nadia Orsini", "RSNNDA74P55F205B", "manager"),
    Colleague("auditor", "Revisore", "revisore@example.org", "Tullio Neri", "NRETLL66H12H501O", "auditor"),
    Colleague("root", "Amministratore", "amministratore@example.org", "Irene Vanni", "VNNRNI81E61D612R", ""),
    Colleague("second-root", "Amministratore", "amministratore2@example.org", "Bruno Sala", "SLABRN70C03L736R", ""),
)
NAMES = {colleague.name: colleague for colleague in STAFF}


def from_anywhere(command: list[str]) -> str:
    """Write a command line that works in whatever folder it is typed: it says where the modules lie."""
    return f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.join(command)}"


def of_demo(*arguments: str) -> str:
    """Write a command of the demo."""
    return from_anywhere([sys.executable, "-m", "config.demo", *arguments])
