"""The simulated cards of the demo, handled as a reader's owner would: only through the card client's programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from config.demo.installation import ROOT, Installation
from runtime.embedded.processes import Child, start_child

CLIENT = (sys.executable, "-m", "cardclient")
PERSONALISE = (sys.executable, "-m", "cardclient.personalise")
SLOTS = ("authentication", "signature")
SERIALS = ("7430000000000001", "7430000000000002")
TS_CNS, TS_CNS_FAMILY = "7430000000000003", "ID 2019"  # one authentication certificate, to be extended
FIRST_TAX_CODE = "CNTMRN85T41F205A"  # of the holder of the first one: with the case code it opens the holder's pages


@dataclass(frozen=True)
class DemoCard:
    """One simulated card: a file, and beside it the requests and certificates of its first keys."""

    installation: Installation
    serial: str
    slots: tuple[str, ...] = SLOTS
    family: str = "ACe 2021"

    @property
    def file(self) -> Path:
        """The card."""
        return self.installation.cards / f"{self.serial}.json"

    @property
    def outcome(self) -> Path:
        """Where the client's result of the renewal goes."""
        return self.installation.cards / f"{self.serial}.renewal.json"

    @property
    def reader(self) -> tuple[str, str]:
        """How the client is told where the card is."""
        return ("--simulated", str(self.file))

    @property
    def pin_option(self) -> tuple[str, str]:
        """How the client is told the PIN: by a file, never on the command line."""
        return ("--pin-file", str(self.installation.keys / "card-pin"))

    def making(self) -> Iterator[list[str]]:
        """Command lines that make the card with its first keys and write the certificate requests beside it."""
        if not self.file.exists():
            puk = ("--puk-file", str(self.installation.keys / "card-puk"))
            named = ("--serial", self.serial, "--family", self.family)
            yield [*PERSONALISE, "create", *self.reader, *named, *self.pin_option, *puk]
        for slot in self.slots:
            yield self._personalise("request", slot, "--out", f"{self.serial}.{slot}.csr")

    def installing(self) -> Iterator[list[str]]:
        """Command lines that put the first certificates on the card."""
        for slot in self.slots:
            yield self._personalise("install", slot, "--certificate", f"{self.serial}.{slot}.crt")

    def renewal(self, server: str) -> list[str]:
        """Command line of the renewal, answering all that a holder would be asked."""
        return [*self.command("renew", server), "--accept-all", "--no-input", "--json"]

    def command(self, verb: str, server: str) -> list[str]:
        """Command line of the client on this card."""
        settings = ("--settings", str(self.installation.cards / "client"))
        return [*CLIENT, verb, *self.reader, *settings, "--server", server, *self.pin_option]

    def _personalise(self, action: str, slot: str, option: str, name: str) -> list[str]:
        target = str(self.installation.cards / name)
        return [*PERSONALISE, action, *self.reader, "--slot", slot, *self.pin_option, option, target]


def start_client(command: list[str], *, output: Path, errors: TextIO) -> Child:
    """Start the client: its result goes to `output`, its words for people to `errors`."""
    output.unlink(missing_ok=True)
    return start_child("sigillo-card", command, folder=ROOT, log=output, errors=errors)
