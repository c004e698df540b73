"""A centre's contacts stand in every letter to its holders: what no letter can carry is refused where it is typed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms import errors
from cms.models import Centre, User
from cms.services import organisations
from tests.panel.town import NOW, Town

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def town(db):
    town = Town()
    town.root = User.objects.create_user("admin@example.org", None, is_staff=True, is_administrator=True)
    return town


@pytest.mark.parametrize(
    "contact",
    [
        {"email": '"info.cdrl"@example.org'},
        {"email": "info@[192.0.2.1]"},
        {"purchase_url": "ftp://cdrl.example.org/acquisti"},
    ],
    ids=["quoted", "literal", "not-http"],
)
def test_a_contact_that_no_letter_can_carry_is_refused(town, contact):
    with pytest.raises(errors.Invalid):
        organisations.change_centre(town.centre.pk, contact, operator=town.root, now=LATER)
    fresh = {"name": "Ordine Nuovo di Esempio", "email": "nuovo@example.org"} | contact
    with pytest.raises(errors.Invalid):
        organisations.register_centre("cdrl-nuovo", fresh, operator=town.root, now=LATER)

    kept = Centre.objects.get(pk=town.centre.pk)
    assert (kept.email, kept.purchase_url) == (town.centre.email, town.centre.purchase_url)


def test_an_international_domain_is_kept_in_the_form_that_letters_carry(town):
    organisations.change_centre(town.centre.pk, {"email": "info@città.example.org"}, operator=town.root, now=LATER)

    assert Centre.objects.get(pk=town.centre.pk).email == "info@xn--citt-3na.example.org"
