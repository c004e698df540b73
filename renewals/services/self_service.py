"""What a holder does alone with his own certificates: suspend, reactivate, revoke. The pair's cases follow.

Each use case commits the wish with its event, then asks the CA itself, so that CRL and OCSP tell it at once; a worker
takes over what the CA does not answer (rules.md R27).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_noop as _

from cms import policy
from cms.actors import holder_at_page
from cms.errors import CauseNotChosen, HoldNotYours, NotFound, RevocationAsked
from cms.models import CaRequest, Certificate, Hold, HolderVisit, Pair
from cms.services import certificates, deadlines, halves, requests
from cms.services.certificates import Announcement, draft_of
from cms.services.halves import Choice, Chosen
from cms.states import CertificateStatus, HoldCause, RequestState, RevocationCause, VisitKind
from notifications import services as notifications
from notifications.catalog import Message
from renewals.services import revocations
from runtime.transactions import use_case

SUSPENDED = {
    VisitKind.USER_CODE: _("La sospensione è stata chiesta da Lei, con il codice utente."),
    VisitKind.LINK: _("La sospensione è stata chiesta da Lei, con il collegamento inviato a questa casella."),
}
REACTIVATED = _("La riattivazione è stata chiesta da Lei, con il codice utente.")
REVOKED = {
    RevocationCause.HOLDER_REQUEST: _("La revoca è stata chiesta da Lei, con il codice utente."),
    RevocationCause.KEY_COMPROMISED: _(
        "La revoca è stata chiesta da Lei, con il codice utente, per smarrimento o furto della carta o perché altri "
        "conoscono il PIN."
    ),
}
# What a holder may state; the order of an authority is not his to give.
CAUSES = tuple(REVOKED)
_OPEN = (RequestState.PLANNED, RequestState.SENT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One or both certificates of a pair, as a page names them: nothing in it is an id of the register."""

    pair: uuid.UUID
    types: frozenset[str]


def suspend_certificates(wanted: Wanted, *, visit: HolderVisit, now: datetime) -> list[Certificate]:
    """Suspend for the holder's cause, from now; 120 days run. Returns the halves he had not suspended yet."""
    done = _suspend(wanted, visit=visit, now=now)
    _ask_ca(done, now=now)
    return done


def reactivate_certificates(wanted: Wanted, *, visit: HolderVisit, now: datetime) -> list[Certificate]:
    """Lift the holder's own cause and no other; what another cause holds stays held. Returns the halves it changed."""
    done = _reactivate(wanted, visit=visit, now=now)
    _ask_ca(done, now=now)
    return done


def revoke_certificates(wanted: Wanted, *, cause: str, visit: HolderVisit, now: datetime) -> list[Certificate]:
    """Revoke, for good. Four eyes bind the people of a centre, not the holder, whose own wish needs nobody's leave.

    Returns the halves whose revocation had not been asked yet.
    """
    done = _revoke(wanted, cause=cause, visit=visit, now=now)
    _ask_ca(done, now=now)
    return done


@use_case
def _suspend(wanted: Wanted, *, visit: HolderVisit, now: datetime) -> list[Certificate]:
    policy.require_visit_may_suspend(visit)
    chosen = _locked(wanted, visit)
    for half in chosen.halves:
        policy.require_in_use(half, now)
    if certificates.revocations_standing(halves.ids(chosen.halves)):
        raise RevocationAsked
    standing = _standing(chosen)
    own = {hold.certificate_id for hold in standing if hold.cause == HoldCause.HOLDER}
    new = replace(chosen, halves=[half for half in chosen.halves if half.pk not in own])
    told = _letter_of_suspension(new, visit, now)
    for half in new.halves:
        certificates.place_hold(
            half,
            HoldCause.HOLDER,
            days=settings.CMS.hold_days,
            actor=holder_at_page(visit.holder_id),
            at=now,
            case_code=new.case_code,
            announcement=told,
        )
    if {half.pk for half in new.halves} <= {hold.certificate_id for hold in standing}:
        _tell_now(told, new, now)
    _record("certificate.hold-asked", new, visit, now)
    return new.halves


@use_case
def _reactivate(wanted: Wanted, *, visit: HolderVisit, now: datetime) -> list[Certificate]:
    policy.require_visit_by_code(visit)
    chosen = _locked(wanted, visit)
    for half in chosen.halves:
        policy.require_not_final(half)
        policy.require_not_over(half, now)
    if certificates.revocations_standing(halves.ids(chosen.halves)):
        raise RevocationAsked
    standing = _standing(chosen)
    own = {hold.certificate_id for hold in standing if hold.cause in policy.MAY_LIFT["holder"]}
    if standing and not own:
        raise HoldNotYours(obstacle_of(standing))
    kept = {hold.certificate_id for hold in standing if hold.cause not in policy.MAY_LIFT["holder"]}
    changed = replace(chosen, halves=[half for half in chosen.halves if half.pk in own])
    freed = replace(chosen, halves=[half for half in changed.halves if half.pk not in kept])
    lifted = {hold.pk for hold in standing if hold.cause in policy.MAY_LIFT["holder"]}
    told = _letter_of_reactivation(freed, lifted, now) if freed.halves else None
    for half in changed.halves:
        certificates.lift_hold(
            half,
            HoldCause.HOLDER,
            origin="holder",
            actor=holder_at_page(visit.holder_id),
            at=now,
            case_code=changed.case_code,
            announcement=told,
        )
    _tell_what_stays(changed, [hold for hold in standing if hold.certificate_id in own & kept], now)
    _record("certificate.release-asked", changed, visit, now)
    return changed.halves


