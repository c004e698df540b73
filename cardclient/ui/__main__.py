"""`python -m cardclient.ui` opens the window; the guard keeps the card's helper process from opening another."""

import multiprocessing
import sys

from cardclient.ui.app import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
