"""Suspending and reactivating certificates at the panel. A case's clock is not touched: its cause is another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from cms import policy
from cms.actors import operator as operator_actor
from cms.errors import HoldNotYours, RevocationAsked
from cms.models import Certificate, Hold, User
from cms.services import certificates, deadlines, halves
from cms.services.halves import Choice, Chosen
from cms.states import HoldCause
from notifications.catalog import Message
from runtime.transactions import use_case

SUSPENDED = "La sospensione è stata disposta dal CDRL."
REACTIVATED = "Il CDRL ha rimosso la sospensione."


@use_case
def suspend_certificates(choice: Choice, *, note: str, operator: User, now: datetime) -> list[Certificate]:
    """Suspend the chosen halves for the operator's cause; 120 days run from now. Returns those it had not held yet."""
    chosen = halves.locked(choice, operator)
    for half in chosen.halves:
        policy.require_in_use(half, now)
    if certificates.revocations_standing(halves.ids(chosen.halves)):
        raise RevocationAsked
    held = set(_standing(chosen).filter(cause=HoldCause.OPERATOR).values_list("certificate_id", flat=True))
    new = replace(chosen, halves=[half for half in chosen.halves if half.pk not in held])
    note = halves.clean_note(note)
    told = halves.letter(
        new,
        Message.SUSPENDED,
        at=now,
        reason=halves.said(SUSPENDED, note),
        **halves.suspension(new, HoldCause.OPERATOR, at=now, days=settings.CMS.hold_days),
    )
    for half in new.halves:
        certificates.place_hold(
            half,
            HoldCause.OPERATOR,
            days=settings.CMS.hold_days,
            actor=operator_actor(operator),
            at=now,
            case_code=chosen.case_code,
            announcement=told,
        )
    halves.record("certificate.hold-asked", new, operator=operator, at=now, reason=note)
    return new.halves


@use_case
def reactivate_certificates(choice: Choice, *, note: str, operator: User, now: datetime) -> list[Certificate]:
    """Lift the causes that an operator may lift; what other causes hold stays held. Returns the halves it changed."""
    chosen = halves.locked(choice, operator)
    for half in chosen.halves:
        policy.require_not_final(half)
        policy.require_not_over(half, now)
    if certificates.revocations_standing(halves.ids(chosen.halves)):
        raise RevocationAsked
    standing = list(_standing(chosen))
    mine = [hold for hold in standing if hold.cause in policy.MAY_LIFT["operator"]]
    if standing and not mine:
        raise HoldNotYours(obstacle_of(standing))
    lifted = {hold.certificate_id for hold in mine}
    changed = replace(chosen, halves=[half for half in chosen.halves if half.pk in lifted])
    if changed.halves:
        _lift(changed, mine, note=halves.clean_note(note), operator=operator, now=now)
    return changed.halves


def obstacle_of(standing: list[Hold]) -> str:
    """Why these holds stay, and what would lift them."""
    if any(hold.cause == HoldCause.MISSING_APPROVAL for hold in standing):
        return _("Il certificato è sospeso perché il rinnovo non è autorizzato: si riattiva approvando il rinnovo.")
    return _("Il certificato è sospeso per disposizione dell'autorità: solo l'autorità può riattivarlo.")


def _lift(changed: Chosen, holds: list[Hold], *, note: str, operator: User, now: datetime) -> None:
    told = halves.letter(
        changed,
        Message.REACTIVATED,
        at=now,
        reason=halves.said(REACTIVATED, note),
        new_not_after=min(half.not_after for half in changed.halves).isoformat(),
        ended_entries=deadlines.ended(changed.pair.pk, {hold.pk for hold in holds}, at=now),
    )
    by_id = {half.pk: half for half in changed.halves}
    for hold in holds:
        certificates.lift_hold(
            by_id[hold.certificate_id],
            HoldCause(hold.cause),
            origin="operator",
            actor=operator_actor(operator),
            at=now,
            case_code=changed.case_code,
            announcement=told,
        )
    halves.record("certificate.release-asked", changed, operator=operator, at=now, reason=note)


def _standing(chosen: Chosen) -> QuerySet[Hold]:
    return Hold.objects.filter(certificate__in=chosen.halves, lifted_at__isnull=True, ended_at__isnull=True)
