"""Prova generale: what it tells is what the sweeps then do, on thousands of cases that chance has made."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cms import ca as configured
from cms.actors import SYSTEM
from cms.models import CaRequest, Hold, Pair, StockMovement
from cms.services import certificates, registration, requests
from cms.services.registration import CardData
from cms.states import HoldCause
from notifications.models import OutboxMessage
from renewals import policy, sweeps
from renewals.models import RenewalCase
from renewals.services import cases, decisions, rehearsal
from renewals.services.cases import PLAN_FIELDS
from renewals.services.rounds import Sweep
from tests.renewals import quick
from tests.renewals.conftest import NOW
from tests.renewals.crowd import BIG, _copy
from tests.renewals.world import OLD_NOT_AFTER

MANY = 10_000
CASE_FACTS = ("state", "closed_at", "close_reason", "suspended_at", "withdrawn_at", *PLAN_FIELDS)

# Each card's whole life is moved by its own time, so that deadlines fall before, on and after the instant.
CHANCE = """
CREATE TEMP TABLE fate AS SELECT id AS card_id, interval '1 second' * floor((random() * 170 - 20) * 86400) AS shift
    FROM cms_card;
UPDATE fate SET shift = shift - interval '105 days'
    WHERE card_id IN (SELECT card_id FROM renewals_renewalcase WHERE suspended_at IS NOT NULL);
UPDATE cms_pair p SET window_opens_at = window_opens_at + shift FROM fate f WHERE f.card_id = p.card_id;
UPDATE renewals_renewalcase c SET old_not_after = old_not_after + shift, opened_at = opened_at + shift,
    signed_at = signed_at + shift, completed_at = completed_at + shift, suspended_at = suspended_at + shift,
    decided_at = decided_at + shift FROM fate f WHERE f.card_id = c.card_id;
UPDATE cms_certificate x SET not_before = x.not_before + shift, not_after = x.not_after + shift
    FROM fate f JOIN cms_pair p USING (card_id) WHERE p.id = x.pair_id;
UPDATE cms_hold h SET placed_at = placed_at + shift, lapses_at = lapses_at + shift
    FROM fate f JOIN cms_pair p USING (card_id) JOIN cms_certificate x ON x.pair_id = p.id WHERE x.id = h.certificate_id;
UPDATE cms_holder SET email = NULL, email_key = NULL WHERE random() < 0.1;
UPDATE cms_card SET activated_on = NULL WHERE random() < 0.05;
UPDATE cms_card SET first_issued_on = first_issued_on - 800 WHERE random() < 0.05;
UPDATE cms_carequest SET state = 'sent' WHERE kind = 'issue' AND state = 'planned' AND random() < 0.3;
UPDATE cms_certificate SET status = 'held', held_at = not_before WHERE status = 'active' AND random() < 0.02;
UPDATE cms_certificate SET status = 'revoked', revoked_at = not_before, revocation_cause = 'holder-request'
    WHERE status IN ('active', 'issued') AND random() < 0.03;
