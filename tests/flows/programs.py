"""Programs of the system that check us from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.cardclient import softhsm

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_OF = {"openssl": "openssl", "pdfsig": "poppler-utils"}


def lack(*programs: str, token: bool = False) -> str | None:
    """Name the Debian package that this machine lacks, for a visible skip; None when all is there."""
    absent = [PACKAGE_OF[program] for program in programs if shutil.which(program) is None]
    return next(iter(absent), None) or (softhsm.missing() if token else None)


def run(
    *command: str | Path, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in English and UTC; what it says and its status are the caller's to judge."""
    told = {**os.environ, "LC_ALL": "C", "TZ": "UTC", **(environment or {})}
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=120
    )
