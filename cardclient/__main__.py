"""`python -m cardclient` is `sigillo-card`."""

import sys

from cardclient.cli import main

if __name__ == "__main__":
    sys.exit(main())
