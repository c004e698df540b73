"""Entry of the bundled command line `sigillo-card`; `selftest` tries the bundle itself."""

import multiprocessing
import sys


def main() -> int:
    """Run the self-test or the command line."""
    if sys.argv[1:2] == ["selftest"]:
        from cardclient.ui.selftest import main as selftest  # noqa: PLC0415 - Qt loads only where it is tried

        return selftest(sys.argv[2:])
    from cardclient.cli import main as command  # noqa: PLC0415

    return command()


if __name__ == "__main__":
    multiprocessing.freeze_support()  # the card's helper process is this program once more
    sys.exit(main())
