"""W7: a hundred thousand warning mails to a local mail server, in turns with two other ways, then killed once midway.

Product: `notifications.delivery`, which claims a batch, renders, sends over one connection and marks. Peers: Django's
`send_mail` with texts that are rendered already; for the claim alone, Celery with Redis and one task a mail that does
nothing. Limit: a bare `smtplib` loop of mails that are composed already. All speak to the same server, one process.
Afterwards every mail must have arrived; the kill may repeat one batch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import django

from benchmarks import mail_sink, report, services
from benchmarks.report import Spread, Target

if TYPE_CHECKING:
    from benchmarks.mail_sink import Sink

MAILS = int(os.environ.get("CASES", "3000" if services.IS_QUICK else "100000"))
ROUNDS = 2 if services.IS_QUICK else 5
SLICE = max(400, MAILS // 50)
ONE_BY_ONE = SLICE // 4
TASKS = 2000 if services.IS_QUICK else 4000
PRODUCT_CPU, PEER_CPU = "product, CPU ms a mail", "send_mail, CPU ms a mail"
DRAIN = """
import sys, django
django.setup()
from datetime import datetime
from notifications.delivery import deliver_due
while deliver_due(at=datetime.fromisoformat(sys.argv[1])):
    pass
"""

Rates = dict[str, list[float]]


def main() -> int:
    """Run everything and report, whatever the figures; missed targets stand in the last line."""
    with services.running() as servers:
        servers.prepare()
        with mail_sink.running(servers.folder) as sink:
            os.environ.update(servers.environment(SIGILLO_SMTP_PORT=str(sink.port)))
            django.setup()
            rates = measure(servers)
            lost, repeated = kill_midway(sink)
    present(rates, lost, repeated)
    return 0


def measure(servers: services.Servers) -> Rates:
    """Take the ways in turn, round by round."""
    from benchmarks import mail_ways  # noqa: PLC0415 - needs the settings, which need the servers
    from notifications.models import OutboxMessage  # noqa: PLC0415

    ways: Rates = {name: [] for name in ("product", "smtplib", "send_mail", "claim", "celery", PRODUCT_CPU, PEER_CPU)}
    mail_ways.store(0, MAILS)
    for number in range(ROUNDS):
        waiting = list(OutboxMessage.objects.order_by("-pk")[:SLICE])
        ours = mail_ways.product(SLICE)
        ways["smtplib"].append(mail_ways.bare_loop(waiting))
        theirs = mail_ways.one_by_one(waiting[:ONE_BY_ONE])
        for name, pace in (("product", ours), ("send_mail", theirs)):
            ways[name].append(pace.rate)
            ways[f"{name}, CPU ms a mail"].append(pace.cpu_milliseconds)
        ways["claim"].append(mail_ways.claiming(min(TASKS, MAILS // 2)))
        ways["celery"].append(mail_ways.tasks(servers, TASKS))
        print(f"round {number + 1}: {', '.join(f'{name} {rates[-1]:.3g}' for name, rates in ways.items())}", flush=True)
    return ways


def kill_midway(sink: Sink) -> tuple[int, int]:
    """Drain what is left in a process that dies half-way, and in another after the lease. Lost and repeated mails."""
    from django.conf import settings  # noqa: PLC0415

    from benchmarks.mail_ways import POSTED_AT  # noqa: PLC0415
    from notifications.models import OutboxMessage  # noqa: PLC0415
    from notifications.states import MessageState  # noqa: PLC0415

    left = OutboxMessage.objects.filter(state=MessageState.QUEUED)
    expected = set(left.values_list("message_id", flat=True))
    before = len(sink.ids())
    since = time.perf_counter()
    first = _drain(POSTED_AT.isoformat())
    while len(sink.ids()) - before < len(expected) // 2 and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    after_lease = POSTED_AT + settings.NOTIFICATIONS.lease + timedelta(hours=1)
    _drain(after_lease.isoformat()).wait()
    print(f"{len(expected)} mails with a kill midway: {time.perf_counter() - since:.0f} s", flush=True)
    arrived = Counter(sink.ids()[before:])
    return len(expected - set(arrived)) + left.count(), sum(arrived.values()) - len(arrived)


def _drain(at: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRAIN, at], cwd=services.ROOT)


def present(rates: Rates, lost: int, repeated: int) -> None:
    """Print the table and the ratios."""
    from django.conf import settings  # noqa: PLC0415

    report.print_table(
        ["a second", "median (least to most)"], [[name, Spread.of(each)] for name, each in rates.items()]
    )
    ratios = {
        "product/send_mail": report.quotients(rates["product"], rates["send_mail"]),
        "product/smtplib loop": report.quotients(rates["product"], rates["smtplib"]),
        "product/send_mail by processor time": report.quotients(rates[PEER_CPU], rates[PRODUCT_CPU]),
        "claim/celery": report.quotients(rates["claim"], rates["celery"]),
        "lost": [float(lost)],
        "repeated by the kill": [float(repeated)],
    }
    targets = {
        "product/send_mail": Target(at_least=2.2),
        "product/smtplib loop": Target(at_least=0.65),
        "claim/celery": Target(at_least=60),
        "lost": Target(at_most=0),
        "repeated by the kill": Target(at_most=settings.NOTIFICATIONS.mails_per_batch),
    }
    report.conclude("outbox", ratios, targets)


if __name__ == "__main__":
    sys.exit(main())
