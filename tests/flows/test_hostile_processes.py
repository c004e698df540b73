"""Bad luck with real processes: workers killed, Redis emptied, PostgreSQL restarted, no mail server.

Nothing is lost and nothing happens twice; the invariant checker runs after each.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from datetime import datetime, timedelta

import pytest
import redis
from django.conf import settings as project
from django.db import connections, transaction

from authority.gateway import EmbeddedGateway
from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Event, StockMovement
from cms.services import certificates
from cms.states import HoldCause
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from runtime import clock
from runtime.embedded.mailsink import MailSink
from tests.authority.founding import found
from tests.flows.card_holders import all_renewing, town
from tests.flows.installation import Installation, eventually
from tests.plugin import services
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.world import World

RESCAN, DRAIN, PUBLISH = "cms.tasks.rescan_requests", "notifications.tasks.drain", "authority.tasks.publish_crls"
MAILS_OF_A_RENEWAL = 3  # the invitation, the signed form, and the word that it is done


@pytest.fixture
def world(committed):
    """A CA and a centre, at the present."""
    at = clock.now()
    found(at=at)
    return World(EmbeddedGateway(), at)


@pytest.fixture
def sink(tmp_path):
    """A mail server for the processes."""
    with MailSink(tmp_path / "mails") as running:
        yield running


@pytest.fixture
def installation(world, sink, tmp_path):
    """Processes that forgive a killed worker after seconds, where an installation would wait a minute."""
    with Installation(
        tmp_path,
        SIGILLO_CMS_CA_LEASE_SECONDS="3",
        SIGILLO_CMS_CA_RETRY_SECONDS="[1]",
        SIGILLO_MAIL_SERVER_RETRY_SECONDS="1",
        SIGILLO_MAIL_REPLY_SECONDS="1",
        SIGILLO_MAIL_LEASE_SECONDS="6",
        SIGILLO_SMTP_PORT=str(sink.port),
    ) as prepared:
        yield prepared


# The table that a worker is about to write when it dies: where that is tells what it has done by then.
WHILE_ISSUING = {
    "authority_ledgerentry": "asked the CA, which has not issued yet",
    "cms_certificate": "the CA has issued, nothing of the answer is stored",
    "cms_event": "the answer is stored, not committed",
}
WHILE_CHANGING = {
    "authority_journalentry": "asked the CA, which has not suspended yet",
    "cms_event": "the CA has suspended, the answer is not committed",
}


class TestAWorkerIsKilled:
    """SIGKILL, with its pool, in the middle of carrying requests out."""

    def test_what_it_was_issuing_is_issued_once(self, world, installation, superuser):
        cases = [quick.requested(world, number, not_after=in_four_weeks(world)) for number in range(5)]
        asked = CaRequest.objects.filter(kind="issue")
        for table in WHILE_ISSUING:
            kill_a_worker_at(table, installation, superuser)
        assert asked.exclude(state="done").exists(), "the last kill came too late to prove anything"

        installation.worker()
        eventually(lambda: not asked.exclude(state="done").exists(), poking=(RESCAN,))

        issued = Counter(line.request_id for line in world.ca.ledger())
        assert {issued[request.uid] for request in asked} == {1}
        assert Counter(Certificate.objects.filter(pair__predecessor__isnull=False).values_list("pair", flat=True)) == {
            case.new_pair_id: 2 for case in RenewalCase.objects.filter(pk__in=[case.pk for case in cases])
        }
        assert Event.objects.filter(verb="certificate.issued").count() == 10
        assert_invariants(clock.now())

    def test_what_it_was_suspending_is_suspended_once(self, world, installation, superuser):
        for number in range(4):
            quick.opened(world, number, not_after=in_four_weeks(world))
        halves = Certificate.objects.all()
        with transaction.atomic():
            for half in halves.select_for_update():
                certificates.place_hold(half, HoldCause.HOLDER, days=120, actor=SYSTEM, at=world.now)
        for table in WHILE_CHANGING:
            kill_a_worker_at(table, installation, superuser)
        assert halves.filter(status="active").exists(), "the last kill came too late to prove anything"

        installation.worker()
        eventually(lambda: set(halves.values_list("status", flat=True)) == {"held"}, poking=(RESCAN,))

        assert Event.objects.filter(verb="certificate.held").count() == 8
        assert {line.status.kind.value for line in world.ca.ledger()} == {"held"}
        assert_invariants(clock.now())


def in_four_weeks(world: World) -> datetime:
    """When the old certificates end."""
    return world.now.replace(microsecond=0) + timedelta(days=28)


def kill_a_worker_at(table: str, installation: Installation, superuser) -> None:
    """Start a worker, stop it dead while it waits to write this table, and kill it there with all its processes."""
    worker = installation.worker()
    with superuser.connect() as blocker, superuser.connect() as watcher, blocker.transaction():
        blocker.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
        eventually(lambda: watcher.execute(waiting, [table]).fetchone()[0], poking=(RESCAN,))
        worker.kill()
    connections.close_all()


def test_an_emptied_redis_loses_nothing_under_load(world, installation, sink, tmp_path):
    holders = town(world, tmp_path, people=6)
    installation.worker()
    installation.web()
    with redis_emptied_all_the_time(), all_renewing(holders, installation.address):
        pass

    require_each_renewed_once(holders, world, sink)
    require_no_letter_repeated(sink)


@contextlib.contextmanager
def redis_emptied_all_the_time():
    """FLUSHALL, twenty times a second."""
    over, times = threading.Event(), []

    def flush() -> None:
        with redis.Redis.from_url(project.REDIS_URL) as client:
            while not over.wait(0.05):
                times.append(client.flushall())

    flusher = threading.Thread(target=flush)
    flusher.start()
    try:
        yield
    finally:
        over.set()
        flusher.join()
    assert len(times) > 10


def test_a_restarted_postgresql_loses_nothing_under_load(world, installation, sink, tmp_path):
    holders = town(world, tmp_path, people=6)
    worker = installation.worker()
    web = installation.web()
    connections.close_all()
    with all_renewing(holders, installation.address) as renewing:
        for answers in (8, 24, 44):  # of about eighty
            while sum(holder.answers for holder in holders) < answers:
                time.sleep(0.01)
            assert any(thread.is_alive() for thread in renewing)
            services.restart_postgres()
    connections.close_all()

    assert worker.is_running
    assert web.is_running
    assert any(holder.troubles for holder in holders), "nobody noticed anything"
    require_each_renewed_once(holders, world, sink)


def test_mails_wait_for_their_server_and_leave_once(world, installation, sink, tmp_path):
    holders = town(world, tmp_path, people=3)
    sink.stop()
    installation.worker()
    installation.web()
    with all_renewing(holders, installation.address):
        pass
    waiting = OutboxMessage.objects.filter(state="queued")
    eventually(lambda: not waiting.filter(last_error="").exists(), poking=(DRAIN,))
    assert waiting.count() == OutboxMessage.objects.count() == MAILS_OF_A_RENEWAL * len(holders)
    assert_invariants(clock.now())

    sink.start()
    require_each_renewed_once(holders, world, sink)
    require_no_letter_repeated(sink)


def require_each_renewed_once(holders, world, sink) -> None:
    """One case, one pair at CA and on the card, one debit a type, and each letter, for everybody."""
    assert {holder.endings[-1] for holder in holders} == {"Completato"}, [holder.endings for holder in holders]
    assert RenewalCase.objects.filter(state="completed").count() == RenewalCase.objects.count() == len(holders)
    eventually(lambda: not OutboxMessage.objects.exclude(state="sent").exists(), poking=(DRAIN, RESCAN, PUBLISH))
    new = Certificate.objects.filter(pair__predecessor__isnull=False).select_related("body")
    assert {bytes(half.body.der) for half in new} == set().union(*[holder.certificates for holder in holders])
    assert len(new) == 2 * len(holders)
    assert len(list(world.ca.ledger())) == 4 * len(holders)
    assert StockMovement.objects.filter(kind="debit").count() == 2 * len(holders)
    letters = {mail["message-id"]: mail for mail in sink.messages()}
    told = Counter(str(mail["to"]).strip("<>") for mail in letters.values())
    assert told == {holder.address: MAILS_OF_A_RENEWAL for holder in holders}
    assert len({bytes(mail) for mail in sink.messages()}) == len(letters), (
        "the same letter, byte for byte, if ever twice"
    )
    assert_invariants(clock.now())


def require_no_letter_repeated(sink) -> None:
    """SMTP may repeat a letter only where we could not write down that it was taken."""
    assert max(Counter(mail["message-id"] for mail in sink.messages()).values()) == 1
