"""Run a command beside throw-away services: `python -m tests.plugin COMMAND ...` (for tools that need the settings)."""

from __future__ import annotations

import subprocess
import sys

from tests.plugin import services


def main() -> int:
    """Start the services, run the command to its end, stop them; its exit status is ours."""
    try:
        services.start()
        return subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        services.stop()


if __name__ == "__main__":
    sys.exit(main())
