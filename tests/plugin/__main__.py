"""Run a command beside throw-away services: `python -m tests.plugin COMMAND ...` (for tools that need the settings)."""

from __future__ import annotations

import subprocess
import sys

from tests.plugin import services


def main() -> int:
    """Start the services, run the command to its end, stop them; its exit status is ours."""
    try:
        services.start()
        with services.superuser.connect() as superuser:
            superuser.execute("CREATE ROLE sigillo_app LOGIN")  # whom the environment names; there are no tables yet
        return subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        services.stop()


if __name__ == "__main__":
    sys.exit(main())
