"""What a holder does alone with his certificates, asked of the use cases: rules, events, mails, the CA at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings

from cms.actors import SYSTEM
from cms.errors import CauseNotChosen, CertificateFinal, HoldNotYours, NotFound, RevocationAsked, VisitTooWeak
from cms.models import CaRequest, Certificate, Event, Hold, HolderVisit
from cms.policy import hold_lapses_at
from cms.services import certificates, requests, visits
from cms.states import HoldCause, LinkPurpose, VisitKind
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from renewals.services import decisions, self_service
from renewals.services.self_service import Wanted
from renewals.sweeps import suspend_unauthorised
from tests.renewals import quick

BOTH = frozenset({"authentication", "signature"})


@pytest.fixture
def pair(world):
    """Certificates in use, 29 days before they expire, with their open case."""
    return quick.opened(world, 1).old_pair


def visit_of(holder_id: int, now, kind: str = VisitKind.USER_CODE, purpose: str = "") -> HolderVisit:
    token = visits.open_visit(holder_id=holder_id, kind=VisitKind(kind), now=now, purpose=purpose)
    return visits.visit_of(token, now)


def statuses(pair) -> dict[str, str]:
    return dict(Certificate.objects.filter(pair=pair).values_list("type", "status"))


def suspend(pair, now, types=BOTH, **named):
    visit = visit_of(pair.holder_id, now, **named)
    return self_service.suspend_certificates(Wanted(pair.public_id, types), visit=visit, now=now)


def reactivate(pair, now, types=BOTH, **named):
    visit = visit_of(pair.holder_id, now, **named)
    return self_service.reactivate_certificates(Wanted(pair.public_id, types), visit=visit, now=now)


def revoke(pair, now, types=BOTH, cause="key-compromised", **named):
    visit = visit_of(pair.holder_id, now, **named)
    return self_service.revoke_certificates(Wanted(pair.public_id, types), cause=cause, visit=visit, now=now)


def mails(kind: str) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=kind))


def held_by(pair, cause: HoldCause, now) -> None:
    """Another hand suspends the pair."""
    for half in pair.certificates.all():
        certificates.place_hold(half, cause, days=120, actor=SYSTEM, at=now)
    carry_out(now)


def carry_out(now) -> None:
    requests.carry_out_due(at=now)


def test_a_suspension_is_with_the_ca_before_the_page_answers(world, pair):
    suspend(pair, world.now)
    assert set(statuses(pair).values()) == {"held"}
    assert not CaRequest.objects.filter(state__in=["planned", "sent"]).exists()
    [letter] = mails("suspended")
    assert letter.recipient == pair.holder.email
    assert "codice utente" in letter.context["reason"]
    assert letter.context["revoke_on"] == hold_lapses_at(world.now, 120).isoformat()
    asked = Event.objects.filter(verb="certificate.hold-asked")
    assert {(event.actor_kind, event.channel, event.actor_id) for event in asked} == {
        ("holder", "holder-page", pair.holder_id)
    }


@pytest.mark.parametrize(("days", "is_sooner"), [(119, True), (121, False)])
def test_the_letter_names_the_certificates_end_where_it_comes_before_the_revocation(world, pair, days, is_sooner):
    ends = world.now + timedelta(days=days)
    Certificate.objects.filter(pair=pair).update(not_after=ends)

    suspend(pair, world.now)

    [letter] = mails("suspended")
    assert letter.context.get("valid_until") == (ends.isoformat() if is_sooner else None)


def test_one_half_alone_is_suspended_and_the_other_works_on(world, pair):
    suspend(pair, world.now, frozenset({"signature"}))
    assert statuses(pair) == {"authentication": "active", "signature": "held"}


def test_suspending_twice_is_once(world, pair):
    assert len(suspend(pair, world.now)) == 2
    assert suspend(pair, world.now + timedelta(seconds=5)) == []
    assert Hold.objects.count() == 2
    assert len(mails("suspended")) == 1


def test_a_link_from_the_mailbox_suspends_and_does_no_more(world, pair):
    named = {"kind": VisitKind.LINK, "purpose": LinkPurpose.REOPEN}
    suspend(pair, world.now, **named)
    with pytest.raises(VisitTooWeak):
        reactivate(pair, world.now, **named)
    with pytest.raises(VisitTooWeak):
        revoke(pair, world.now, **named)
    assert set(statuses(pair).values()) == {"held"}
    assert "collegamento" in mails("suspended")[0].context["reason"]


def test_a_reactivation_ends_the_holders_own_suspension(world, pair):
    suspend(pair, world.now)
    assert len(reactivate(pair, world.now + timedelta(days=3))) == 2
    assert set(statuses(pair).values()) == {"active"}
    assert len(mails("reactivated")) == 1
    assert reactivate(pair, world.now + timedelta(days=3, minutes=1)) == []


@pytest.mark.parametrize("cause", [HoldCause.OPERATOR, HoldCause.AUTHORITY, HoldCause.MISSING_APPROVAL])
def test_the_code_lifts_nobody_elses_suspension(world, pair, cause):
    held_by(pair, cause, world.now)
    with pytest.raises(HoldNotYours):
        reactivate(pair, world.now + timedelta(hours=1))
    assert set(statuses(pair).values()) == {"held"}
    assert Hold.objects.filter(lifted_at__isnull=True).count() == 2


@pytest.mark.parametrize("cause", [HoldCause.OPERATOR, HoldCause.AUTHORITY, HoldCause.MISSING_APPROVAL])
def test_what_another_cause_holds_stays_held_when_the_holder_lifts_his_own(world, pair, cause):
    held_by(pair, cause, world.now)
    suspend(pair, world.now + timedelta(minutes=1))
    assert len(mails("suspended")) == 1
    reactivate(pair, world.now + timedelta(hours=1))
    assert set(statuses(pair).values()) == {"held"}
    assert set(Hold.objects.filter(lifted_at__isnull=True).values_list("cause", flat=True)) == {cause}
    assert mails("reactivated") == []
    _own, stays = mails("suspended")
    left = Hold.objects.filter(cause=cause).first()
    assert stays.context["reason"] == self_service.obstacle_of([left])
    assert stays.context["revoke_on"] == left.lapses_at.isoformat()


def test_the_code_never_lifts_the_suspension_of_a_renewal_that_nobody_authorised(world):
    case = quick.completed(world, 2)
    later = case.old_not_after + timedelta(hours=1)
    suspend_unauthorised(now=later)
    carry_out(later)
    with pytest.raises(HoldNotYours) as refusal:
        reactivate(case.new_pair, later)
    assert "CDRL non ha autorizzato" in refusal.value.text
    assert set(statuses(case.new_pair).values()) == {"held"}


def test_an_approval_leaves_the_holders_own_suspension(world):
    case = quick.completed(world, 2)
    suspend(case.new_pair, world.now)
    decisions.approve_renewal(case.pk, operator=world.operator, now=world.now)
    carry_out(world.now)
    assert set(statuses(case.new_pair).values()) == {"held"}


@pytest.mark.parametrize(("cause", "reason"), [("holder-request", "chiesta da Lei"), ("key-compromised", "furto")])
def test_a_revocation_is_final_and_told_with_its_cause(world, pair, cause, reason):
    revoke(pair, world.now, cause=cause)
    assert set(statuses(pair).values()) == {"revoked"}
    assert {half.revocation_cause for half in pair.certificates.all()} == {cause}
    [letter] = mails("revoked")
    assert reason in letter.context["reason"]
    assert revoke(pair, world.now + timedelta(minutes=1), cause=cause) == []
    with pytest.raises(CertificateFinal):
        suspend(pair, world.now + timedelta(minutes=1))


def test_a_revocation_of_old_certificates_ends_their_open_case(world, pair):
    revoke(pair, world.now, frozenset({"signature"}))
    case = RenewalCase.objects.get(old_pair=pair)
    assert (case.state, case.close_reason) == ("cancelled", "old-certificate-revoked")
    assert statuses(pair) == {"authentication": "active", "signature": "revoked"}


def test_a_revocation_of_all_new_certificates_stops_the_clock_of_their_case(world):
    case = quick.completed(world, 2)
    revoke(case.new_pair, world.now)
    case.refresh_from_db()
    assert (case.withdrawn_at, case.due_kind, case.due_at) == (world.now, "", None)


def test_four_eyes_bind_the_centre_and_not_the_holder(world, pair):
    world.agreement.four_eyes_revocation = True
    world.agreement.save()
    revoke(pair, world.now)
    assert set(statuses(pair).values()) == {"revoked"}


def test_held_certificates_can_be_revoked(world, pair):
    suspend(pair, world.now)
    revoke(pair, world.now + timedelta(days=1))
    assert set(statuses(pair).values()) == {"revoked"}
    assert not Hold.objects.filter(ended_at__isnull=True, lifted_at__isnull=True).exists()


def test_a_holder_states_no_order_of_an_authority(world, pair):
    for cause in ("authority-order", "hold-lapsed", "not-installed", ""):
        with pytest.raises(CauseNotChosen):
            revoke(pair, world.now, cause=cause)
    assert set(statuses(pair).values()) == {"active"}


def test_another_persons_certificates_do_not_exist_for_him(world, pair):
    other = world.person(9)
    wanted = Wanted(pair.public_id, BOTH)
    for act in (self_service.suspend_certificates, self_service.reactivate_certificates):
        with pytest.raises(NotFound):
            act(wanted, visit=visit_of(other.pk, world.now), now=world.now)
    with pytest.raises(NotFound):
        self_service.revoke_certificates(
            Wanted(uuid4(), BOTH), cause="holder-request", visit=visit_of(pair.holder_id, world.now), now=world.now
        )
    assert set(statuses(pair).values()) == {"active"}


def test_nothing_chosen_changes_nothing(world, pair):
    with pytest.raises(CauseNotChosen):
        suspend(pair, world.now, frozenset())
    with pytest.raises(CauseNotChosen):
        suspend(pair, world.now, frozenset({"anything"}))


def test_while_the_ca_is_away_the_wish_stands_and_is_carried_out_later(world, ca, pair):
    ca.is_away = True
    suspend(pair, world.now)
    assert set(statuses(pair).values()) == {"active"}
    assert CaRequest.objects.filter(kind="hold", state__in=["planned", "sent"]).count() == 2
    ca.is_away = False
    carry_out(world.now + timedelta(minutes=1))
    assert set(statuses(pair).values()) == {"held"}


def test_what_is_being_revoked_is_not_suspended(world, ca, pair):
    ca.is_away = True
    revoke(pair, world.now)
    with pytest.raises(RevocationAsked):
        suspend(pair, world.now)


def test_a_suspension_of_the_holder_is_revoked_from_day_121(world, pair):
    suspend(pair, world.now)
    lapses = set(Hold.objects.values_list("lapses_at", flat=True))
    assert lapses == {hold_lapses_at(world.now, settings.CMS.hold_days)}
