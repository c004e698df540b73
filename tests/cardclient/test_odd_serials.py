"""A serial that the office's contract has no place for: the scan says so by itself, a request for help carries it."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from cardclient import admission
from cardclient.contract import SupportRequest
from cardclient.office import HttpOffice
from cardclient.scanned import not_renewable
from tests.cardclient.conftest import SERIAL, http


class Cards:
    def __init__(self, *views):
        self.views = views

    def scan(self):
        return self.views


def test_a_card_with_an_odd_serial_is_judged_here_and_costs_its_neighbour_nothing(card, office):
    (good,) = card.scan()
    odd, fine = admission.scan_cards(Cards(replace(good, serial="CNS/0001-#"), good), http(office))
    assert not_renewable([odd]).code == "serial-unusable"
    assert not odd.offers
    assert fine.offers


@pytest.mark.parametrize(
    ("serial", "sent"), [(SERIAL, SERIAL), ("7430 0000.0001", "743000000001"), ("CNS/0001-#", None), ("7" * 40, None)]
)
def test_a_request_for_help_names_the_serial_where_it_can_and_else_in_its_message(serial, sent):
    bodies = []

    def desk(request):
        bodies.append(json.loads(request.content))
        return httpx.Response(201, json={"number": "RS-0001", "answer_to": None})

    request = SupportRequest("1", "serial-unusable", "", "Aiuto.", "a@example.org", "it", "", "", {"serial": serial})
    HttpOffice("https://ra.example.org", transport=httpx.MockTransport(desk)).open_support_request(request)
    assert bodies[0]["card"].get("serial") == sent
    assert (serial in bodies[0]["message"]) is (sent is None)
