"""Changes of status in batches fare as they would alone, whoever dies, and whatever comes in between."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from cms import ca as configured
from cms.actors import SYSTEM
from cms.models import CaRequest, Certificate, Event, Hold
from cms.services import certificates, changes, requests
from cms.states import HoldCause, RevocationCause
from notifications.models import OutboxMessage
from pki.batch import Order, OrderKind
from pki.errors import GatewayRefused
from pki.gateway import CertificateRef, RevocationReason
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import decisions
from tests.renewals import quick
from tests.renewals.checking import assert_invariants
from tests.renewals.test_faults import Boom, Fault, Killed
from tests.renewals.test_races import DUE, together

HOUR = timedelta(hours=1)


class Between:
    """A CA before or after whose batch something happens."""

    def __init__(self, ca, before=None, after=None):
        self._ca, self._before, self._after = ca, before, after

    def __getattr__(self, name):
        return getattr(self._ca, name)

    def change_many(self, orders, *, at):
        if self._before:
            self._before()
        outcomes = self._ca.change_many(orders, at=at)
        if self._after:
            self._after()
        return outcomes


def one_by_one(at):
    """Carry out as the nudges do, oldest first, until nothing is due."""
    while (
        due := CaRequest.objects.filter(next_attempt_at__lte=at, state__in=["planned", "sent"]).order_by("id").first()
    ):
        requests.carry_out(due.pk, at=at)


def in_batches(at):
    requests.carry_out_due(at=at)


def halves_of(case):
    return list(Certificate.objects.filter(pair=case.new_pair).select_related("pair").order_by("pk"))


def ref_of(half):
    return CertificateRef(bytes.fromhex(half.issuer_key_id), int(half.serial, 16))


def suspended(world, case, ca, work):
    sweeps.suspend_unauthorised(now=DUE)
    work(DUE)


def reactivated(world, case, ca, work):
    suspended(world, case, ca, work)
    decisions.approve_renewal(case.pk, operator=world.operator, now=DUE + HOUR)
    work(DUE + HOUR)


def approved_before_the_ca_was_asked(world, case, ca, work):
    sweeps.suspend_unauthorised(now=DUE)
    decisions.approve_renewal(case.pk, operator=world.operator, now=DUE)
    for seconds in range(0, 20, 5):
        work(DUE + timedelta(seconds=seconds))


def half_of_a_pair_revoked(world, case, ca, work):
    suspended(world, case, ca, work)
    certificates.request_revocation(halves_of(case)[0], RevocationCause.HOLDER_REQUEST, at=DUE + HOUR)
    work(DUE + HOUR)


def revoked_on_day_121(world, case, ca, work):
    suspended(world, case, ca, work)
    later = RenewalCase.objects.get(pk=case.pk).due_at
    sweeps.revoke_unrecovered(now=later)
    work(later)


def revocation_overtakes_a_hold_of_unknown_fate(world, case, ca, work):
    sweeps.suspend_unauthorised(now=DUE)
    ca.loses_requests = True
    work(DUE)
    ca.loses_requests = False
    for half in halves_of(case):
        certificates.request_revocation(half, RevocationCause.HOLDER_REQUEST, at=DUE, case_code=case.code)
    work(DUE)
    work(DUE + HOUR)


def held_where_the_ca_has_revoked_on_its_own(world, case, ca, work):
    half = halves_of(case)[0]
    ca.revoke(ref_of(half), reason=RevocationReason.KEY_COMPROMISE, request_id=half.pair.public_id, at=DUE)
    suspended(world, case, ca, work)


def held_for_two_causes(world, case, ca, work):
    certificates.place_hold(halves_of(case)[1], HoldCause.OPERATOR, days=120, actor=SYSTEM, at=DUE)
    suspended(world, case, ca, work)


def refused_by_the_ca(world, case, ca, work):
    ca.refuses = True
    suspended(world, case, ca, work)
    ca.refuses = False


def forbidden_by_the_ca(world, case, ca, work):
    ca.is_forbidden = True
    suspended(world, case, ca, work)
    ca.is_forbidden = False


def away_for_an_hour(world, case, ca, work):
    ca.is_away = True
    suspended(world, case, ca, work)
    ca.is_away = False
    work(DUE + HOUR)


STORIES = [
    suspended,
    reactivated,
    approved_before_the_ca_was_asked,
    half_of_a_pair_revoked,
    revoked_on_day_121,
    revocation_overtakes_a_hold_of_unknown_fate,
    held_where_the_ca_has_revoked_on_its_own,
    held_for_two_causes,
    refused_by_the_ca,
    forbidden_by_the_ca,
    away_for_an_hour,
]


def facts_of(case, ca):
    """All that a story leaves behind, in terms that do not name the case."""
    halves = halves_of(case)
    ranks = {half.pk: rank for rank, half in enumerate(halves)}
    asked = CaRequest.objects.filter(certificate__in=halves).order_by("pk")
    uids = {str(wish.uid): rank for rank, wish in enumerate(asked)}
    wishes = [wish for wish in asked if wish.kind != "issue"]
    columns = ("verb", "at", "actor_kind", "actor_id", "channel", "outcome", "centre_id", "service_id", "reason")
    told = Event.objects.filter(card_id=case.card_id, at__gte=DUE).order_by("verb", "at", "certificate_id", "pk")
    return {
        "register": [(row.status, row.held_at, row.revoked_at, row.revocation_cause) for row in halves],
        "ca": [ca.status(ref_of(row)) for row in halves],
        "holds": [
            (ranks[row.certificate_id], row.cause, row.placed_at, row.lifted_at, row.ended_at)
            for row in Hold.objects.filter(certificate__in=halves).order_by("pk")
        ],
        "wishes": [(wish.kind, wish.state, wish.settled_at, wish.last_error, wish.attempts) for wish in wishes],
        "events": [
            (
                *(getattr(row, name) for name in columns),
                ranks.get(row.certificate_id),
                row.holder_id == case.holder_id,
                {name: uids.get(value, value) for name, value in row.facts.items()},
            )
            for row in told
        ],
        "mails": [
            (row.kind, row.created_at, row.language, row.centre_id, row.service_id, row.context.get("reason"))
            for row in OutboxMessage.objects.filter(case_code=case.code).order_by("kind", "created_at")
        ],
    }


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_batch_leaves_what_single_calls_leave(world, ca, story):
    left = []
    for number, work in enumerate([one_by_one, in_batches]):
        case = quick.completed(world, number)
        story(world, case, ca, work)
        left.append(facts_of(case, ca))

    assert left[0] == left[1]
    assert left[0]["wishes"]


def test_one_bad_order_stops_no_other(world, ca):
    cases = [quick.completed(world, number) for number in range(3)]
    bad = halves_of(cases[1])[0]
    ca.revoke(ref_of(bad), reason=RevocationReason.SUPERSEDED, request_id=bad.pair.public_id, at=DUE)
    sweeps.suspend_unauthorised(now=DUE)

    requests.carry_out_due(at=DUE)

    assert Certificate.objects.filter(status="held").count() == 5
    refused = CaRequest.objects.get(state="refused")
    assert (refused.certificate_id, refused.last_error) == (bad.pk, "certificate-revoked")
    assert ca.calls.count("change_many") == 1


def test_a_ca_without_batches_is_asked_for_each(world, ca):
    class Alone:
        capabilities = configured.gateway().capabilities.__class__(*[True] * 6, batch=False)

        def __getattr__(self, name):
            return getattr(ca, name)

    for number in range(2):
        quick.completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)

    with configured.installed(Alone()):
        requests.carry_out_due(at=DUE)

    assert (ca.calls.count("hold"), ca.calls.count("change_many")) == (4, 0)
    assert Certificate.objects.filter(status="held").count() == 4
    assert_invariants(DUE)


def die():
    raise Killed


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_worker_killed_around_the_call_is_followed_by_another_with_the_same_ids(world, ca, where):
    for number in range(2):
        quick.completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)
    with configured.installed(Between(ca, **{where: die})), pytest.raises(Killed):
        requests.carry_out_due(at=DUE)

    assert requests.carry_out_due(at=DUE + timedelta(seconds=30)) == 0  # the claim still stands
    requests.carry_out_due(at=DUE + timedelta(minutes=2))

    assert Event.objects.filter(verb="certificate.held").count() == 4
    assert OutboxMessage.objects.filter(kind="suspended").count() == 2
    assert_invariants(DUE + timedelta(minutes=2))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_settlement_is_all_or_nothing(world, ca, when):
    """Statement after statement fails, until a batch gets through untouched."""
    for number in range(2):
        quick.completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)
    at = DUE
    for number in range(1, 100):
        fault = Fault(number, when)
        with connection.execute_wrapper(fault), contextlib.suppress(Boom):
            changes.carry_out_batch(at=at)
        if not fault.fired:
            break
        at += timedelta(minutes=2)

    assert number > 5
    assert Event.objects.filter(verb="certificate.held").count() == 4
    assert OutboxMessage.objects.filter(kind="suspended").count() == 2
    assert Certificate.objects.filter(status="held").count() == 4
    assert_invariants(at)


def test_five_workers_share_a_batch_and_nobody_is_told_twice(world, ca, settings):
    settings.CMS = settings.CMS.model_copy(update={"ca_batch": 3})
    for number in range(8):
        quick.completed(world, number)
    sweeps.suspend_unauthorised(now=DUE)

    together(*[lambda: requests.carry_out_due(at=DUE) for _ in range(5)])

    assert Event.objects.filter(verb="certificate.held").count() == 16
    assert OutboxMessage.objects.filter(kind="suspended").count() == 8
    assert_invariants(DUE)


def test_a_zombie_settles_nothing(world, ca):
    """It comes back after its lease, when another has done and undone what it was about to store."""
    case = quick.completed(world, 1)
    sweeps.suspend_unauthorised(now=DUE)
    stale = changes._take(DUE, 10)
    later = DUE + timedelta(minutes=2)
    requests.carry_out_due(at=later)
    decisions.approve_renewal(case.pk, operator=world.operator, now=later)
    requests.carry_out_due(at=later)

    changes.settle(stale, at=later)

    assert {half.status for half in halves_of(case)} == {"active"}
    assert Event.objects.filter(verb="certificate.held").count() == 2
    assert_invariants(later)


class TestAnApprovalMeetsAPendingHold:
    """It ends active, here and at the CA, whatever the order of the two."""

    def ends_active(self, case, ca, at=DUE):
        for minutes in range(0, 12, 2):
            requests.carry_out_due(at=at + timedelta(minutes=minutes))
        halves = halves_of(case)
        assert {half.status for half in halves} == {"active"}
        assert {ca.status(ref_of(half)).kind for half in halves} == {"good"}
        assert not Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True).exists()
        assert_invariants(at + timedelta(minutes=12))

    def approve(self, world, case):
        decisions.approve_renewal(case.pk, operator=world.operator, now=DUE)

    def test_planned(self, world, ca):
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        self.approve(world, case)
        self.ends_active(case, ca)

    @pytest.mark.parametrize("where", ["before", "after"])
    def test_sent(self, world, ca, where):
        """Claimed in a batch: before the CA acts, or before its answer is stored."""
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        done = []
        act = lambda: done or done.append(self.approve(world, case))  # noqa: E731
        with configured.installed(Between(ca, **{where: act})):
            requests.carry_out_due(at=DUE)
        assert done
        self.ends_active(case, ca)

    @pytest.mark.parametrize("weather", ["drops_answers", "loses_requests", "is_away"])
    def test_of_unknown_fate(self, world, ca, weather):
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        setattr(ca, weather, True)
        requests.carry_out_due(at=DUE)
        self.approve(world, case)
        requests.carry_out_due(at=DUE)
        setattr(ca, weather, False)
        self.ends_active(case, ca)

    def test_claimed_by_a_worker_that_dies(self, world, ca):
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        with configured.installed(Between(ca, after=die)), pytest.raises(Killed):
            requests.carry_out_due(at=DUE)
        self.approve(world, case)
        self.ends_active(case, ca)

    def test_one_half_settled_the_other_not(self, world, ca, settings):
        settings.CMS = settings.CMS.model_copy(update={"ca_batch": 1})
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        changes.carry_out_batch(at=DUE)
        self.approve(world, case)
        self.ends_active(case, ca)

    def test_at_the_moment_of_settlement(self, world, ca):
        """The approval waits for the certificates that the settlement has locked, or the other way round."""
        case = quick.completed(world, 1)
        sweeps.suspend_unauthorised(now=DUE)
        thread = threading.Thread(target=self._approve_apart, args=(world, case))
        with configured.installed(Between(ca, after=thread.start)):
            requests.carry_out_due(at=DUE)
        thread.join()
        self.ends_active(case, ca)

    def _approve_apart(self, world, case):
        try:
            self.approve(world, case)
        finally:
            connections.close_all()


def test_an_unknown_certificate_is_refused_by_the_port(ca):
    (outcome,) = ca.change_many([Order(OrderKind.HOLD, CertificateRef(b"x", 1), quick.Pair().public_id)], at=DUE)
    assert isinstance(outcome.failure, GatewayRefused)
