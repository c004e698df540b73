"""Row policies alone: what the database itself lets through, whatever a query forgot to ask."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import DataError, ProgrammingError, connection, connections, transaction

from cms.models import Card, Certificate, Event, Hold, Holder, Invitation, Pair, Registration, Stock, StockMovement
from config.fence import CLOSED
from notifications.models import OutboxAttachment, OutboxMessage
from renewals.models import Acceptance, RenewalCase, RenewalForm
from runtime import fence
from runtime.fence import Fence
from tests.panel.town import NOW, Town

# Tables that hold no row of any centre. Whoever adds a table decides: a policy, or a line here with its reason.
OPEN = {
    "account_emailaddress": "accounts: read by login, before any desk",
    "account_emailconfirmation": "the same",
    "auth_group": "unused, Django's",
    "auth_group_permissions": "the same",
    "auth_permission": "the same",
    "authority_": "the CA's own ledger, reached through its port alone",
    "cms_codeattempts": "counters under keyed digests",
    "cms_linkrequest": "wishes under keyed digests, read by a worker",
    "cms_statuscheck": "when and how far certificates were checked from outside",
    "cms_statusdifference": "serial numbers and states, on a page of the administrators",
    "config_alarm": "alarms of the installation, without subjects",
    "notifications_bouncereport": "references of the mail provider",
    "renewals_digestday": "days, without subjects",
    "renewals_revocationstop": "one for the whole installation",
    "cms_agreement": "what the provider agreed with centres; the choice of a service reads it",
    "cms_campaign": "product data",
    "cms_cardfamily": "product data",
    "cms_centre": "names and settings of centres; the choice of a service reads them",
    "cms_eventseal": "digests",
    "cms_issuer": "public certificates of CAs",
    "cms_knownkey": "digests of public keys: novelty is asked across all centres",
    "cms_membership": "scope itself is read from it",
    "cms_sealcheck": "when the chain was verified",
    "cms_service": "product data",
    "cms_user": "accounts: events name operators",
    "config_canary": "one row without content",
    "django_": "Django's; sessions are read before any desk",
    "smime_revocation": "public lists of other CAs, with where they are published",
    "mfa_authenticator": "second factors, sealed; read by login",
    "test_job": "of the tests",
}
SCOPED = [
    Card, Certificate, Hold, Holder, Pair, Registration, Stock, StockMovement, RenewalCase, RenewalForm, Acceptance,
    OutboxMessage, OutboxAttachment,
]  # fmt: skip


@pytest.fixture
def here(db, clock) -> Town:
    clock.instant = NOW
    return Town()


@pytest.fixture
def case(here):
    """A case of the town's centre, as full as cases get."""
    return here.suspended(here.completed(here.case(days_left=-5), days_ago=20))


@contextmanager
def behind(*, centres=(), services=(), role="sigillo_panel", operator=7):
    """Work as a page does whose queries forget every filter."""
    fence.stand_behind(Fence(role, frozenset(centres), frozenset(services), operator))
    try:
        yield
    finally:
        fence.stand_in_the_open()


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in SCOPED}


def test_every_table_has_its_policy_or_its_reason(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity"
        )
        bare = {name for (name,) in cursor.fetchall()}
    assert {name for name in bare if not name.startswith(tuple(OPEN))} == set()


