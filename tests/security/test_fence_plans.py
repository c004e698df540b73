"""Behind the fence, pages of a full register stay on their indexes."""

from __future__ import annotations

import pytest
from django.db import connection

from cms.models import Agreement
from cms.states import ApprovalMode
from tests.panel.conftest import seated
from tests.panel.population import populated
from tests.panel.town import NOW
from tests.renewals import crowd
from tests.renewals.test_statements import Watch

ROWS = 4000
CENTRES = 20
OF_A_CENTRE = ("cms_registration", "cms_pair", "cms_carequest", "cms_event", "renewals_renewalcase")
PAGES = ("/pannello/rinnovi/", "/pannello/eventi/", "/pannello/certificati/", "/pannello/oggi/")
# Twenty rows are read faster from end to end than by an index, and these stay small for ever.
SMALL = {"cms_stockmovement", "cms_carequest", "cms_registration"}


@pytest.fixture
def full(committed, clock, superuser, settings):
    """A town among many centres: copies of its rows, spread over the others."""
    clock.instant = NOW
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    town = populated()
    others = [town.found(f"cdrl-{number}", f"CDRL di esempio {number}") for number in range(CENTRES)]
    for centre in others:
        for service in (town.service, town.eidas):
            Agreement.objects.create(centre=centre, service=service, approval=ApprovalMode.AUTOMATIC)
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for table in crowd.BIG:
            (there,) = boss.execute("SELECT count(*) FROM {}".format(table)).fetchone()  # noqa: S608, UP032 - a constant
            if there:
                crowd._copy(boss, table, times=-(-ROWS // there))
        for table in OF_A_CENTRE:
            spread = "UPDATE {} SET centre_id = (%s::bigint[])[(id / %s) %% %s + 1] WHERE id >= %s"
            boss.execute(spread.format(table), [[each.pk for each in others], crowd.STRIDE, CENTRES, crowd.STRIDE])
    with superuser.connect() as boss:
        boss.autocommit = True
        boss.execute("VACUUM ANALYZE")
    return town


@pytest.mark.parametrize("page", PAGES)
def test_no_page_reads_a_big_table_from_end_to_end(full, page):
    client = seated(full.operator, full.service)
    watch = Watch(explains=True)
    watch.counts[""].append(0)

    with connection.execute_wrapper(watch):
        assert client.get(page).status_code == 200

    assert {table for table, _call, _statement in watch.scans} <= SMALL, watch.scans
