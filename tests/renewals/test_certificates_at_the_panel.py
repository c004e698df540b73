"""Suspend, reactivate, revoke at the panel: who may, what the CA is asked, what follows for the renewal case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms.actors import SYSTEM
from cms.errors import (
    CauseNotChosen,
    CertificateOver,
    HoldNotYours,
    ProposalClosed,
    ProposalNotYours,
    ProposalSamePerson,
    ProposalWaiting,
    RevocationAsked,
    RoleTooWeak,
    SecondPersonNeeded,
    WrongCentre,
)
from cms.models import CaRequest, Event, Hold, RevocationProposal
from cms.services import certificates, holds, requests, revocations
from cms.services.halves import Choice
from cms.states import CertificateStatus, HoldCause, RequestState, Role
from notifications.models import OutboxMessage
from pki.gateway import CertificateRef, StatusKind
from renewals import invariants, sweeps
from renewals.services import decisions
from renewals.services import revocations as with_cases
from tests.renewals import quick
from tests.renewals.conftest import NOW
from tests.renewals.world import OLD_NOT_AFTER


def settle(at=NOW) -> None:
    """Let the CA do what it was asked."""
    requests.carry_out_due(at=at)


def whole(pair, *types) -> Choice:
    """The pair, or the halves of these types."""
    found = pair.certificates.filter(type__in=types) if types else pair.certificates.all()
    return Choice(pair.pk, frozenset(found.values_list("pk", flat=True)))


def at_ca(world, pair) -> set:
    """What the CA says of the halves."""
    refs = [CertificateRef(bytes.fromhex(half.issuer_key_id), int(half.serial, 16)) for half in pair.certificates.all()]
    return {world.ca.status(ref).kind for ref in refs}


def statuses(pair) -> dict:
    return dict(pair.certificates.values_list("type", "status"))


def revoke(world, choice, *, cause="holder-request", operator=None, now=NOW):
    return with_cases.revoke_certificates(choice, cause=cause, note="", operator=operator or world.operator, now=now)


def suspend(world, choice, now=NOW):
    return holds.suspend_certificates(choice, note="Carta smarrita", operator=world.operator, now=now)


def reactivate(world, choice, now=NOW):
    return holds.reactivate_certificates(choice, note="Ritrovata", operator=world.operator, now=now)


@pytest.fixture
def old(world):
    """A pair on a card, in Comunicato."""
    return quick.opened(world, 1)


@pytest.fixture
def done(world):
    """A completed renewal that waits for its centre."""
    return quick.completed(world, 2)


def test_a_suspended_pair_is_held_at_the_ca_its_holder_told_once_and_day_121_set(world, old):
    suspend(world, whole(old.old_pair))
    settle()

    assert set(statuses(old.old_pair).values()) == {CertificateStatus.HELD}
    assert at_ca(world, old.old_pair) == {StatusKind.HELD}
    hold = Hold.objects.first()
    assert (hold.cause, hold.placed_by) == (HoldCause.OPERATOR, world.operator.pk)
    assert hold.lapses_at.isoformat() == "2026-06-30T22:00:00+00:00"
    mail = OutboxMessage.objects.get(kind="suspended")
    assert mail.context["reason"] == "La sospensione è stata disposta dal CDRL.\nCarta smarrita"
    assert mail.context["certificate_types"] == "Autenticazione CNS, Firma qualificata"
    assert invariants.breaches(now=NOW) == []


def test_one_half_alone_is_suspended_and_reactivated(world, old):
    signature = whole(old.old_pair, "signature")

    suspend(world, signature)
    settle()
    assert statuses(old.old_pair) == {"authentication": "active", "signature": "held"}

    assert len(reactivate(world, signature)) == 1
    settle()
    assert statuses(old.old_pair) == {"authentication": "active", "signature": "active"}
    assert list(OutboxMessage.objects.order_by("created_at").values_list("kind", flat=True))[-1] == "reactivated"
    asked = list(Event.objects.filter(verb__endswith="-asked").order_by("id").values_list("verb", "reason"))
    assert asked == [("certificate.hold-asked", "Carta smarrita"), ("certificate.release-asked", "Ritrovata")]


def test_pressed_twice_is_pressed_once(world, old):
    both = whole(old.old_pair)

    assert len(suspend(world, both)) == 2
    assert suspend(world, both) == []
    settle()
    assert len(reactivate(world, both)) == 2
    assert reactivate(world, both) == []
    assert len(revoke(world, both)) == 2
    assert revoke(world, both) == []
    settle()

    assert Event.objects.filter(verb__endswith="-asked").count() == 6
    assert OutboxMessage.objects.filter(kind__in=["suspended", "reactivated", "revoked"]).count() <= 3


def test_the_holders_own_hold_may_be_lifted_the_authoritys_and_the_missing_approval_may_not(world, old, done):
    holder, authority, ours = quick.opened(world, 3), quick.opened(world, 4), done
    for pair, cause in (
        (holder.old_pair, HoldCause.HOLDER),
        (authority.old_pair, HoldCause.AUTHORITY),
        (ours.new_pair, HoldCause.MISSING_APPROVAL),
    ):
        for half in pair.certificates.select_related("pair"):
            certificates.place_hold(half, cause, days=120, actor=SYSTEM, at=NOW)
    settle()

    assert len(reactivate(world, whole(holder.old_pair))) == 2
    for pair, said in ((authority.old_pair, "autorità"), (ours.new_pair, "approvando")):
        with pytest.raises(HoldNotYours, match=said):
            reactivate(world, whole(pair))


def test_what_another_cause_holds_stays_held(world, done):
    suspend(world, whole(done.new_pair))
    settle()
    after = OLD_NOT_AFTER + timedelta(days=1)
    sweeps.suspend_unauthorised(now=after)

    reactivate(world, whole(done.new_pair), now=after)
    settle(after)
    assert set(statuses(done.new_pair).values()) == {CertificateStatus.HELD}

    decisions.approve_renewal(done.pk, operator=world.operator, now=after)
    settle(after)
    assert set(statuses(done.new_pair).values()) == {CertificateStatus.ACTIVE}
    assert invariants.breaches(now=after) == []


def test_a_revoked_new_pair_stops_the_clock_of_its_case(world, done):
    revoke(world, whole(done.new_pair, "signature"))
    done.refresh_from_db()
    assert done.withdrawn_at is None
    assert done.due_kind == "suspend"

    revoke(world, whole(done.new_pair))
    settle()

    done.refresh_from_db()
    assert (done.withdrawn_at, done.due_kind, done.due_at) == (NOW, "", None)
    assert at_ca(world, done.new_pair) == {StatusKind.REVOKED}
    assert sweeps.suspend_unauthorised(now=OLD_NOT_AFTER + timedelta(days=1)) == 0
    assert invariants.breaches(now=NOW) == []


def test_a_revocation_carries_the_code_of_the_case_that_made_the_pair(world, done):
    revoke(world, whole(done.new_pair), cause="key-compromised")
    settle()

    assert set(CaRequest.objects.filter(kind="revoke").values_list("case_code", "cause")) == {
        (done.code, "key-compromised")
    }
    mail = OutboxMessage.objects.get(kind="revoked")
    assert mail.context["case_code"] == done.code
    assert mail.context["reason"] == "Chiave compromessa."


def test_a_revoked_old_half_cancels_the_renewal_that_was_open(world, old):
    revoke(world, whole(old.old_pair, "signature"))
    settle()

    old.refresh_from_db()
    assert (old.state, old.close_reason) == ("cancelled", "old-certificate-revoked")
    assert statuses(old.old_pair) == {"authentication": "active", "signature": "revoked"}
    assert invariants.breaches(now=NOW) == []


@pytest.mark.parametrize("cause", ["hold-lapsed", "approval-lapsed", "not-installed", "", "unspecified"])
def test_a_cause_that_no_person_states_is_refused(world, old, cause):
    with pytest.raises(CauseNotChosen):
        revoke(world, whole(old.old_pair), cause=cause)


@pytest.mark.parametrize("act", [revoke, suspend, reactivate])
def test_nothing_is_asked_for_an_expired_certificate(world, old, act):
    choice = whole(old.old_pair)
    if act is reactivate:
        suspend(world, choice)
        settle()

    with pytest.raises(CertificateOver):
        act(world, choice, now=OLD_NOT_AFTER + timedelta(seconds=1))


def test_after_a_revocation_nothing_else_is_asked(world, old):
    revoke(world, whole(old.old_pair))

    with pytest.raises(RevocationAsked):
        suspend(world, whole(old.old_pair))
    with pytest.raises(RevocationAsked):
        reactivate(world, whole(old.old_pair))


def test_halves_of_another_pair_do_not_belong_to_this_one(world, old, done):
    mixed = Choice(old.old_pair_id, whole(done.new_pair).certificate_ids)
    for choice in (mixed, Choice(old.old_pair_id, frozenset())):
        with pytest.raises(CauseNotChosen):
            suspend(world, choice)


def test_what_another_centre_issued_is_not_touched_here_and_an_auditor_touches_nothing(world, old):
    stranger = world.employ("altrove@cdrl.example.org", world.found_centre("cdrl-altro", "Altro Ordine"))
    auditor = world.employ("revisore@cdrl.example.org", world.centre, Role.AUDITOR)
    administrator = world.employ("admin@fornitore.example.org", world.found_centre("cdrl-terzo", "Terzo Ordine"))
    administrator.is_administrator = True
    administrator.save()

    with pytest.raises(WrongCentre, match="appartiene a un altro CDRL"):
        revoke(world, whole(old.old_pair), operator=stranger)
    with pytest.raises(WrongCentre):
        revoke(world, whole(old.old_pair), operator=administrator)
    with pytest.raises(RoleTooWeak):
        revoke(world, whole(old.old_pair), operator=auditor)


@pytest.fixture
def colleague(world):
    """Four eyes, and the second pair of them."""
    world.agreement.four_eyes_revocation = True
    world.agreement.save()
    return world.employ("collega@cdrl.example.org", world.centre)


def propose(world, choice, operator=None):
    return revocations.propose_revocation(
        choice, cause="holder-request", note="", operator=operator or world.operator, now=NOW
    )


def test_under_four_eyes_nobody_revokes_alone(world, old, colleague):
    with pytest.raises(SecondPersonNeeded):
        revoke(world, whole(old.old_pair))

    proposal = propose(world, whole(old.old_pair))
    with pytest.raises(ProposalSamePerson):
        with_cases.confirm_revocation(proposal.uid, operator=world.operator, now=NOW)
    with pytest.raises(ProposalSamePerson):
        revocations.refuse_revocation(proposal.uid, operator=world.operator, now=NOW)
    assert not CaRequest.objects.filter(kind="revoke").exists()

    with_cases.confirm_revocation(proposal.uid, operator=colleague, now=NOW)
    settle()
    assert set(statuses(old.old_pair).values()) == {CertificateStatus.REVOKED}
    old.refresh_from_db()
    assert old.state == "cancelled"
    for decide in (with_cases.confirm_revocation, revocations.refuse_revocation):
        with pytest.raises(ProposalClosed):
            decide(proposal.uid, operator=colleague, now=NOW)


def test_a_confirmed_proposal_stops_the_clock_of_the_case(world, done, colleague):
    proposal = propose(world, whole(done.new_pair))

    with_cases.confirm_revocation(proposal.uid, operator=colleague, now=NOW)

    done.refresh_from_db()
    assert done.withdrawn_at == NOW


def test_a_proposal_is_refused_by_the_second_person_and_withdrawn_by_the_first(world, old, colleague):
    first = propose(world, whole(old.old_pair))
    with pytest.raises(ProposalNotYours):
        revocations.withdraw_revocation(first.uid, operator=colleague, now=NOW)
    revocations.refuse_revocation(first.uid, operator=colleague, now=NOW)

    second = propose(world, whole(old.old_pair))
    revocations.withdraw_revocation(second.uid, operator=world.operator, now=NOW)

    assert list(RevocationProposal.objects.order_by("pk").values_list("state", flat=True)) == ["refused", "withdrawn"]
    assert set(statuses(old.old_pair).values()) == {CertificateStatus.ACTIVE}


def test_a_pair_has_one_waiting_proposal_and_the_same_one_twice_is_once(world, old, colleague):
    first = propose(world, whole(old.old_pair))

    assert propose(world, whole(old.old_pair)).pk == first.pk
    with pytest.raises(ProposalWaiting):
        propose(world, whole(old.old_pair, "signature"))
    with pytest.raises(ProposalWaiting):
        propose(world, whole(old.old_pair), operator=colleague)


def test_letters_of_different_people_do_not_wait_for_each_other(world, old):
    other = quick.opened(world, 5)
    suspend(world, whole(old.old_pair))
    suspend(world, whole(other.old_pair))
    theirs = CaRequest.objects.filter(pair=other.old_pair, kind="hold")
    theirs.update(next_attempt_at=NOW + timedelta(hours=1))

    settle()

    assert theirs.filter(state=RequestState.PLANNED).count() == 2
    assert OutboxMessage.objects.filter(kind="suspended", holder_id=old.holder_id).count() == 1