def test_no_policy_holds_an_or(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, qual FROM pg_policies")
        assert [table for table, qual in cursor.fetchall() if " OR " in qual] == []


def test_a_closed_connection_sees_nothing_of_any_centre(case):
    fence.stand_behind(CLOSED)

    assert set(counts().values()) == {0}
    assert Event.objects.count() == 0


def test_the_centre_and_service_of_the_fence_see_all_that_is_theirs(here, case):
    in_the_open = counts()
    assert min(in_the_open.values()) > 0

    with behind(centres=[here.centre.pk], services=[here.service.pk, here.eidas.pk]):
        assert counts() == in_the_open
        assert RenewalCase.objects.select_related("holder", "card", "old_pair", "new_pair").get() == case


@pytest.mark.parametrize("foreign", ["centre", "service"])
def test_rows_of_another_centre_or_service_do_not_exist(here, case, foreign):
    other = here.found("cdrl-siena", "Collegio dei Geometri di Esempio")
    centre = other if foreign == "centre" else here.centre
    service = here.other_service if foreign == "service" else here.service

    with behind(centres=[centre.pk], services=[service.pk]):
        seen = counts()
        events = Event.objects.exclude(centre=None).exclude(service=None).count()

    # A holder is known to a centre, not to a service.
    if foreign == "service":
        assert (seen.pop("Holder"), seen.pop("Registration")) == (1, 1)
    assert set(seen.values()) == {0}
    assert events == 0


def test_a_successor_alone_follows_a_certificate_to_the_case_it_came_from(here, case):
    from cms.scope import scope_of

    scope = scope_of(here.operator, here.eidas.pk)
    assert scope.service_ids == {here.eidas.pk}

    with behind(centres=scope.centre_ids, services=scope.kin_ids):
        assert RenewalCase.objects.get(new_pair__service=here.eidas) == case


def test_rows_cannot_be_written_out_of_the_fence(here, case):
    other = here.found("cdrl-siena", "Collegio dei Geometri di Esempio")

    with behind(centres=[other.pk], services=[here.service.pk]):
        assert RenewalCase.objects.filter(pk=case.pk).update(close_reason="x") == 0
        assert Stock.objects.update(free=0) == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Registration.objects.create(holder_id=case.holder_id, centre=here.centre, created_at=NOW)


def test_search_by_words_stays_within_the_fence_whatever_centres_are_named(here, case):
    other = here.found("cdrl-siena", "Collegio dei Geometri di Esempio")

    def found() -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT find_holders(%s, 'rossi', 10)", [[here.centre.pk, other.pk]])
            return [holder for (holder,) in cursor.fetchall()]

    assert found() == [case.holder_id]
    with behind(centres=[other.pk], services=[here.service.pk]):
        assert found() == []
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT find_holders_of(%s, 'rossi', 10)", [[here.centre.pk]])


def test_a_letter_about_no_case_is_seen_by_the_account_that_caused_it(here, case):
    from notifications import services as notifications
    from notifications.catalog import Message

    def post() -> OutboxMessage:
        context = {
            "centre_name": "x",
            "service_name": "x",
            "certificate_types": "x",
            "purchase_url": "https://example.org",
        }
        said = Message.STOCK_EMPTY
        return notifications.post(key="stock:1", message=said, to="cdrl@example.org", context=context, at=NOW)

    with behind(centres=[here.centre.pk], services=[here.service.pk], operator=11):
        posted = post()
        assert OutboxMessage.objects.filter(pk=posted.pk).exists()
    with behind(centres=[here.centre.pk], services=[here.service.pk], operator=12):
        assert not OutboxMessage.objects.filter(pk=posted.pk).exists()


def test_the_provider_sees_all_business_and_the_persons_of_his_scope_only(here, case):
    with behind(role="sigillo_provider"):
        seen = counts()
        assert Event.objects.count() > 0
        assert Invitation.objects.count() == 0

    assert {name for name, count in seen.items() if count} == {"Stock", "StockMovement"}


def test_a_connection_made_anew_in_a_request_stands_behind_the_same_fence(committed, clock):
    clock.instant = NOW
    town = Town()
    town.case()

    with behind(centres=[town.centre.pk], services=[town.service.pk]):
        connection.close()
        assert RenewalCase.objects.count() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, session_user, current_setting('sigillo.centres')")
            assert cursor.fetchone() == ("sigillo_panel", "sigillo_app", f"{{{town.centre.pk}}}")
    with behind():
        connection.close()
        assert RenewalCase.objects.count() == 0


def test_a_connection_killed_by_the_server_comes_back_behind_its_fence(committed, superuser, clock):
    clock.instant = NOW
    Town().case()
    assert RenewalCase.objects.count() == 1

    with behind():
        with superuser.connect() as boss:
            boss.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sigillo_app'")
        with pytest.raises(Exception, match=r"terminat|closed"):
            RenewalCase.objects.count()
        connections["default"].close_if_unusable_or_obsolete()
        assert RenewalCase.objects.count() == 0


def test_a_connection_that_cannot_be_placed_is_closed(committed):
    connection.close()
    fence.stand_behind(Fence("no_such_role"))
    try:
        with pytest.raises(DataError, match="no_such_role"):
            RenewalCase.objects.count()
        assert connection.connection is None
    finally:
        fence.stand_in_the_open()


def test_the_superuser_of_a_demonstration_changes_role_too(committed, superuser):
    from config import database

    with database.connected(role="sigillo_app", user=superuser.user):
        fence.stand_behind(CLOSED)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, session_user")
            assert cursor.fetchone() == ("sigillo_panel", superuser.user)
        fence.stand_in_the_open()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('sigillo.centres')")
            assert cursor.fetchone() == ("sigillo_app", "")
