"""A zero byte, which PostgreSQL takes into no text, is looked for like any other text: found nowhere, and no fault."""

from __future__ import annotations

import pytest

ADDRESSES = [
    "/pannello/eventi/?pratica=%00",
    "/pannello/eventi/?pratica=R%001",
    "/pannello/acquisti/%00/",
    "/pannello/acquisti/A-2026-%00/accredita/",
    "/pannello/prova-generale/?al=%00&cosa=%00&dopo=%00",
    "/pannello/messaggi/?pratica=%00&stato=%00",
    "/pannello/rinnovi/?titolare=%00",
    "/pannello/certificati/?titolare=%00&carta=%00",
    "/pannello/oggi/?al=%00",
    "/pannello/operazioni/?dopo=%00",
    "/accesso/invito/%00/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_with_a_zero_byte_is_answered(town, seat, address):
    answer = seat(town.operator, town.eidas).get(address)

    assert answer.status_code < 500


SEARCHES = ["/pannello/eventi/cerca/", "/pannello/rinnovi/cerca/", "/pannello/certificati/cerca/"]


@pytest.mark.parametrize("address", SEARCHES)
@pytest.mark.parametrize("typed", ["\x00", "ROSSI\x00", "60900\x00100", "R000\x00-0000"])
def test_a_search_for_a_zero_byte_finds_nothing(town, seat, address, typed):
    answer = seat(town.operator, town.eidas).post(address, {"q": typed}, follow=True)

    assert answer.status_code < 500
