"""Whatever is cut off, running again with the same card ends with exactly one new pair and one certificate per slot."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from cardclient import flow, simulated_state
from cardclient.contract import Slot
from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    ClientError,
    NotRenewable,
    OfficeUnreachable,
)
from cardclient.naming import ObjectName
from cardclient.ports import ObjectKind, Phase
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard, SimulatedReader
from tests.cardclient.conftest import NOW, P_256, PIN, PUK, http
from tests.cardclient.fake_office import CODE
from tests.cardclient.recording_screen import RecordingScreen
from tests.cardclient.test_renewal import require_renewed

# How often each operation happens in an undisturbed renewal of two slots.
CALLS = {"scan": 1, "view": 7, "login": 1, "keys": 12, "sign": 7, "generate": 2, "install": 2, "remove": 6, "report": 1}
READS = [("before", "removed"), ("after", "device-error")]
WRITES = [(when, kind) for when in ("before", "after") for kind in ("removed", "device-error", "memory")]
FAULTS = [
    (operation, nth, when, kind)
    for operation, nth in [(name, nth) for name, count in CALLS.items() for nth in range(1, count + 1)]
    for when, kind in (WRITES if operation in {"generate", "install", "remove"} else READS)
]


def rerun(card, renew):
    """Run until it ends well, putting the card back each time; at most three times."""
    for attempt in range(1, 4):
        SimulatedCard(card.path).insert()
        try:
            renew()
        except NotRenewable:
            # The last deletion took effect although the card said no: nothing is left to do.
            return attempt
        except (CardError, OfficeUnreachable):
            continue
        return attempt
    pytest.fail("the renewal does not end")


@pytest.mark.parametrize(("operation", "nth", "when", "kind"), FAULTS)
def test_a_fault_before_or_after_any_effect_costs_one_more_run_and_nothing_else(
    card, office, renew, authority, operation, nth, when, kind
):
    before = len(authority.issued)
    card.plan_fault(operation, kind, when=when, nth=nth)

    runs = rerun(card, renew)

    fired = not simulated_state.load(card.path).faults
    assert fired, "the plan names a call that does not happen"
    assert runs == 2 or (runs == 1 and office.is_complete)
    assert len(authority.issued) - before == 2
    require_renewed(card, office)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in {Phase.CONFIRMATION, Phase.CERTIFICATES}])
def test_a_card_pulled_at_any_phase_goes_on_where_it_stopped(card, office, renew, phase):
    screen = RecordingScreen(pin=[PIN])
    screen.at[phase] = card.eject
    problem = None
    try:
        renew(screen)
    except CardError as stopped:
        problem = stopped
    needs_no_card = {Phase.CONTACTS, Phase.ACCEPTANCE, Phase.DONE}
    assert problem is None or isinstance(problem, CardRemoved) or problem.code == "card-absent"
    assert (problem is None) == (phase is Phase.DONE), f"unexpected end at {phase}; {needs_no_card}"

    rerun_if = problem is not None
    SimulatedCard(card.path).insert()
    if rerun_if:
        renew()
    require_renewed(card, office)


LOST = [
    "/sessions",
    "/case/diagnosis",
    "/case/contacts",
    "/case/acceptance",
    "/case/form",
    "/case/form.pdf",
    "/case/form-signature",
    "/case/requests",
    "/case/certificates",
    "/case/installation-challenge",
    "/case/installation",
]


@pytest.mark.parametrize("path", LOST)
def test_an_answer_lost_for_good_after_its_effect_costs_one_more_run(card, office, renew, authority, path):
    before = len(authority.issued)

    def lose(request, _answer):
        raise httpx.ReadTimeout("", request=request)

    office.weather[path] = lose
    with pytest.raises(OfficeUnreachable):
        renew()
    office.weather.clear()

    renew()

    assert len(authority.issued) - before == 2
    require_renewed(card, office)


def test_half_a_pair_is_destroyed_and_made_again(card, office, renew):
    card.plan_fault("generate", "device-error", when="after")
    with pytest.raises(CardUpdateError):
        renew()
    state = simulated_state.load(card.path)
    name = next(ObjectName(CODE, slot, True).id.hex() for slot in office.old)
    state.objects = [each for each in state.objects if not (each.kind == ObjectKind.PUBLIC_KEY and each.id == name)]
    simulated_state.save(card.path, state)

    renew()

    require_renewed(card, office)


def test_another_certificate_under_the_new_id_is_replaced(card, office, renew, authority):
    card.plan_fault("install", "device-error", when="before")
    with pytest.raises(CardUpdateError):
        renew()
    slot = next(iter(office.old))
    stranger = SimulatedCard(card.path)
    stranger.login(Secret(PIN))
    stranger.install(ObjectName(CODE, slot, True).id, "stranger", authority.der)

    renew()

    require_renewed(card, office)


def test_a_key_the_office_knows_is_never_destroyed_and_a_lost_one_is_reported(card, office, renew):
    card.plan_fault("install", "device-error", when="before")
    with pytest.raises(CardUpdateError):
        renew()
    state = simulated_state.load(card.path)
    name = next(ObjectName(CODE, slot, True).id.hex() for slot in office.old)
    state.objects = [each for each in state.objects if each.id != name]
    simulated_state.save(card.path, state)

    with pytest.raises(CardUpdateError) as lost:
        renew()

    assert lost.value.code == "key-lost"
    assert office.failures[-1]["code"] == "key-lost"


def test_requests_are_not_made_anew_for_a_key_the_office_knows(card, office, renew):
    card.plan_fault("install", "device-error", when="before")
    with pytest.raises(CardUpdateError):
        renew()
    state = simulated_state.load(card.path)
    name = next(ObjectName(CODE, slot, True).id.hex() for slot in office.old)
    state.objects = [each for each in state.objects if each.id != name]
    simulated_state.save(card.path, state)
    office.done.discard("requests")

    with pytest.raises(CardUpdateError, match="key-lost"):
        renew()


def test_old_keys_left_after_completion_are_removed_by_the_next_run_and_by_nothing_else(card, office, renew):
    card.plan_fault("remove", "device-error", nth=2)
    with pytest.raises(CardUpdateError) as left:
        renew()
    assert left.value.code == "old-objects-left"
    assert office.is_complete

    screen = RecordingScreen(pin=[PIN])
    outcome = renew(screen)

    assert outcome.case is None
    assert screen.notices == ["old-objects-left", "removal-finished"]
    require_renewed(card, office)


@pytest.mark.parametrize("flow_name", ["enroll", "extend"])
@pytest.mark.parametrize("kind", ["removed", "device-error"])
def test_a_removal_that_ended_in_an_error_after_its_last_effect_is_finished_by_the_next_run(
    card, office, renew, flow_name, kind
):
    """Nothing is left to delete, and the office knows nothing to renew: that is the end, and no refusal."""
    office.flow, office.keeps = flow_name, False
    card.plan_fault("remove", kind, when="after", nth=6)
    with pytest.raises(CardError):
        renew()
    assert not simulated_state.load(card.path).faults
    SimulatedCard(card.path).insert()

    screen = RecordingScreen()
    outcome = renew(screen)

    assert (outcome.case, outcome.removed) == (None, 0)
    assert screen.notices == ["removal-finished"]
    require_renewed(card, office)


def test_a_card_renewed_long_ago_is_not_said_to_be_finished_just_now(card, office, renew):
    renew()
    desk = flow.Desk(SimulatedCard(card.path), RecordingScreen(), http(office), NOW + timedelta(days=30))
    with pytest.raises(NotRenewable):
        flow.renew(desk)


def test_the_old_pair_stays_when_the_announced_end_is_not_on_the_card(card, office, renew, monkeypatch):
    def lie(_request, answer):
        body = answer.json()
        body["result"]["new_not_after"] = "2030-01-01T00:00:00Z"
        return httpx.Response(200, json=body)

    office.weather["/case/installation"] = lie
    with pytest.raises(ClientError, match="certificate-refused"):
        renew()
    assert {each.der for each in simulated_state.load(card.path).of(ObjectKind.CERTIFICATE)} >= set(card.old.values())


def test_another_card_put_in_during_the_run_is_noticed(card, office, tmp_path):
    other = SimulatedCard.create(tmp_path / "other.json", serial="7430000000000002", pin=Secret(PIN), puk=Secret(PUK))
    other.eject()
    reader = SimulatedReader([card, other])
    screen = RecordingScreen(pin=[PIN])

    def swap():
        card.eject()
        other.insert()

    screen.at[Phase.KEYS] = swap
    with pytest.raises(AnotherCard):
        flow.renew(flow.Desk(reader, screen, http(office), NOW))


def test_a_failure_is_reported_to_the_office_as_codes_only(card, office, renew):
    card.plan_fault("generate", "memory")
    with pytest.raises(CardUpdateError):
        renew()
    assert office.failures == [{"step": "requests", "code": "card-memory", "detail": "CardUpdateError generate"}]


def doubled(card, name):
    """Two programs at once have made a pair each under the same name."""
    state = simulated_state.load(card.path)
    state.capacity = 8
    simulated_state.save(card.path, state)
    token = SimulatedCard(card.path)
    token.login(Secret(PIN))
    for _ in range(2):
        token.generate(name.id, name.label, P_256)


def test_two_pairs_of_two_programs_are_both_destroyed_while_the_office_knows_neither(card, office, renew):
    doubled(card, ObjectName(CODE, Slot.SIGNATURE, True))
    renew()
    require_renewed(card, office)


def test_nothing_is_destroyed_that_the_office_has_come_to_know_meanwhile(card, office, renew, screen):
    name = ObjectName(CODE, Slot.SIGNATURE, True)

    def other_program():
        doubled(card, name)
        office.requested[Slot.SIGNATURE] = b"known"

    screen.at[Phase.KEYS] = other_program
    with pytest.raises(CardUpdateError, match="key-lost"):
        renew(screen)
    assert [each.id for each in simulated_state.load(card.path).of(ObjectKind.PRIVATE_KEY)].count(name.id.hex()) == 2


def test_a_second_window_on_the_same_card_is_told_so_and_the_first_goes_on(card, office, renew, screen):
    told = []

    def second_window():
        with pytest.raises(CardError) as problem:
            renew(RecordingScreen(pin=[PIN]))
        told.append(problem.value.code)

    screen.at[Phase.FORM] = second_window
    renew(screen)
    assert told == ["card-in-use"]
    require_renewed(card, office)


def test_a_card_is_free_again_after_a_run_that_failed(card, office, renew):
    card.plan_fault("generate", "device-error")
    with pytest.raises(CardUpdateError):
        renew()
    renew()
    require_renewed(card, office)


def test_a_lost_answer_to_the_mailed_code_is_not_asked_for_again_and_the_next_run_goes_on(card, office, renew, screen):
    screen.contacts = [{"email": "nuova@example.org"}]

    def lose(request, _answer):
        raise httpx.ReadTimeout("", request=request)

    office.weather["/case/contact-confirmation"] = lose
    with pytest.raises(OfficeUnreachable):
        renew(screen)
    assert [path for _, path, _ in office.seen].count("/case/contact-confirmation") == 1
    office.weather.clear()

    renew()

    require_renewed(card, office)
