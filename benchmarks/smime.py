"""W12: S/MIME certificates from approval to mailed password, one worker; and the acknowledgement of a webhook.

Timed for a certificate, as one piece of work: readiness under lock, the look at CAA (a resolver in the same process),
the key made and sealed, the request stored, lint, signature and ledger, lint again, the .p12 with its password, and the
transaction that stores certificate, debit, bundle and mail. Limit: making the RSA-2048 key alone, with the same
library; `rounds` of the .p12's key derivation are shown beside, because they are slow on purpose.

The webhook is asked by eight clients at a server whose workers are stopped; each message has bytes of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import sys
import threading
import time
from collections import defaultdict
from contextlib import ExitStack

import django
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import cores, load, product_servers, report, services
from benchmarks.report import Spread, Target, percentile

ROUNDS = 2 if services.IS_QUICK else 5
ORDERS = 4 if services.IS_QUICK else 20
MESSAGES = 200 if services.IS_QUICK else 2000
CLIENTS = 8
WEBHOOK = "/api/smime/v1/identification"
WEBHOOK_SECRET = "benchmark-webhook-key"  # noqa: S105 - of this run alone
LEAST_SHARE = 0.15
MOST_MS = 300.0

Figures = dict[str, list[float]]


def main() -> int:
    """Run both halves and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers, ExitStack() as stack:
        servers.prepare()
        environment = servers.environment(SIGILLO_SMIME_IDP_WEBHOOK_SECRET=WEBHOOK_SECRET)
        os.environ.update(environment)
        django.setup()
        from benchmarks.activations import founded, issue, prepared  # noqa: PLC0415 - they need the settings

        stack.enter_context(founded())
        figures: Figures = defaultdict(list)
        for number in range(ROUNDS):
            orders = prepared(ORDERS, number)
            begun = time.process_time(), time.perf_counter()
            for order in orders:
                issue(order)
            figures["issuance"].append(ORDERS / (time.perf_counter() - begun[1]))
            figures["issuance, processor ms"].append((time.process_time() - begun[0]) / ORDERS * 1000)
            figures["bare RSA-2048"].append(_keys_per_second(ORDERS))
        stack.enter_context(cores.on(cores.REST))
        cores.keep(servers.postgres_pid, cores.REST)
        log = servers.folder / "web.log"
        port, pid = stack.enter_context(product_servers.web("config.wsgi:application", environment, log))
        for number in range(ROUNDS):
            run = _acknowledged(port, pid, number)
            figures["webhook p99 ms"].append(percentile(run.times, 0.99) * 1000)
            figures["webhooks/s"].append(run.rate)
        present(figures)
    return 0


def _keys_per_second(count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        rsa.generate_private_key(65537, 2048)
    return count / (time.perf_counter() - begun)


def _acknowledged(port: int, pid: int, number: int) -> load.Run:
    """Send signed messages of nobody, each stored before its answer; anything but 200 ends the run."""
    lines = threading.local()

    def one(body: bytes) -> None:
        line = lines.__dict__.setdefault("line", http.client.HTTPConnection("127.0.0.1", port, timeout=60))
        signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        line.request("POST", WEBHOOK, body, {"Content-Type": "application/json", "Idenfy-Signature": signature})
        answer = line.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            message = f"the webhook answered {answer.status}"
            raise AssertionError(message)

    bodies = [_message(f"{number}-{each}") for each in range(MESSAGES)]
    return load.drive(bodies, one, clients=CLIENTS, server_pid=pid)


def _message(reference: str) -> bytes:
    said = {"final": True, "scanRef": f"bench-{reference}", "clientId": reference, "status": {"overall": "APPROVED"}}
    return json.dumps(said | {"data": {"docFirstName": "ANNA", "docLastName": "PROVA"}, "fileUrls": {}}).encode()


def present(figures: Figures) -> None:
    """Print what was done, and the ratios against their targets."""
    report.print_table(["W12", "median (least to most)"], [[name, Spread.of(each)] for name, each in figures.items()])
    ratios = {
        "issuance/bare key": report.quotients(figures["issuance"], figures["bare RSA-2048"]),
        "webhook p99 ms": figures["webhook p99 ms"],
    }
    targets = {"issuance/bare key": Target(at_least=LEAST_SHARE), "webhook p99 ms": Target(at_most=MOST_MS)}
    report.conclude("smime", ratios, targets)


if __name__ == "__main__":
    sys.exit(main())