UPDATE cms_stock SET free = 1000000, reserved = 1000000;
"""


class WillingAuthority:
    """A CA that does whatever it is asked about a certificate."""

    def hold(self, ref, **_how):
        """Done."""

    revoke = release = hold


def registered(world, number):
    """A pair whose case nobody has opened yet."""
    holder, serial = world.person(number), f"7{number:014d}"
    keys = {slot: ec.generate_private_key(ec.SECP256R1()) for slot in quick.SLOTS}
    old = {slot: world.issue(slot, keys[slot], holder, serial, OLD_NOT_AFTER) for slot in quick.SLOTS}
    card = CardData(serial, world.family, date(2023, 3, 31), date(2023, 3, 31))
    return registration.register_card(card, holder=holder, agreement=world.agreement, certificates=old, at=world.now)


def held(case, causes, days=120):
    """New halves held: one cause a half."""
    for half, cause in zip(case.new_pair.certificates.order_by("pk"), causes, strict=False):
        certificates.place_hold(half, cause, days=days, actor=SYSTEM, at=NOW)


def templates(world):
    """A case of every kind that the clock can meet."""
    numbers = iter(range(100, 200))
    world.buy(100)
    for _ in range(3):
        registered(world, next(numbers))
        quick.opened(world, next(numbers))
        quick.signed(world, next(numbers))
    quick.requested(world, next(numbers))
    closed = quick.opened(world, next(numbers))
    cases.cancel_case(closed.pk, reason="data-incorrect", actor=SYSTEM, at=NOW)
    Pair.objects.filter(pk=closed.old_pair_id).update(window_opens_at=NOW)
    known = quick.opened(world, next(numbers))
    Pair.objects.filter(pk=known.old_pair_id).update(window_opens_at=NOW)
    for _ in range(3):
        quick.completed(world, next(numbers))
    refused = quick.completed(world, next(numbers))
    decisions.refuse_renewal(refused.pk, operator=world.operator, reason="Cessato", now=NOW)
    at_once = quick.completed(world, next(numbers))
    RenewalCase.objects.filter(pk=at_once.pk).update(refusal_suspends_at_once=True)
    decisions.refuse_renewal(at_once.pk, operator=world.operator, reason="Cessato", now=NOW)
    approved = quick.completed(world, next(numbers))
    decisions.approve_renewal(approved.pk, operator=world.operator, now=NOW)
    held(quick.completed(world, next(numbers)), [HoldCause.HOLDER], days=25)
    held(quick.completed(world, next(numbers)), [HoldCause.HOLDER, HoldCause.OPERATOR], days=20)
    held(quick.completed(world, next(numbers)), [HoldCause.AUTHORITY, HoldCause.OPERATOR], days=60)
    halves = registered(world, next(numbers)).certificates.order_by("pk")
    certificates.place_hold(halves[0], HoldCause.HOLDER, days=30, actor=SYSTEM, at=NOW)
    requests.carry_out_due(at=NOW)
    for _ in range(2):
        suspended = quick.completed(world, next(numbers))
        RenewalCase.objects.filter(pk=suspended.pk).update(due_at=NOW)
    held(suspended, [HoldCause.HOLDER], days=118)
    sweeps.suspend_unauthorised(now=NOW)
    requests.carry_out_due(at=NOW)
    quick.requested(world, next(numbers))
    return RenewalCase.objects.count()


def multiply(superuser, kinds):
    """Copies of the templates, ten thousand of them, each with its own dates and its own luck."""
    with superuser.connect() as boss:
        boss.execute("SET session_replication_role = replica")
        for table in (*BIG, "cms_hold"):
            _copy(boss, table, times=-(-MANY // kinds))
        boss.execute("SELECT setseed(0.20260302)")
        boss.execute(CHANCE)
        boss.execute("ANALYZE")
        plans = [(case.pk, *policy.next_automatic(case)) for case in RenewalCase.objects.all()]
        boss.execute(
            "UPDATE renewals_renewalcase c SET due_kind = plan.kind, due_at = plan.at "
            "FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS plan(id, kind, at) WHERE plan.id = c.id",
            [list(column) for column in zip(*plans, strict=True)],
        )


@pytest.fixture
def crowd(world, superuser):
    """Ten thousand cases."""
    multiply(superuser, templates(world))


def ids(model):
    """Which rows there are."""
    return set(model.objects.values_list("pk", flat=True))


def facts_of_cases():
    """Facts that the clock moves, by case."""
    return {case.pk: tuple(getattr(case, name) for name in CASE_FACTS) for case in RenewalCase.objects.all()}


def facts_of_holds():
    """Every hold that was ever placed."""
    return Counter(Hold.objects.values_list("certificate_id", "cause", "placed_at", "lapses_at", "ended_at"))


class Told:
    """What the rehearsal says, in the terms of the tables."""

    def __init__(self, turns):
        self.turns = turns
        self.opened = [turn for turn in turns if turn.sweep == Sweep.OPEN and turn.case]
        # Two halves of a pair may share one mail: the same key is posted once.
        mails = {turn.mail.key: turn.mail for turn in turns if turn.mail}.values()
        self.mails = Counter((mail.message, mail.to, mail.holder_id, facts_of_mail(mail.context)) for mail in mails)
        self.wishes = Counter((wish.kind, wish.certificate.pk, wish.cause) for turn in turns for wish in turn.wishes)
        self.movements = Counter(
            (turn.case.code, type_, kind)
            for turn in turns
            for kind, types in (("debit", turn.debited), ("release", turn.released))
            for type_ in types
        )

    def cases(self, before):
        """Every case as it would stand."""
        after = dict(before)
        for turn in self.turns:
            if turn.case is None or turn.sweep == Sweep.OPEN:
                continue
            facts = {name: getattr(turn.case, name) for name in CASE_FACTS}
            if turn.withdraws:  # after what an earlier sweep of the same round has done to it
                facts = dict(zip(CASE_FACTS, after[turn.case.pk], strict=True)) | {
                    name: facts[name] for name in ("withdrawn_at", *PLAN_FIELDS)
                }
            after[turn.case.pk] = tuple(facts[name] for name in CASE_FACTS)
        return after

    def holds(self, before, now):
        """Every hold as it would stand."""
        after = Counter(before)
        for turn in self.turns:
            for hold in turn.holds:
                after[hold.certificate_id, hold.cause, hold.placed_at, hold.lapses_at, None] += 1
            if turn.hold:
                facts = (turn.hold.certificate_id, turn.hold.cause, turn.hold.placed_at, turn.hold.lapses_at)
                after[*facts, None] -= 1
                after[*facts, now] += 1
        return +after


def compare(now):
    """Rehearse, then let the sweeps run, and compare row by row. Returns what was told and the new requests."""
    before, holds = facts_of_cases(), facts_of_holds()
    known = {model: ids(model) for model in (CaRequest, StockMovement)}
    told = Told(list(rehearsal.walk(now=now)))
    assert facts_of_cases() == before
    assert facts_of_holds() == holds

    sweeps.run_round(now=now)

    after = facts_of_cases()
    new = RenewalCase.objects.exclude(pk__in=before)
    wishes = CaRequest.objects.filter(pk__in=ids(CaRequest) - known[CaRequest]).order_by("pk")
    movements = StockMovement.objects.filter(pk__in=ids(StockMovement) - known[StockMovement])
    assert {pk: after[pk] for pk in before} == told.cases(before)
    assert facts_of_holds() == told.holds(holds, now)
    assert set(new.values_list("old_pair_id", "old_not_after", "due_kind", "due_at", "issuing_service_id")) == {
        (turn.pair.pk, turn.case.old_not_after, turn.case.due_kind, turn.case.due_at, turn.case.issuing_service_id)
        for turn in told.opened
    }
    assert Counter(wishes.values_list("kind", "certificate_id", "cause")) == told.wishes
    assert Counter(movements.values_list("case_code", "stock__type", "kind")) == told.movements
    return told, wishes


def facts_of_mail(context):
    """What it says, but for the code of a case that had none when it was rehearsed."""
    return json.dumps(context | {"case_code": ""}, sort_keys=True)


def mails_since(known):
    """Mails that are in the outbox and were not."""
    return Counter(
        (mail.kind, mail.recipient, mail.holder_id, facts_of_mail(mail.context))
        for mail in OutboxMessage.objects.exclude(pk__in=known)
    )


def test_ten_thousand_cases_fare_as_the_rehearsal_said(crowd):
    known = ids(OutboxMessage)

    told, wishes = compare(NOW + timedelta(days=25))
    with configured.installed(WillingAuthority()):
        for pk in list(wishes.values_list("pk", flat=True)):
            requests.carry_out(pk, at=NOW + timedelta(days=25))

    assert mails_since(known) == told.mails
    happened = Counter(turn.sweep for turn in told.turns)
    assert min(happened[sweep] for sweep in Sweep) > 50, happened
    assert {mail[0] for mail in told.mails} == {"renewal-notice", "case-expired", "suspended", "revoked"}
    assert any(turn.obstacle for turn in told.turns)
    assert any(turn.withdraws for turn in told.turns)
    # Three weeks later, on what the first round has left.
    later, _ = compare(NOW + timedelta(days=45))
    assert len(later.turns) > 1000
    assert list(rehearsal.walk(now=NOW + timedelta(days=45))) == []
