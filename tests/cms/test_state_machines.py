"""State machines: the table here is the specification; Python and the database's trigger must both equal it."""

from __future__ import annotations

import itertools

import pytest
from django.db import ProgrammingError, connection, transaction

from cms.models import Certificate
from cms.models.certificates import STATUS_MOVES
from cms.states import CertificateStatus
from renewals import sweeps
from renewals.models import AUTHORISATION_MOVES, STATE_MOVES, RenewalCase
from renewals.states import Authorisation, CaseState
from runtime import clock

CASE = {
    "notified": {"sign", "expire", "cancel"},
    "awaiting-installation": {"complete", "expire", "cancel"},
    "completed": {"lapse"},
    "expired": set(),
    "cancelled": set(),
}
DECISIONS = {
    "undecided": {"skip_authorisation", "ask_authorisation"},
    "not-required": set(),
    "pending": {"approve", "refuse"},
    "refused": {"approve"},
    "approved": set(),
}
CERTIFICATE = {
    "issued": {"activate", "revoke"},
    "active": {"hold", "revoke"},
    "held": {"release", "revoke"},
    "revoked": set(),
}


@pytest.mark.parametrize("state", CaseState)
def test_open_moves_of_a_case(state):
    """Every state decides every event."""
    moves = RenewalCase(state=state).get_available_state_transitions()
    assert {move.name for move in moves} == CASE[state]


@pytest.mark.parametrize("answer", Authorisation)
def test_open_decisions(answer):
    """Approval can follow a refusal, never the other way round."""
    moves = RenewalCase(authorisation=answer).get_available_authorisation_transitions()
    assert {move.name for move in moves} == DECISIONS[answer]


@pytest.mark.parametrize("status", CertificateStatus)
def test_open_moves_of_a_certificate(status):
    """Revoked is final."""
    moves = Certificate(status=status).get_available_status_transitions()
    assert {move.name for move in moves} == CERTIFICATE[status]


def declared(model, field):
    """Pairs of the transitions that Python declares."""
    name = f"get_all_{field}_transitions"
    return {(str(move.source), str(move.target)) for move in getattr(model(), name)()}


@pytest.mark.parametrize(
    ("model", "field", "moves"),
    [
        (RenewalCase, "state", STATE_MOVES),
        (RenewalCase, "authorisation", AUTHORISATION_MOVES),
        (Certificate, "status", STATUS_MOVES),
    ],
)
def test_python_and_trigger_hold_the_same_table(db, model, field, moves):
    """What one layer allows and the other does not would be found by a holder."""
    assert declared(model, field) == {(str(source), str(target)) for source, target in moves}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef(tgfoid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [model._meta.db_table],
        )
        bodies = [body for (body,) in cursor.fetchall() if f'OLD."{field}"' in body]
    assert len(bodies) == 1
    listed = bodies[0].split("'{", 1)[1].split("}'", 1)[0].split(",")
    assert {tuple(pair.split(":")) for pair in listed} == {(str(source), str(target)) for source, target in moves}


def test_assignment_is_refused():
    """A state changes by saying what happened."""
    case = RenewalCase()
    with pytest.raises(AttributeError):
        case.state = CaseState.COMPLETED


def test_the_database_refuses_every_other_move(card):
    """Every pair of states that the table does not name, tried on a real row."""
    case = opened(card)
    for source, target in itertools.product(CaseState, CaseState):
        if source != CaseState.NOTIFIED or source == target or (source, target) in STATE_MOVES:
            continue
        with pytest.raises(ProgrammingError), transaction.atomic():
            RenewalCase.objects.filter(pk=case.pk).update(state=target)


def test_a_case_is_never_deleted_nor_born_elsewhere(card):
    """Nothing lost: rows stay, and a case begins at the beginning."""
    case = opened(card)
    with pytest.raises(ProgrammingError), transaction.atomic():
        case.delete()
    case.pk, case.code, case._state.adding = None, "RXXX-XXXX-XXX", True
    case.__dict__["state"] = CaseState.COMPLETED
    with pytest.raises(ProgrammingError), transaction.atomic():
        case.save()


def test_rereading_one_row_frees_no_other(card):
    """Protection hangs on the instance: a vanished row does not switch it off for the process."""
    case = opened(card)
    gone = RenewalCase(pk=10**9)
    with pytest.raises(RenewalCase.DoesNotExist):
        gone.refresh_from_db()
    case.refresh_from_db()
    with pytest.raises(AttributeError):
        case.state = CaseState.COMPLETED
    with pytest.raises(AttributeError):
        gone.state = CaseState.COMPLETED


def opened(card):
    """The case of a card whose window is open."""
    sweeps.open_windows(now=clock.now())
    return RenewalCase.objects.get(card__serial=card.serial)