@use_case
def _revoke(wanted: Wanted, *, cause: str, visit: HolderVisit, now: datetime) -> list[Certificate]:
    policy.require_visit_by_code(visit)
    if cause not in CAUSES:
        raise CauseNotChosen
    known = RevocationCause(cause)
    pair_id = _pair_id(wanted, visit)
    found = revocations.locked_cases(pair_id)
    chosen = halves.locked_of(_choice(wanted, pair_id, revocations.birth_of(pair_id, found)), visit.holder_id)
    asked = certificates.revocations_standing(halves.ids(chosen.halves))
    left = [half for half in chosen.halves if half.pk not in asked and half.status != CertificateStatus.REVOKED]
    new = replace(chosen, halves=left)
    for half in left:
        policy.require_in_use(half, now)
    ended = deadlines.ended_with(pair_id, left, at=now)
    told = halves.letter(new, Message.REVOKED, at=now, reason=REVOKED[known], ended_entries=ended)
    for half in left:
        certificates.request_revocation(half, known, at=now, case_code=new.case_code, announcement=told)
    _record("certificate.revocation-asked", new, visit, now, reason=known)
    revocations.let_follow(pair_id, found, actor=holder_at_page(visit.holder_id), now=now)
    return left


def obstacle_of(standing: Sequence[Hold]) -> str:
    """Why the code does not lift these holds, and who can (rules.md R11)."""
    causes = {hold.cause for hold in standing}
    if HoldCause.AUTHORITY in causes:
        return _("Il certificato è sospeso per disposizione dell'autorità: solo l'autorità può riattivarlo.")
    if HoldCause.MISSING_APPROVAL in causes:
        return _(
            "Il certificato è sospeso perché il CDRL non ha autorizzato il rinnovo: si riattiva quando il CDRL lo "
            "autorizza, e non con il codice utente."
        )
    return _("Il certificato è sospeso dal CDRL: solo il CDRL può riattivarlo, e non il codice utente.")


def _locked(wanted: Wanted, visit: HolderVisit) -> Chosen:
    pair_id = _pair_id(wanted, visit)
    return halves.locked_of(_choice(wanted, pair_id, revocations.code_of_birth(pair_id)), visit.holder_id)


def _pair_id(wanted: Wanted, visit: HolderVisit) -> int:
    """The register's id of the holder's pair; another person's pair does not exist for him."""
    found = Pair.objects.filter(public_id=wanted.pair, holder_id=visit.holder_id).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound
    return found


def _choice(wanted: Wanted, pair_id: int, case_code: str) -> Choice:
    chosen = Certificate.objects.filter(pair_id=pair_id, type__in=wanted.types).values_list("pk", flat=True)
    return Choice(pair_id, frozenset(chosen), case_code)


def _letter_of_suspension(chosen: Chosen, visit: HolderVisit, now: datetime) -> Announcement | None:
    return halves.letter(
        chosen,
        Message.SUSPENDED,
        at=now,
        reason=SUSPENDED[VisitKind(visit.kind)],
        **halves.suspension(chosen, HoldCause.HOLDER, at=now, days=settings.CMS.hold_days),
    )


def _letter_of_reactivation(freed: Chosen, lifted: set[int], now: datetime) -> Announcement | None:
    return halves.letter(
        freed,
        Message.REACTIVATED,
        at=now,
        reason=REACTIVATED,
        new_not_after=min(half.not_after for half in freed.halves).isoformat(),
        ended_entries=deadlines.ended(freed.pair.pk, lifted, at=now),
    )


def _tell_what_stays(changed: Chosen, standing: Sequence[Hold], now: datetime) -> None:
    """Say at once that the holder's own suspension has ended and that another one stays, whose, and until when.

    The letter is that of a suspension: it brings the deadline of the cause that stays.
    """
    left = [hold for hold in standing if hold.cause not in policy.MAY_LIFT["holder"]]
    if not left:
        return
    stays = replace(
        changed, halves=[half for half in changed.halves if half.pk in {hold.certificate_id for hold in left}]
    )
    lapses_at, ends = min(hold.lapses_at for hold in left), max(half.not_after for half in stays.halves)
    told = halves.letter(
        stays,
        Message.SUSPENDED,
        at=now,
        reason=obstacle_of(left),
        suspended_at=min(hold.placed_at for hold in left).isoformat(),
        revoke_on=lapses_at.isoformat(),
        entries=deadlines.entries(left),
        ended_entries=deadlines.ended(changed.pair.pk, at=now),
        **({"valid_until": ends.isoformat()} if ends < lapses_at else {}),
    )
    _tell_now(told, stays, now)


def _tell_now(told: Announcement | None, chosen: Chosen, now: datetime) -> None:
    """A further cause asks nothing of the CA, whose answer would send the letter: so it leaves with the fact."""
    if told is None or not chosen.halves:
        return
    notifications.post_each([draft_of(asdict(told), chosen.case_code)], at=now)


def _record(verb: str, chosen: Chosen, visit: HolderVisit, now: datetime, *, reason: str = "") -> None:
    actor = holder_at_page(visit.holder_id)
    halves.record_by(actor, verb, chosen, at=now, reason=reason or visit.kind)


def _standing(chosen: Chosen) -> list[Hold]:
    found = Hold.objects.filter(certificate__in=chosen.halves, lifted_at__isnull=True, ended_at__isnull=True)
    return list(found)


def _ask_ca(changed: Sequence[Certificate], *, now: datetime) -> None:
    """Carry out what is wished for these certificates, in its order, while the holder waits for the page."""
    waiting = CaRequest.objects.filter(certificate__in=changed, state__in=_OPEN).order_by("id")
    for pk in list(waiting.values_list("pk", flat=True)):
        requests.carry_out(pk, at=now)
