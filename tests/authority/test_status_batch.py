"""Many changes in one transaction: what they cost, what they mark, and an id that somebody takes at that moment."""

from __future__ import annotations

import threading
import time
from uuid import uuid4

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from authority import invariants
from authority.models import JournalEntry, LedgerEntry, UnpublishedChange
from authority.services import publication, status
from pki.batch import Order, OrderKind
from pki.errors import GatewayConflict
from pki.gateway import Profile, StatusKind
from tests.authority import asking
from tests.authority.asking import AT, later

PROFILES = list(Profile)


def certificates(gateway, number):
    return [gateway.issue(asking.request(PROFILES[turn % 2]), at=AT).ref for turn in range(number)]


def holds(refs):
    return [Order(OrderKind.HOLD, ref, uuid4()) for ref in refs]


def test_a_batch_takes_as_many_statements_for_twenty_as_for_two(gateway):
    refs = certificates(gateway, 22)
    taken = []
    for some in (refs[:2], refs[2:]):
        with CaptureQueriesContext(connection) as captured:
            gateway.change_many(holds(some), at=later(hours=1))
        taken.append(len(captured))

    assert taken[0] == taken[1] <= 10
    assert LedgerEntry.objects.filter(state="held").count() == 22


def test_a_batch_marks_each_list_once(gateway):
    refs = certificates(gateway, 6)
    publication.publish_due(AT)
    UnpublishedChange.objects.all().delete()

    gateway.change_many(holds(refs), at=later(hours=1))

    marked = UnpublishedChange.objects.values_list("crl__issuer__role", "crl__year")
    assert sorted(marked, key=str) == sorted(
        [(role, year) for role in ("cns", "signature") for year in (2026, None)], key=str
    )
    assert publication.publish_due(later(hours=1)) == 4
    assert invariants.breaches(at=later(hours=1)) == []


def test_an_id_taken_by_another_at_that_moment_hinders_only_its_own_order(committed_gateway):
    gateway = committed_gateway
    *mine, foreign = certificates(gateway, 4)
    orders = holds(mine)
    taken = threading.Event()

    def take():
        try:
            with transaction.atomic():
                status._act("hold", status._locked(foreign), "certificateHold", orders[1].request_id, AT)
                taken.set()
                time.sleep(0.5)  # until the batch waits for the same id
        finally:
            connections.close_all()

    thief = threading.Thread(target=take)
    thief.start()
    taken.wait()
    outcomes = gateway.change_many(orders, at=later(hours=1))
    thief.join()

    assert [type(outcome.failure) for outcome in outcomes] == [type(None), GatewayConflict, type(None)]
    kinds = [gateway.status(ref).kind for ref in mine]
    assert kinds == [StatusKind.HELD, StatusKind.GOOD, StatusKind.HELD]
    assert JournalEntry.objects.filter(kind="hold").count() == 3
    assert invariants.breaches(at=later(hours=1)) == []
