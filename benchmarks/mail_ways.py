"""The ways to get mails out that the outbox benchmark compares. Needs the product's settings."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection

from benchmarks.peers import mail_tasks
from benchmarks.services import ROOT, Servers
from notifications import envelope, queries, services
from notifications.catalog import Message
from notifications.delivery import deliver_due
from notifications.models import OutboxMessage
from notifications.rendering import render
from notifications.services import Draft
from runtime.claims import claim_many, give_back

POSTED_AT = datetime(2027, 2, 10, 9, 0, tzinfo=UTC)
_STORED_TOGETHER = 2000


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast mails went: by the wall's clock, and by this process's use of the processor."""

    mails: int
    seconds: float
    cpu_seconds: float

    @classmethod
    def begun(cls, mails: int) -> Pace:
        """Start both clocks."""
        return cls(mails, -time.perf_counter(), -time.process_time())

    def ended(self) -> Pace:
        """Stop them."""
        return Pace(self.mails, self.seconds + time.perf_counter(), self.cpu_seconds + time.process_time())

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        """Processor time of one mail in this process."""
        return self.cpu_seconds / self.mails * 1000


def draft(number: int) -> Draft:
    """One of many warnings: each to another holder, about another card, with another deadline; of forty centres."""
    expires = datetime(2027, 3, 12, 9, 15, tzinfo=UTC) + timedelta(minutes=number % 40_000)
    centre = number % 40
    code = f"R{number:08d}"
    context = {
        "holder_name": f"Ada Bianchi {number}",
        "case_code": code,
        "centre_name": f"Ordine degli Ingegneri di Forlì {centre}",
        "centre_email": f"rinnovi{centre}@ordine.example.org",
        "centre_phone": "+39 0543 123456",
        "purchase_url": "https://ordine.example.org/acquisto",
        "old_not_after": expires.isoformat(),
        "card_serial": f"74300{number:011d}",
        "service_name": "CNS Like – eIDAS Firma Digitale",
        "authorise_by": expires.isoformat(),
        "suspend_at": (expires + timedelta(seconds=1)).isoformat(),
        "days": 30,
        "recoverable_days": 120,
    }
    return Draft(
        key=f"suspension-warning:{number}:30",
        message=Message.SUSPENSION_WARNING,
        to=f"ada.bianchi.{number}@posta.example.org",
        context=context,
        case_code=code,
    )


def store(first: int, mails: int) -> None:
    """Post so many warnings, the first with that number."""
    for start in range(first, first + mails, _STORED_TOGETHER):
        stop = min(start + _STORED_TOGETHER, first + mails)
        services.post_all([draft(number) for number in range(start, stop)], at=POSTED_AT)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_outboxmessage")


def product(mails: int) -> Pace:
    """Drain so many: claim, read, render, send, mark."""
    pace = Pace.begun(mails)
    sent = 0
    while sent < mails:
        sent += deliver_due(at=POSTED_AT, limit=min(500, mails - sent))
    return pace.ended()


def one_by_one(rows: Sequence[OutboxMessage]) -> Pace:
    """Django's `send_mail` for each, of texts that were rendered before: the peer."""
    rendered = [render(row) for row in rows]
    pace = Pace.begun(len(rows))
    for row, texts in zip(rows, rendered, strict=True):
        send_mail(texts.subject, texts.text, settings.DEFAULT_FROM_EMAIL, [row.recipient], html_message=texts.html)
    return pace.ended()


def bare_loop(rows: Sequence[OutboxMessage]) -> float:
    """`smtplib` on one connection with mails that are composed already: the limit. Mails a second."""
    composed = [(row.recipient, envelope.compose(row)) for row in rows]
    line = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname="localhost")
    line.ehlo()
    since = time.perf_counter()
    for recipient, content in composed:
        line.mail(envelope.sender())
        line.rcpt(recipient)
        line.data(content)
    spent = time.perf_counter() - since
    line.quit()
    return len(rows) / spent


def claiming(mails: int) -> float:
    """Claim so many in batches as a drain does, without sending. Claims a second; all are given back afterwards."""
    batch = settings.NOTIFICATIONS.mails_per_batch
    fences: dict[uuid.UUID, int] = {}
    since = time.perf_counter()
    while len(fences) < mails:
        fences |= claim_many(queries.waiting(), most=batch, at=POSTED_AT, lease=timedelta(hours=1))
    rate = len(fences) / (time.perf_counter() - since)
    give_back(OutboxMessage, fences)
    return rate


def tasks(servers: Servers, mails: int) -> float:
    """One Celery task a mail, two processes: publish all, then count how fast they are run. Tasks a second."""
    mail_tasks.app.conf.broker_url = settings.CELERY_BROKER_URL
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}  # whose log costs it
    environment = {**ours, "BENCH_BROKER": settings.CELERY_BROKER_URL}
    with mail_tasks.app.producer_or_acquire() as producer:
        for number in range(mails):
            mail_tasks.send.apply_async((str(number),), producer=producer)
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.mail_tasks", "worker", "-c", "2", "-l", "ERROR"]
    worker = subprocess.Popen([*command, "--without-gossip", "--without-mingle"], cwd=ROOT, env=environment)
    try:
        return _rate_of(servers, mails)
    finally:
        worker.terminate()
        worker.wait()


def _rate_of(servers: Servers, mails: int) -> float:
    """Time from a tenth of the queue to its end, so that the worker's start does not count."""
    with redis.Redis.from_url(servers.redis.url) as broker:
        started, since = mails, 0.0
        while (left := int(broker.llen("mails"))) > 0:
            if not since and left < mails * 0.9:
                started, since = left, time.perf_counter()
            time.sleep(0.005)
    return started / (time.perf_counter() - since)
