"""`python -m config.demo run | smoke | code`: what `make run` and `make smoke` start."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from config.demo import smoke, totp
from config.demo.installation import ROOT
from config.demo.run import run
from runtime.embedded.errors import EmbeddedError
from runtime.embedded.folder import default_folder
from runtime.embedded.supervisor import StopRequested


def main(arguments: list[str] | None = None) -> int:
    """Do one of the three; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m config.demo", description=__doc__)
    parser.add_argument("action", choices=["run", "smoke", "code"])
    action = parser.parse_args(arguments).action
    path = default_folder(ROOT)
    try:
        if action == "code":
            return _show_code(path)
        if action == "smoke":
            return smoke.smoke(_say)
        run(path, _say)
    except StopRequested:
        _say(f"Fermato. I dati restano in {path}." if action == "run" else "Interrotto.")
        return 0 if action == "run" else 1
    except EmbeddedError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return refusal.exit_code
    return 0


def _show_code(path: Path) -> int:
    """Print the operator's one-time code of this moment."""
    file = path / "keys" / "operator-totp"
    if not file.exists():
        sys.stderr.write(f"Nessuna installazione in {path}: avviare prima `make run`.\n")
        return 1
    now = datetime.now(UTC)
    _say(f"{totp.code_at(file.read_text().strip(), now)} (vale ancora {totp.seconds_left(now)} s)")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
