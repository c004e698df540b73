"""The enrollment API keeps its committed contract, whatever is sent: fuzzed at every step, authenticated, stateful."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode

from cms import ca as configured
from pki.fake import FakeAuthority
from runtime.clock import FakeClock, installed
from tests.contract.conformity import OPERATIONS, Sender, contract, door, fields_of
from tests.contract.holders import STEP_OF, STEPS, Prepared
from tests.contract.walk import Journey, Walk
from tests.plugin.tables import Tables
from tests.renewals.world import World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EXAMPLES = 100
WALKS = 40
covered = contract()
covered.config.phases.fuzzing.enabled = covered.config.phases.examples.enabled = False
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.fixture(scope="module")
def prepared(django_db_setup, django_db_blocker, superuser):
    """A committed register with a holder at every step, for all tests of this module."""
    with (
        django_db_blocker.unblock(),
        installed(FakeClock(NOW)) as clock,
        configured.installed(FakeAuthority()) as ca,
    ):
        try:
            yield Prepared.of(World(ca, NOW), ca, clock)
        finally:
            Tables(superuser).empty()


def fuzz(prepared, name, chosen):
    """In earnest, generated, and generated with some fields in earnest; at any step. Returns the sender's count."""
    sender, fields = Sender(prepared, name), fields_of(OPERATIONS[name])
    cases = st.one_of([sender.operation.as_strategy(generation_mode=mode) for mode in GenerationMode])
    kept = st.sets(st.sampled_from(fields)) if fields else st.just(frozenset())

    @chosen
    @given(step=st.just(STEP_OF[name]) | st.sampled_from(STEPS), made=st.none() | st.tuples(cases, kept))
    def example(step, made):
        with prepared.scenario() as door.address:
            holder = prepared.holder(step, door.address)
            case = sender.mixed(holder, *made) if made else sender.earnest(holder)
            assume(case is not None)
            sender.send(case, holder)

    example()
    return sender


def wander(prepared, chosen):
    """Let holders walk; returns the senders, by operation."""
    senders = {name: Sender(prepared, name) for name in OPERATIONS}
    machine = type("Wandering", (Walk,), {"prepared": prepared, "senders": senders})
    run_state_machine_as_test(machine, settings=settings(chosen, stateful_step_count=20))
    return senders


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_keeps_the_contract(prepared, name):
    sender = fuzz(prepared, name, SETTINGS)

    # Where nothing can be said, there is little to try.
    is_told = fields_of(sender.operation) or "security" in sender.operation.definition.raw
    assert sender.seen.total() >= (EXAMPLES if is_told else 1)
    assert sender.successes, sender.seen


def test_one_renewal_from_scan_to_proof_keeps_the_contract(prepared):
    """Stateful and in earnest: each call lives on what the ones before have made. Every operation succeeds."""
    senders = {name: Sender(prepared, name) for name in OPERATIONS}
    with prepared.scenario() as door.address:
        one = Journey(prepared, senders, "scan")
        one.send("scan")
        one.send("showTextsOfFlow")
        one.send("beginLogin")
        one.log_in()
        one.go_on()
        one.change_mailbox(1)
        while one.next_step != "done":
            one.go_on()
        one.send("reportFailure")
        one.send("showCapabilities")
        one.send("askForHelp")
        Journey(prepared, senders, "diagnosis").send("cancel")

    seen = {name: sender.seen for name, sender in senders.items()}
    assert all(set(counted) <= {200, 201} and counted for counted in seen.values()), seen


def test_a_holder_on_any_way_through_a_renewal_meets_the_contract(prepared):
    """Steps in and out of order, repeated, borrowed and nonsense, in the CA's every weather, while time passes."""
    senders = wander(prepared, settings(SETTINGS, max_examples=WALKS))

    assert senders["install"].successes


@pytest.mark.parametrize("weather", ["is_away", "is_pending"])
def test_a_ca_that_does_not_settle_at_once_is_waited_for_within_the_contract(prepared, weather):
    senders = {name: Sender(prepared, name) for name in OPERATIONS}
    with prepared.scenario() as door.address:
        one = Journey(prepared, senders, "requests")
        setattr(prepared.ca, weather, True)
        try:
            one.send("submitRequests")
        finally:
            setattr(prepared.ca, weather, False)

    assert senders["submitRequests"].seen == {202: 1}


@pytest.mark.soak
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_keeps_the_contract_for_long(prepared, name):
    assert fuzz(prepared, name, settings(SETTINGS, max_examples=400, derandomize=False)).successes


@pytest.mark.soak
def test_holders_wander_for_long(prepared):
    wander(prepared, settings(SETTINGS, max_examples=200, derandomize=False))


@covered.parametrize()
def test_the_edges_of_an_operation_keep_the_contract(prepared, case):
    """Deterministic: least and longest values, missing and unknown fields, wrong types, other methods and media types."""
    name = case.operation.definition.raw["operationId"]
    with prepared.scenario() as door.address:
        Sender(prepared, name).send(case, prepared.holder(STEP_OF[name], door.address))
