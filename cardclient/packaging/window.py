"""Entry of the bundled window `sigillo`: no console, so nothing in it may need standard streams."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # the card's helper process is this program once more
    from cardclient.ui.app import main

    sys.exit(main())
