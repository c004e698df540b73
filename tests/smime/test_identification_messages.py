"""What the provider tells is a reason to look; what it has no need to know any more it is told to forget."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from smime.models import EvidenceFile, ProviderDelivery
from smime.services import attempts, deliveries, idp
from tests.smime import provider as providers
from tests.smime.identified import HOUR, MINUTE, attempt_of, ends, invited, start, work
from tests.smime.mailed import NOW, check_of
from tests.smime.provider import FakeProvider, told

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


@pytest.fixture
def order(provider):
    return invited()


class TestMessages:
    """A message is only a reason to look."""

    def test_what_is_told_counts_less_than_what_is_found(self, order, provider):
        start(order)
        ends(order, provider, "denied", NOW + HOUR, says="APPROVED")
        assert order.attempts_made.get(number=1).state == "denied"
        assert check_of(order, "identity").state != "in-review"

    def test_the_same_message_a_hundred_times_is_one(self, order, provider):
        start(order)
        provider.becomes("scan-1", "approved")
        for _ in range(100):
            told("scan-1", NOW + HOUR)
        work(NOW + HOUR)

        delivery = ProviderDelivery.objects.get()
        assert (delivery.times, delivery.state, delivery.sealed_body) == (100, "applied", None)
        assert (provider.looks, EvidenceFile.objects.filter(order=order).count()) == (1, 3)

    def test_a_first_result_waits_for_the_final_one(self, order, provider):
        """The provider's people may turn it."""
        start(order)
        provider.becomes("scan-1", "approved")
        told("scan-1", NOW + HOUR, final=False)
        work(NOW + HOUR)
        assert (attempt_of(order).state, check_of(order, "identity").state) == ("reviewing", "waiting-third-party")

        provider.becomes("scan-1", "denied")
        told("scan-1", NOW + HOUR + MINUTE)
        work(NOW + HOUR + MINUTE)
        assert order.attempts_made.get(number=1).state == "denied"

    def test_a_final_outcome_is_never_overwritten(self, order, provider):
        start(order)
        ends(order, provider, "approved", NOW + HOUR)
        provider.becomes("scan-1", "denied")
        told("scan-1", NOW + HOUR + MINUTE, final=False, says="REVIEWING")
        told("scan-1", NOW + HOUR + MINUTE, says="DENIED")
        work(NOW + HOUR + MINUTE)

        assert (attempt_of(order).state, check_of(order, "identity").state) == ("approved", "in-review")
        assert sorted(ProviderDelivery.objects.values_list("state", flat=True)) == ["applied", "ignored", "ignored"]

    def test_a_message_that_never_comes_is_not_missed(self, order, provider):
        start(order)
        provider.becomes("scan-1", "approved")
        work(NOW + HOUR + 31 * MINUTE)
        assert provider.looks == 0
        work(NOW + HOUR + 32 * MINUTE)
        assert check_of(order, "identity").state == "in-review"

    def test_a_session_of_nobody_is_kept_as_orphan(self, order):
        told("scan-999", NOW)
        work(NOW)
        assert ProviderDelivery.objects.get().state == "orphan"

    def test_what_is_signed_and_no_message_is_put_aside(self, order):
        body = b'{"final": true}'
        deliveries.receive(body, providers.signed(body), at=NOW)
        work(NOW)
        assert ProviderDelivery.objects.get().state == "ignored"

    def test_a_message_during_a_look_makes_a_second_look(self, order, provider):
        """What the first look has seen is older than the message."""
        start(order)
        slow = provider.outcome

        def interrupted(scan_ref):
            seen = slow(scan_ref)
            provider.outcome = slow
            provider.becomes(scan_ref, "approved")
            told(scan_ref, NOW + HOUR)
            deliveries.apply_due(at=NOW + HOUR)
            return seen

        provider.outcome = interrupted
        told("scan-1", NOW + HOUR, final=False)
        deliveries.apply_due(at=NOW + HOUR)
        attempts.carry_out_due(at=NOW + HOUR)
        assert attempt_of(order).state == "started"

        work(NOW + HOUR)
        assert attempt_of(order).state == "approved"


class TestErasure:
    """The provider forgets what it no longer needs to know."""

    def test_while_the_session_lives_it_refuses_and_is_asked_again(self, order, provider):
        provider.alive.add("scan-1")
        ends(order, provider, "denied", NOW + HOUR)
        assert (provider.erased, order.attempts_made.get(number=1).erased_at) == ([], None)

        provider.alive.clear()
        work(NOW + 24 * HOUR + 2 * MINUTE)
        assert "scan-1" in provider.erased

    def test_the_end_of_an_order_lets_it_forget_too(self, order, provider):
        ends(order, provider, "approved", NOW + HOUR)
        order.refresh_from_db()
        order.cancel(reason="", at=NOW + HOUR)
        order.save()
        work(NOW + 2 * HOUR)
        assert provider.erased == ["scan-1"]


def test_nothing_personal_stands_in_events_or_in_the_clear(order, provider):
    ends(order, provider, "approved", NOW + HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM cms_event e UNION ALL SELECT a::text FROM smime_identificationattempt a")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert not [word for word in ("Anna", "ANNA", "Prova", "PROVA", "CA1", order.mailbox) if word in stored]
    assert json.dumps(attempt_of(order).mismatches) == "[]"
