"""SoftHSM2 tokens in a folder of their own, made with the system's tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MODULES = [
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
]


def module() -> Path | None:
    return next((path for path in MODULES if path.exists()), None)


def missing() -> str | None:
    """Name what the machine lacks, for a visible skip."""
    if module() is None or shutil.which("softhsm2-util") is None:
        return "softhsm2"
    return None if shutil.which("pkcs11-tool") else "opensc"


@dataclass(frozen=True)
class Token:
    folder: Path
    serial: str
    pin: str
    puk: str

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def tool(self, *arguments: str) -> str:
        """Run OpenSC's pkcs11-tool on this token, logged in."""
        command = [
            "pkcs11-tool",
            "--module",
            str(module()),
            "--login",
            "--pin",
            self.pin,
            "--token-label",
            "Sigillo",
            *arguments,
        ]
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout + done.stderr


def make_token(folder: Path, *, pin: str, puk: str, label: str = "Sigillo") -> Token:
    """Initialise one token; further calls in the same folder add further tokens."""
    tokens = folder / "tokens"
    tokens.mkdir(exist_ok=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = os.environ | {"SOFTHSM2_CONF": str(configuration)}
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", puk, "--pin", pin]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    command = ["softhsm2-util", "--show-slots"]
    shown = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    serial = next(
        re.search(r"Serial number:\s+(\S+)", part)[1]
        for part in shown.split("Slot ")[1:]
        if re.search(rf"Label:\s+{label}\b", part)
    )
    return Token(folder, serial, pin, puk)
