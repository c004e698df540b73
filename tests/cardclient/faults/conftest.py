"""One installation for all tests of this folder; its clock and address stand in every test."""

from __future__ import annotations

import pytest
from django.db import connections

from tests.cardclient import shimmed
from tests.cardclient.faults.town import NOW, Town
from tests.flows.live import LiveProduct
from tests.plugin.tables import Tables
from tests.renewals.checking import assert_invariants

LACK = shimmed.missing()


@pytest.fixture(scope="package")
def town(django_db_setup, django_db_blocker, superuser, shim, tmp_path_factory):
    """Real commits for the whole folder; everything is emptied afterwards, and the invariants hold for all that happened."""
    if LACK:
        pytest.skip(f"package missing: {LACK}")
    with django_db_blocker.unblock(), LiveProduct() as product:
        try:
            yield Town(product, shim, tmp_path_factory.mktemp("cards"))
            assert_invariants(NOW)
        finally:
            connections.close_all()
            Tables(superuser).empty()


@pytest.fixture(autouse=True)
def _standing(town, clock, settings):
    """The server's clock, its address in signed texts, and cheap user codes."""
    clock.instant = NOW
    settings.BASE_URL = town.address
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
