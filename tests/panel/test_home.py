"""Where the day begins: the page that says what waits at the chosen service, and never one that speaks of another trade."""

from __future__ import annotations

import re

import pytest

from tests.panel.test_smime_desk import desk, order, smime  # noqa: F401 - fixtures

TODAY, QUEUE = "/pannello/oggi/", "/pannello/verifiche/"


@pytest.mark.parametrize("address", ["/pannello/", TODAY])
def test_at_a_service_of_smime_it_is_the_queue_of_checks(desk, order, address):  # noqa: F811 - pytest's way
    answer = desk.get(address, follow=True)
    assert answer.redirect_chain[-1][0] == QUEUE
    assert order.code in answer.content.decode()


def test_its_sidebar_does_not_speak_of_the_renewal_of_cards(desk, order):  # noqa: F811 - pytest's way
    sidebar = desk.get(QUEUE).content.decode()
    assert f'href="{TODAY}"' not in sidebar
    assert 'href="/pannello/rinnovi/"' not in sidebar


def test_at_a_service_of_cards_it_is_today(town, seat):
    client = seat(town.operator, town.service)
    assert client.get("/pannello/")["Location"] == TODAY
    assert client.get(TODAY).status_code == 200


def test_the_search_in_the_bar_finds_orders_there(desk, order):  # noqa: F811 - pytest's way
    (action,) = set(re.findall(r'<form class="find"[^>]* action="([^"]+)"', desk.get(QUEUE).content.decode()))
    (field,) = re.findall(r'<input id="find" name="(\w+)"', desk.get(QUEUE).content.decode())
    answer = desk.post(action, {field: order.code}, follow=True)
    assert order.code in answer.content.decode()
    assert "Nessuna pratica" not in answer.content.decode()
