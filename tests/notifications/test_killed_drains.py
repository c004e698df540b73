"""Drains in processes of their own, killed in the middle of a batch while a real SMTP server writes down what it took."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from notifications import queries, services
from notifications.delivery import deliver_due
from notifications.models import OutboxMessage
from notifications.states import MessageState
from tests.notifications.letters import NOON, draft_of

pytestmark = pytest.mark.usefixtures("committed")

ROOT = Path(__file__).resolve().parents[2]
DRAIN = """
import sys, django
django.setup()
from datetime import datetime
from notifications.delivery import deliver_due
while deliver_due(at=datetime.fromisoformat(sys.argv[1])):
    pass
"""


def drain(settings, at):
    environment = {**os.environ, "SIGILLO_SMTP_HOST": "127.0.0.1", "SIGILLO_SMTP_PORT": str(settings.EMAIL_PORT)}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", DRAIN, at.isoformat()],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(server, mails, process):
    deadline = time.monotonic() + 60
    while len(server.accepted) < mails and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("mails", "kills"), [(250, 2), pytest.param(5000, 20, marks=pytest.mark.soak)], ids=["quick", "soak"]
)
def test_a_drain_killed_midway_loses_nothing_and_repeats_a_batch_at_most(mails, kills, server, settings, capsys):
    """Each kill may repeat what one batch had sent and not marked: the same letters, under the same Message-IDs."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    services.post_all([draft_of(key=f"k{number:05}") for number in range(mails)], at=NOON)
    at = NOON
    for kill in range(1, kills + 1):
        process = drain(settings, at)
        wait_for(server, int(mails * kill / (kills + 1)) + chance.randrange(60), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        at += settings.NOTIFICATIONS.lease + timedelta(seconds=60)

    while OutboxMessage.objects.filter(state=MessageState.QUEUED).exists():
        deliver_due(at=at)
        at += settings.NOTIFICATIONS.lease

    copies = Counter(message_from_bytes(content)["Message-ID"] for content in server.accepted)
    repeated = sum(copies.values()) - len(copies)
    with capsys.disabled():
        print(f"\nseed {seed}: {mails} mails, {kills} kills, {repeated} repeated")  # noqa: T201 - figures
    assert set(copies) == set(OutboxMessage.objects.values_list("message_id", flat=True)), f"seed {seed}"
    assert repeated <= kills * settings.NOTIFICATIONS.mails_per_batch, f"seed {seed}"
    assert len(set(server.accepted)) == mails, f"seed {seed}"  # a copy is the same letter, to the byte
    assert queries.count_by_state()[MessageState.SENT] == mails


def test_two_drains_of_which_one_is_killed_send_everything(server, settings):
    services.post_all([draft_of(key=f"k{number:04}") for number in range(300)], at=NOON)
    first, second = drain(settings, NOON), drain(settings, NOON)
    wait_for(server, 120, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second.wait(timeout=60)

    deliver_due(at=NOON + settings.NOTIFICATIONS.lease + timedelta(seconds=60))

    copies = Counter(message_from_bytes(content)["Message-ID"] for content in server.accepted)
    assert len(copies) == 300
    assert sum(copies.values()) - 300 <= settings.NOTIFICATIONS.mails_per_batch
    assert queries.count_by_state()[MessageState.SENT] == 300
