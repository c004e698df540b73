"""A holder whose card is a SoftHSM2 token, handled only through programs: ours to fill and renew it, OpenSC's to look."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cms.models import Holder
from cms.services import registration
from cms.services.registration import CardData
from tests.cardclient import softhsm
from tests.flows.programs import ROOT, run
from tests.renewals.world import TYPES, World

PIN, PUK = "48273", "91827364"


@dataclass(frozen=True)
class TokenHolder:
    """A person, the token in his reader, and the certificates that were on it when it was handed out."""

    token: softhsm.Token
    person: Holder
    old: dict[str, bytes]

    @classmethod
    def equip(cls, world: World, number: int, folder: Path, *, not_after: datetime) -> TokenHolder:
        """Make the old keys on a fresh token, have the CA certify them, install, and register the card."""
        folder.mkdir()
        token = softhsm.make_token(folder, pin=PIN, puk=PUK)
        (folder / "pin").write_text(PIN)
        person, old = world.person(number), {}
        for slot in TYPES:
            _personalise(token, "request", slot, "--out", folder / f"{slot}.csr")
            request = (folder / f"{slot}.csr").read_bytes()
            old[slot] = world.certify(slot, request, person, token.serial, not_after)
            (folder / f"{slot}.crt").write_bytes(old[slot])
            _personalise(token, "install", slot, "--certificate", folder / f"{slot}.crt")
        handed_out = not_after.date().replace(year=not_after.year - 3)
        card = CardData(token.serial, world.family, first_issued_on=handed_out, activated_on=handed_out)
        registration.register_card(card, holder=person, agreement=world.agreement, certificates=old, at=world.now)
        return cls(token, person, old)

    def renew(self, server: str) -> dict[str, Any]:
        """Run `sigillo-card renew` as a person would, with the PIN from a file; gives what it reports."""
        done = run(
            sys.executable, "-m", "cardclient", "renew", "--module", softhsm.module(), "--server", server,
            "--pin-file", self.token.folder / "pin", "--accept-all", "--no-input", "--json",
            "--log", self.token.folder / "client.log", folder=ROOT, environment=self.token.environment,
        )  # fmt: skip
        assert PIN not in done.stdout + done.stderr + (self.token.folder / "client.log").read_text()
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def read_back(self) -> dict[str, bytes]:
        """Every certificate on the token by the id of its object, as OpenSC's tool reads them."""
        out, found = self.token.folder / "read.der", {}
        for identifier in self.ids("cert"):
            self.token.tool("--read-object", "--type", "cert", "--id", identifier, "--output-file", str(out))
            found[identifier] = out.read_bytes()
        return found

    def ids(self, kind: str) -> list[str]:
        """Ids of the token's objects of this kind (cert, privkey, pubkey)."""
        return re.findall(r"^\s*ID:\s+([0-9a-f]+)$", self.token.tool("--list-objects", "--type", kind), re.MULTILINE)

    def sign(self, identifier: str, data: bytes) -> bytes:
        """Let the key with this id sign, through OpenSC's tool."""
        folder = self.token.folder
        (folder / "data").write_bytes(data)
        files = ("--input-file", str(folder / "data"), "--output-file", str(folder / "signature"))
        self.token.tool("--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", identifier, *files)
        return (folder / "signature").read_bytes()


def _personalise(token: softhsm.Token, action: str, slot: str, option: str, file: Path) -> None:
    done = run(
        sys.executable, "-m", "cardclient.personalise", action, "--module", softhsm.module(), "--slot", slot,
        "--pin-file", token.folder / "pin", option, file, folder=ROOT, environment=token.environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
