"""Whatever is ordered, and whoever publishes or dies while publishing: the lists show the ledger, and never go back."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from django.db import DatabaseError, connection, connections

from authority.models import Crl, LedgerEntry, UnpublishedChange
from authority.services import publication
from authority.states import State
from pki import lint
from pki.errors import GatewayConflict
from pki.gateway import RevocationReason
from tests.authority import asking, lists
from tests.authority.asking import AT, later

STEPS = 60


class Follower:
    """A relying party with a memory: compares each list with the one before, and all with the ledger."""

    def __init__(self) -> None:
        self.numbers, self.dates, self.digests, self.revoked = {}, {}, {}, {}

    def look(self) -> None:
        shown = {row.pk: self._read(row) for row in Crl.objects.select_related("issuer").filter(number__gt=0)}
        for row in Crl.objects.filter(issuer__role="cns", year__isnull=True):
            shards = Crl.objects.filter(issuer=row.issuer, year__isnull=False, number__gt=0)
            assert sorted(shown[row.pk]) == sorted(line for shard in shards for line in shown[shard.pk])
            listed = LedgerEntry.objects.filter(issuer=row.issuer).exclude(state=State.GOOD)
            assert sorted(shown[row.pk]) == sorted(listed.values_list("serial", "reason"))

    def _read(self, row):
        crl = lists.crl(row.issuer.role, row.year)
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        digest = bytes(row.sha256)
        assert number == row.number
        if self.digests.get(row.pk, digest) == digest:
            assert number == self.numbers.get(row.pk, number)
        else:
            assert number > self.numbers[row.pk]
        assert crl.last_update_utc >= self.dates.get(row.pk, crl.last_update_utc)
        lines = [
            (line.serial_number, line.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
            for line in crl
        ]
        final = {line for line in lines if line[1] != x509.ReasonFlags.certificate_hold.value}
        assert self.revoked.get(row.pk, set()) <= final
        self.numbers[row.pk], self.dates[row.pk], self.digests[row.pk] = number, crl.last_update_utc, digest
        self.revoked[row.pk] = final
        return lines


@pytest.mark.parametrize("seed", [random.SystemRandom().randrange(10**9)])
def test_lists_show_the_ledger_after_any_orders(gateway, seed):
    chance, follower, at = random.Random(seed), Follower(), AT
    refs = [gateway.issue(asking.request(), at=later(days=400 * (n % 2))).ref for n in range(6)]
    for _ in range(STEPS):
        at += timedelta(seconds=chance.choice([0, 1, 5, 3600, 50_000]))
        instant = at - timedelta(seconds=chance.choice([0, 0, 0, 7]))  # clocks of two machines differ
        with suppress(GatewayConflict):  # a revoked one stays so
            _order(gateway, chance, chance.choice(refs), instant)
        if chance.random() < 0.5:
            publication.publish_due(instant)
            follower.look()
    publication.publish_due(at)
    follower.look()
    assert not UnpublishedChange.objects.exists()


def _order(gateway, chance, ref, at):
    kind = chance.choices(["hold", "release", "revoke"], [5, 4, 1])[0]
    if kind == "revoke":
        gateway.revoke(ref, reason=chance.choice(list(RevocationReason)), request_id=uuid4(), at=at)
    else:
        getattr(gateway, kind)(ref, request_id=uuid4(), at=at)


def test_a_publisher_that_dies_midway_takes_no_mark_with_it(committed_gateway, superuser, monkeypatch):
    """Its database session ends while it signs, with its process; another publisher goes on at once."""
    gateway, follower = committed_gateway, Follower()
    follower.look()
    gateway.hold(gateway.issue(asking.request(), at=AT).ref, request_id=uuid4(), at=AT)
    signing, is_dead, sessions = threading.Event(), threading.Event(), []
    require, publisher = lint.require_clean_crl, threading.get_ident()

    def slow(der):
        if threading.get_ident() != publisher:
            sessions.append(connection.connection.info.backend_pid)
            signing.set()
            is_dead.wait(20)
        require(der)

    monkeypatch.setattr(lint, "require_clean_crl", slow)
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(_publish_elsewhere)
        assert signing.wait(20)
        with superuser.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [sessions[0]])
        published = publication.publish_due(later(seconds=1))
        is_dead.set()
        with pytest.raises(DatabaseError):
            dying.result(20)

    assert published == 2
    assert len(lists.crl("cns", 2026)) == len(lists.crl("cns")) == 1
    follower.look()


def _publish_elsewhere():
    try:
        return publication.publish_due(AT)
    finally:
        connections.close_all()
