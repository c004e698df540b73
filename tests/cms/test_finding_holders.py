"""Finding holders by words: prefixes, folded letters, several words, the centre's own people only."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.panel.town import Town

pytestmark = pytest.mark.django_db


def found(centres, text: str, most: int = 50) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT find_holders(%s, %s, %s)", [[centre.pk for centre in centres], text, most])
        return {pk for (pk,) in cursor.fetchall()}


@pytest.fixture
def town():
    return Town()


def register(town, *names: str, centre=None):
    holder = town.person(*names)
    town.case(holder, centre=centre)
    return holder


@pytest.mark.parametrize(
    "typed",
    ["de luca", "DELUCA", "luca niccolo", "nicc", "NICCOLÒ de", "  Luca,  Niccolò ", "de l"],
)
def test_a_holder_is_found_by_the_beginnings_of_his_words(town, typed):
    holder = register(town, "De Luca", "Niccolò")
    register(town, "Bianchi", "Lucia")

    assert found([town.centre], typed) == {holder.pk}


def test_a_tax_code_is_found_whole_and_by_its_beginning(town):
    holder = register(town, "Rossi", "Mario")

    assert found([town.centre], holder.tax_code) == {holder.pk}
    assert found([town.centre], holder.tax_code[:9].lower()) == {holder.pk}


@pytest.mark.parametrize("typed", ["", "   ", "%", "_", "ucia", "rossi paolo", "'; drop table cms_holder; --"])
def test_what_begins_no_word_finds_nobody(town, typed):
    register(town, "Rossi", "Mario")

    assert found([town.centre], typed) == set()


def test_people_of_another_centre_are_not_found(town):
    elsewhere = town.found("cdrl-altrove", "Altrove")
    town.offer("cns-firma-3-anni", "CNS - Firma 3 anni", centre=elsewhere)
    town.offer("cns-eidas-firma", "CNS – eIDAS Firma Digitale", centre=elsewhere)
    holder = register(town, "Rossi", "Mario", centre=elsewhere)

    assert found([town.centre], "rossi") == set()
    assert found([town.centre, elsewhere], "rossi") == {holder.pk}


def test_a_changed_name_is_found_and_the_old_one_no_more(town):
    holder = register(town, "Rossi", "Maria")
    holder.surname = "Verdi"
    holder.save()

    assert found([town.centre], "verdi") == {holder.pk}
    assert found([town.centre], "rossi") == set()


def test_a_search_stops_at_its_bound(town):
    for _ in range(4):
        register(town, "Rossi", "Mario")

    assert len(found([town.centre], "rossi", most=3)) == 3
