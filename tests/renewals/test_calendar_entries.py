"""Two causes that suspend the same certificates have two entries in the holder's calendar, each set and taken back alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from icalendar import Calendar

from cms.actors import SYSTEM
from cms.policy import days_before, hold_lapses_at
from cms.services import certificates, requests, visits
from cms.services.halves import Choice
from cms.states import HoldCause, VisitKind
from notifications.calendar import calendar_file
from notifications.models import OutboxMessage
from renewals import sweeps
from renewals.services import decisions, reminders, revocations, self_service
from renewals.services.self_service import Wanted
from tests.renewals import quick
from tests.renewals.test_races import DUE

DAY = timedelta(days=1)
LATER = DUE + 20 * DAY
MISSING, OWN = hold_lapses_at(DUE, 120), hold_lapses_at(LATER, 120)


@pytest.fixture
def case(world):
    """Suspended for want of an approval, and twenty days later by its holder, too."""
    case = quick.completed(world, 1)
    OutboxMessage.objects.all().delete()
    sweeps.suspend_unauthorised(now=DUE)
    requests.carry_out_due(at=DUE)
    self_service.suspend_certificates(wanted(case), visit=visit(case, LATER), now=LATER)
    return case


def wanted(case):
    return Wanted(case.new_pair.public_id, frozenset({"authentication", "signature"}))


def visit(case, at):
    return visits.visit_of(visits.open_visit(holder_id=case.holder_id, kind=VisitKind.USER_CODE, now=at), at)


def changes(kind):
    """What each mail of a kind, oldest first, does to the reader's calendar: day and UID by status, and its sequence."""
    return [_changes(row) for row in OutboxMessage.objects.filter(kind=kind).order_by("created_at")]


def _changes(row):
    content = calendar_file(row)
    events = Calendar.from_ical(content).walk("VEVENT") if content else []
    assert not any(event.errors for event in events)
    return {(str(event["STATUS"]), event["DTSTART"].dt): (str(event["UID"]), event["SEQUENCE"]) for event in events}


def uid_of(found, status, day):
    return found[status, day][0]


def test_each_cause_has_its_own_entry_on_its_own_day(case):
    by_clock, by_holder = changes("suspended")

    assert set(by_clock) == {("CONFIRMED", MISSING)}
    assert set(by_holder) == {("CONFIRMED", OWN)}
    assert uid_of(by_clock, "CONFIRMED", MISSING) != uid_of(by_holder, "CONFIRMED", OWN)


def test_each_warning_updates_the_entry_of_its_own_cause(case):
    by_clock, by_holder = changes("suspended")
    for end in (MISSING, OWN):
        reminders.tell_due(now=days_before(end, 30))

    warnings = changes("revocation-warning")
    assert [len(warning) for warning in warnings] == [1, 1, 1], "ten days before the one, thirty before the other"
    for before, day in ((by_clock, MISSING), (by_holder, OWN)):
        uid, sequence = before["CONFIRMED", day]
        updates = [warning["CONFIRMED", day] for warning in warnings if ("CONFIRMED", day) in warning]
        assert {same for same, _ in updates} == {uid}
        assert all(higher > sequence for _, higher in updates)


def test_lifting_the_one_takes_its_entry_back_and_names_the_other_again(case):
    by_clock, by_holder = changes("suspended")
    at = LATER + timedelta(seconds=5)
    self_service.reactivate_certificates(wanted(case), visit=visit(case, at), now=at)

    what_stays = changes("suspended")[2]
    assert set(what_stays) == {("CONFIRMED", MISSING), ("CANCELLED", OWN)}
    assert uid_of(what_stays, "CONFIRMED", MISSING) == uid_of(by_clock, "CONFIRMED", MISSING)
    assert uid_of(what_stays, "CANCELLED", OWN) == uid_of(by_holder, "CONFIRMED", OWN)
    assert what_stays["CANCELLED", OWN][1] > by_holder["CONFIRMED", OWN][1]


def test_an_approval_takes_back_the_entry_of_the_missing_one_alone(world, case):
    decisions.approve_renewal(case.pk, operator=world.operator, now=LATER + DAY)

    (authorised,) = changes("authorised")
    assert [status for status, day in authorised if day == MISSING] == ["CANCELLED"]
    assert OWN not in {day for _status, day in authorised}


def test_the_last_cause_to_go_takes_back_what_ended_without_a_letter(world, case):
    """Whoever comes last writes: earlier ends asked nothing of the CA, and nobody was written to."""
    half = case.new_pair.certificates.select_related("pair").first()
    certificates.lift_hold(half, HoldCause.HOLDER, origin="operator", actor=SYSTEM, at=LATER + DAY)
    other = case.new_pair.certificates.select_related("pair").last()
    certificates.lift_hold(other, HoldCause.HOLDER, origin="operator", actor=SYSTEM, at=LATER + DAY)
    decisions.approve_renewal(case.pk, operator=world.operator, now=LATER + 2 * DAY)
    requests.carry_out_due(at=LATER + 2 * DAY)

    (reactivated,) = changes("reactivated")
    assert set(reactivated) == {("CANCELLED", MISSING), ("CANCELLED", OWN)}


def test_while_the_other_half_is_held_the_entry_stays(world, case):
    decisions.approve_renewal(case.pk, operator=world.operator, now=LATER + DAY)
    half = frozenset({"signature"})
    self_service.reactivate_certificates(
        Wanted(case.new_pair.public_id, half), visit=visit(case, LATER + 2 * DAY), now=LATER + 2 * DAY
    )

    (reactivated,) = changes("reactivated")
    assert ("CANCELLED", OWN) not in reactivated


def test_a_revocation_leaves_nothing_to_be_revoked(world, case):
    choice = Choice(case.new_pair_id, frozenset(case.new_pair.certificates.values_list("pk", flat=True)))
    revocations.revoke_certificates(choice, cause="holder-request", note="", operator=world.operator, now=LATER + DAY)
    requests.carry_out_due(at=LATER + DAY)

    (revoked,) = changes("revoked")
    assert set(revoked) == {("CANCELLED", MISSING), ("CANCELLED", OWN)}
