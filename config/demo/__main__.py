"""`python -m config.demo run | smoke | code | people | links`.

What `make run` and `make smoke` start, who may log in, and where the links of S/MIME mails lead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from config.demo import outside, smoke, totp
from config.demo.installation import ROOT
from config.demo.run import run
from config.demo.staff import STAFF
from runtime.embedded.errors import EmbeddedError
from runtime.embedded.folder import default_folder
from runtime.embedded.supervisor import StopRequested


def main(arguments: list[str] | None = None) -> int:
    """Do one of the five; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m config.demo", description=__doc__)
    parser.add_argument("action", choices=["run", "smoke", "code", "people", "links"])
    action = parser.parse_args(arguments).action
    path = default_folder(ROOT)
    try:
        if action in {"code", "people"}:
            return _show(path, action)
        if action == "links":
            return _each(outside.links(path))
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


def _show(path: Path, what: str) -> int:
    """Print everybody's one-time code of this moment, or all that everybody needs to log in."""
    keys = path / "keys"
    if not (keys / STAFF[0].totp).exists():
        sys.stderr.write(f"Nessuna installazione in {path}: avviare prima `make run`.\n")
        return 1
    now = datetime.now(UTC)
    for colleague in [each for each in STAFF if (keys / each.totp).exists()]:
        code = totp.code_at((keys / colleague.totp).read_text().strip(), now)
        if what == "people":
            _say(f"{colleague.word:<14} {colleague.email}  password {(keys / colleague.password).read_text().strip()}")
        _say(f"{colleague.email:<28} codice {code} (vale ancora {totp.seconds_left(now)} s)")
    return 0


def _each(lines: Iterable[str]) -> int:
    for line in lines:
        _say(line)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
