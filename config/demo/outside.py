"""What lies outside the product when S/MIME certificates are activated, and what stands in its place in the demo.

The identification provider, the virus scanner, the resolver and the trusted lists: each that the user has not named by
its setting is one of our stand-ins, so that an order can be followed to its .p12 without a network.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from config.demo.installation import ROOT, Installation
from runtime.embedded.mailsink import HOST, kept_messages
from runtime.embedded.processes import Child, start_child
from runtime.embedded.sockets import free_port
from runtime.embedded.supervisor import Service

PROVIDER_PORT, SCANNER_PORT, RESOLVER_PORT = 8089, 8189, 8289
WEBHOOK = "/api/smime/v1/identification"
SIGNER_KEY, SIGNER_CERTIFICATE = "signer.key.pem", "signer.crt.pem"
LISTS = "trusted-lists"
_ADDRESS = re.compile(r"https?://\S+/area-clienti/\S+")


@dataclass(frozen=True, slots=True)
class Customer:
    """The invented customer of the demo, who also signs the form of the alternative."""

    given_name: str
    surname: str
    email: str
    tax_code: str

    @property
    def full_name(self) -> str:
        """Both names."""
        return f"{self.given_name} {self.surname}"


CUSTOMER = Customer("Giulia", "Bianchi", "cliente@example.org", "BNCGLI85C41F205O")
CUSTOMER_PASSWORD = "customer-password"  # noqa: S105 - the name of a file
_SECRET: Callable[[], str] = partial(secrets.token_hex, 20)
MAKERS: Mapping[str, Callable[[], str]] = {
    CUSTOMER_PASSWORD: lambda: "-".join(secrets.token_hex(2) for _ in range(4)),
    "idp-key": _SECRET,
    "idp-secret": _SECRET,
    "idp-webhook-secret": _SECRET,
}
"""Made whenever they are missing."""


@dataclass
class Outside:
    """Names the stand-ins to the product, and starts them."""

    installation: Installation
    ours: set[str] = field(default_factory=set)

    def prepare(self) -> None:
        """Choose ports and say them to all processes that start from now on; leave alone what the user has named."""
        told = {
            "SIGILLO_SMIME_IDP_URL": f"http://{HOST}:{free_port(PROVIDER_PORT)}",
            "SIGILLO_SMIME_CLAMD": f"{HOST}:{free_port(SCANNER_PORT)}",
            "SIGILLO_SMIME_RESOLVER": f"{HOST}:{free_port(RESOLVER_PORT)}",
            "SIGILLO_SMIME_TRUSTED_LISTS_FOLDER": str(self.lists),
        }
        self.ours = {name for name in told if name not in os.environ}
        if "SIGILLO_SMIME_IDP_URL" in self.ours:
            told |= {
                f"SIGILLO_SMIME_{name.replace('-', '_').upper()}": self.installation.secret(name)
                for name in MAKERS
                if name.startswith("idp-")
            }
        self.installation.addresses |= {name: value for name, value in told.items() if name not in os.environ}

    def seeding(self) -> list[str]:
        """The command that settles customer, activations and lists."""
        command = ["activations_demo", f"--password={self.installation.keys / CUSTOMER_PASSWORD}"]
        is_ours = "SIGILLO_SMIME_TRUSTED_LISTS_FOLDER" in self.ours
        return [*command, f"--lists={self.lists}"] if is_ours else command

    @property
    def lists(self) -> Path:
        """The folder of the trusted lists."""
        return self.installation.data.private(LISTS)

    def services(self, base_url: str) -> Iterator[Service]:
        """The provider's stand-in, told where its messages go; then scanner and resolver."""
        if "SIGILLO_SMIME_IDP_URL" in self.ours:
            port = self._port("SIGILLO_SMIME_IDP_URL")
            command = ["smime.idp_stand_in", f"--port={port}", f"--webhook={base_url}{WEBHOOK}"]
            yield Service("riconoscimento", partial(self._start, "riconoscimento", command))
        if self.ours & {"SIGILLO_SMIME_CLAMD", "SIGILLO_SMIME_RESOLVER"}:
            scanner, resolver = self._port("SIGILLO_SMIME_CLAMD"), self._port("SIGILLO_SMIME_RESOLVER")
            command = ["config.demo.stand_ins", f"--clamd={scanner}", f"--resolver={resolver}"]
            yield Service("antivirus-e-dns", partial(self._start, "antivirus-e-dns", command))

    def _port(self, name: str) -> str:
        """The port that was chosen for a stand-in, or any where the user has named a server of his own."""
        if name not in self.ours:
            return "0"
        return self.installation.addresses[name].rpartition(":")[2]

    def _start(self, name: str, command: list[str]) -> Child:
        return start_child(
            name,
            [sys.executable, "-m", *command],
            folder=ROOT,
            environment=self.installation.environment(),
            log=self.installation.logs / f"{name}.log",
        )


def links(path: Path) -> Iterator[str]:
    """Tell the addresses that the S/MIME mails so far carry, the newest last: for whom, what about, where to."""
    for mail in kept_messages(path / "mails"):
        if "smime-" not in str(mail["List-Id"]):
            continue
        part = mail.get_body(("plain",))
        found = _ADDRESS.search(part.get_content()) if part else None
        if found:
            yield f"{mail['To']}  {mail['Subject']}\n    {found[0]}"
