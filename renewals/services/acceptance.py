"""The texts that a holder accepts. In a flow without a form the acceptance is what asks for the certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cms.actors import holder_at_client
from cms.errors import StockEmpty
from cms.fsm import refusing_illegal_moves
from cms.services import stock
from cms.states import ApprovalMode
from renewals import errors, texts
from renewals.flows import POLICIES
from renewals.models import Acceptance, RenewalCase
from renewals.services import enrolment
from renewals.services.cases import PLAN_FIELDS, plan, record
from renewals.services.enrolment import locked_for_step
from renewals.states import CaseState, Step
from runtime.transactions import use_case

SIGNED_FIELDS = ["state", "authorisation", "signed_at", "approval_mode", "refusal_suspends_at_once", *PLAN_FIELDS]


def accept_texts(case_id: int, accepted: Sequence[Mapping[str, str]], *, now: datetime) -> RenewalCase:
    """Store that the holder accepted each text of the flow, in the version and with the hash now in force.

    Where no form follows, the case waits for installation from here on, and its stock is reserved, all or none.
    """
    try:
        return _accept(case_id, accepted, now=now)
    except StockEmpty:
        enrolment.tell_stock_empty(case_id, now=now)
        raise


@use_case
def _accept(case_id: int, accepted: Sequence[Mapping[str, str]], *, now: datetime) -> RenewalCase:
    case = locked_for_step(case_id, now=now)
    steps = POLICIES[case.flow].steps
    if case.diagnosed_at is None or (Step.CONTACTS in steps and case.contacts_confirmed_at is None):
        raise errors.StepNotOpen
    if case.state != CaseState.NOTIFIED:
        return case
    wanted = {(text.kind, text.version, text.sha256) for text in texts.in_force(case.flow)}
    if {(row["kind"], row["version"], row["sha256"]) for row in accepted} != wanted:
        raise errors.TextsOutdated
    if not texts_accepted(case):
        _store(case, sorted(wanted), now=now)
    if Step.FORM_SIGNATURE not in steps:
        _go_on_without_form(case, now=now)
    return case


def _store(case: RenewalCase, wanted: Sequence[tuple[str, str, str]], *, now: datetime) -> None:
    rows = [
        Acceptance(case=case, kind=kind, version=version, sha256=sha256, accepted_at=now)
        for kind, version, sha256 in wanted
    ]
    Acceptance.objects.bulk_create(rows, ignore_conflicts=True)
    facts = {"texts": {kind: version for kind, version, _ in wanted}}
    record("case.terms-accepted", case, actor=holder_at_client(case.holder_id), at=now, facts=facts)


def _go_on_without_form(case: RenewalCase, *, now: datetime) -> None:
    """Accepted is asked for: no form to sign, nobody to authorise, whatever the agreement says (rules.md R18)."""
    with refusing_illegal_moves():
        case.sign(at=now, mode=ApprovalMode.AUTOMATIC, refusal_suspends_at_once=False)
        case.skip_authorisation()
    plan(case)
    case.save(update_fields=SIGNED_FIELDS)
    reserve(case, now=now)


def reserve(case: RenewalCase, *, now: datetime) -> None:
    """Promise the case its certificates. Last in its transaction: the stock row is hot."""
    stock.reserve(
        centre_id=case.centre_id,
        service_id=case.issuing_service_id,
        types=case.types,
        case_code=case.code,
        actor=holder_at_client(case.holder_id),
        at=now,
    )


def texts_accepted(case: RenewalCase) -> bool:
    """Whether every text in force has been accepted in its present version."""
    rows = set(case.acceptances.values_list("kind", "sha256"))
    return all((text.kind, text.sha256) in rows for text in texts.in_force(case.flow))
