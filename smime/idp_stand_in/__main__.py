"""`python -m smime.idp_stand_in --port PORT --webhook URL`: serve until SIGINT or SIGTERM.

Key and secrets come from the environment (SIGILLO_SMIME_IDP_KEY, …_IDP_SECRET, …_IDP_WEBHOOK_SECRET), as the product's
own: a command line can be read by every account of the machine.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

from smime.idp_stand_in.server import Server
from smime.idp_stand_in.sessions import Account


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; the status of the process."""
    parser = argparse.ArgumentParser(prog="sigillo-idp", description="Stands in for the identification provider.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--webhook", required=True, help="address that messages go to")
    chosen = parser.parse_args(argv)
    secret = {name: os.environ.get(f"SIGILLO_SMIME_IDP_{name}", "") for name in ("KEY", "SECRET", "WEBHOOK_SECRET")}
    if not all(secret.values()):
        parser.error("SIGILLO_SMIME_IDP_KEY, _SECRET and _WEBHOOK_SECRET must be set")
    account = Account(secret["KEY"], secret["SECRET"], chosen.webhook, secret["WEBHOOK_SECRET"])
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with Server(account, host=chosen.host, port=chosen.port) as server:
        print(f"sigillo-idp: {server.origin}", flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
