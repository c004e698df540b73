"""What the rehearsal says of reminders and warnings is what the clock then posts: to whom, when, at which threshold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.actors import SYSTEM
from cms.models import Hold, Holder
from cms.services import certificates, requests
from cms.states import HoldCause
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.models import RenewalCase
from renewals.services import foretold, reminders
from renewals.services.foretold import Telling
from tests.renewals import quick
from tests.renewals.conftest import NOW

UNTIL = NOW + timedelta(days=125)


def held(case, *causes, days):
    for half, cause in zip(case.new_pair.certificates.select_related("pair").order_by("pk"), causes, strict=False):
        certificates.place_hold(half, cause, days=days, actor=SYSTEM, at=NOW)


@pytest.fixture
def people(world):
    """One of every kind that is written to, and some who are not."""
    world.buy(20)
    quick.opened(world, 1)
    quick.signed(world, 2)
    quick.completed(world, 3)
    held(quick.completed(world, 4), HoldCause.HOLDER, HoldCause.HOLDER, days=25)
    held(quick.completed(world, 5), HoldCause.OPERATOR, HoldCause.AUTHORITY, days=60)
    suspended = quick.completed(world, 6)
    RenewalCase.objects.filter(pk=suspended.pk).update(due_at=NOW)
    sweeps.suspend_unauthorised(now=NOW)
    requests.carry_out_due(at=NOW)
    silent = quick.completed(world, 7)
    Holder.objects.filter(pk=silent.holder_id).update(email=None, email_key=None)
    OutboxMessage.objects.all().delete()
    return world


def said(until):
    return sorted(
        (letter.at, letter.message, letter.days, row.holder.pk)
        for row in foretold.walk(now=until, today=NOW)
        for letter in row.letters
    )


def test_every_notice_is_foretold_and_every_one_foretold_is_posted(people):
    told = said(UNTIL)
    stored = set(RenewalCase.objects.values_list("pk", "notice_at", "noticed_at"))
    assert not OutboxMessage.objects.exists()

    for at in sorted({at for at, *_ in told}):
        assert reminders.tell_due(now=at - timedelta(seconds=1)) == 0
        reminders.tell_due(now=at)

    posted = sorted(
        (mail.created_at, mail.kind, mail.context["days"], mail.holder_id) for mail in OutboxMessage.objects.all()
    )
    assert posted == told
    assert {kind for _, kind, *_ in told} == {"renewal-reminder", "suspension-warning", "revocation-warning"}
    assert stored != set(RenewalCase.objects.values_list("pk", "notice_at", "noticed_at"))


def test_only_what_comes_until_the_instant_is_foretold_and_the_next_one_named(people):
    first = min(at for at, *_ in said(UNTIL))

    assert said(first - timedelta(seconds=1)) == []
    assert {at for at, *_ in said(first)} == {first}
    row = next(row for row in foretold.walk(now=first, today=NOW) if row.letters)
    assert row.next_at is not None
    assert row.next_at > first


def test_of_what_was_missed_the_nearest_is_told_at_once(people):
    """Nothing ran for three weeks."""
    today = NOW + timedelta(days=24)
    late = [(letter.at, letter.days) for row in foretold.walk(now=today, today=today) for letter in row.letters]
    reminders.tell_due(now=today)

    posted = [(mail.created_at, mail.context["days"]) for mail in OutboxMessage.objects.all()]
    assert sorted(late) == sorted(posted) != []


def test_a_pair_whose_halves_end_on_one_day_is_written_to_once(people):
    rows = list(foretold.walk(now=UNTIL, today=NOW))
    twins = Hold.objects.filter(cause=HoldCause.HOLDER)

    assert sorted(
        bool(row.letters)
        for row in rows
        if row.sweep == Telling.HOLD and row.pk in set(twins.values_list("pk", flat=True))
    ) == [False, True]


def test_whoever_has_no_mailbox_is_listed_without_letters(people):
    silent = [row for row in foretold.walk(now=UNTIL, today=NOW) if not row.holder.email]

    assert [row.letters for row in silent] == [[]]


def test_chunks_leave_nobody_out(people, monkeypatch):
    whole = said(UNTIL)
    monkeypatch.setattr(foretold.foretold_of, "__kwdefaults__", foretold.foretold_of.__kwdefaults__ | {"most": 1})

    assert said(UNTIL) == whole
