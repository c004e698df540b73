"""The workloads still fit the product: each is done once, on the run's own services."""

from __future__ import annotations

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections, transaction

from benchmarks import counters, population, purse
from benchmarks.holder_client import HolderClient, Refused
from benchmarks.minted_keys import minted
from pki import keys
from renewals import invariants
from renewals.models import RenewalCase
from runtime import clock


class Silent(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture
def port(committed):
    def application(environ, start_response):
        try:
            return served(environ, start_response)
        finally:
            connections.close_all()

    served = get_wsgi_application()
    with make_server("127.0.0.1", 0, application, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_cards_are_registered_signed_and_renewed_over_http(port, tmp_path):
    population.main("p-256", 1, 1, tmp_path / "cards")
    signed, unsigned = purse.read(tmp_path / "cards")

    HolderClient(port, signed).renew()
    HolderClient(port, unsigned).renew_from_the_start()

    assert list(RenewalCase.objects.values_list("state", flat=True)) == ["completed", "completed"]
    assert invariants.breaches(now=clock.now()) == []
    with pytest.raises(Refused):
        HolderClient(port, signed).renew()


def test_every_way_takes_one_unit_and_the_books_agree(committed):
    counter, faults = counters.new_counter(2), counters.Faults()
    for way in ("product", "lock-first"):
        with transaction.atomic():
            counters.WAYS[way](counter, f"case-{way}")

    faults.check(counter, 2, counters.Outcome(committed=2))
    assert faults == counters.Faults()

    with pytest.raises(counters.StockEmpty), transaction.atomic():
        counters.reserve_last(counter, "case-3")
    counters.ledger_only(counter, "case-4")
    faults.check(counter, 2, counters.Outcome(committed=3))
    assert faults.oversold == 1
    assert faults.lost > 0


def test_minted_keys_differ_and_pass_the_gate():
    made = [purse.spki(key) for key in minted(12)]

    assert len(set(made)) == 12
    for spki in made:
        keys.require_new_key(spki)
