"""Every mishap of a card, at every call that writes or signs, before and after it took effect, in both flows.

On the real API with its own CA: each ends with exactly one new pair and certificate, one case and one debit, in at most
two runs. The few here are chosen so that each call, each kind, each moment and each flow occurs; `make soak` runs all.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from dataclasses import dataclass

import pytest

from cardclient.errors import CardError
from cardclient.ports import Phase
from tests.cardclient.conftest import PIN
from tests.cardclient.faults import tally
from tests.cardclient.recording_screen import RecordingScreen
from tests.cardclient.shimmed import CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_GENERAL_ERROR, missing

LACK = missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]

OUT = "out"
NAMES = {
    OUT: "card pulled",
    CKR_DEVICE_ERROR: "device error",
    CKR_DEVICE_MEMORY: "device memory",
    CKR_GENERAL_ERROR: "general error",
}
GENERATE, IMPORT, SIGN, DESTROY = "C_GenerateKeyPair", "C_CreateObject", "C_Sign", "C_DestroyObject"
# Which call of each function an undisturbed run makes. Signatures of a renewal: login, form, two requests, binding, two
# proofs; of an extension: login, request, binding, proof. Deletions: private key, public key, certificate, of each pair.
CALLS = {
    "enroll": {GENERATE: (1, 2), IMPORT: (1, 2), SIGN: (1, 2, 4, 5, 7), DESTROY: (1, 2, 3, 4, 5, 6)},
    "extend": {GENERATE: (1,), IMPORT: (1,), SIGN: (1, 2, 3, 4), DESTROY: (1, 2, 3)},
}
KINDS = {
    GENERATE: tuple(NAMES),
    IMPORT: tuple(NAMES),
    SIGN: (OUT, CKR_DEVICE_ERROR, CKR_GENERAL_ERROR),
    DESTROY: (OUT, CKR_DEVICE_ERROR, CKR_GENERAL_ERROR),
}


@dataclass(frozen=True)
class Mishap:
    """One fault in one kind of renewal; `replaces` is what the card's family says."""

    flow: str
    replaces: bool
    function: str
    nth: int
    what: str
    when: str

    def __str__(self) -> str:
        kept = "replaces" if self.replaces else "keeps"
        return f"{self.flow}-{kept}-{self.function}-{self.nth}-{NAMES[self.what].replace(' ', '-')}-{self.when}"


ALL = [
    Mishap(flow, replaces, function, nth, what, when)
    for flow, calls in CALLS.items()
    for replaces in (True, False)
    for function, numbers in calls.items()
    if replaces or function != DESTROY
    for nth in numbers
    for what in KINDS[function]
    for when in ("before", "after")
]
FEW = {
    Mishap("enroll", True, GENERATE, 1, OUT, "after"),
    Mishap("enroll", True, GENERATE, 2, CKR_DEVICE_MEMORY, "before"),
    Mishap("enroll", True, IMPORT, 2, CKR_DEVICE_ERROR, "after"),
    Mishap("enroll", True, SIGN, 5, CKR_GENERAL_ERROR, "before"),
    Mishap("enroll", True, DESTROY, 1, CKR_DEVICE_ERROR, "after"),
    Mishap("enroll", True, DESTROY, 6, OUT, "after"),
    Mishap("enroll", False, SIGN, 2, OUT, "before"),
    Mishap("extend", False, GENERATE, 1, CKR_GENERAL_ERROR, "after"),
    Mishap("extend", False, IMPORT, 1, OUT, "after"),
    Mishap("extend", True, DESTROY, 3, CKR_DEVICE_ERROR, "before"),
}


def test_the_few_are_among_all_and_touch_every_call_kind_moment_and_flow():
    assert set(ALL) >= FEW
    for part in ("flow", "replaces", "function", "what", "when"):
        assert {getattr(each, part) for each in FEW} == {getattr(each, part) for each in ALL}


@pytest.mark.parametrize(
    "mishap", [pytest.param(each, id=str(each), marks=[] if each in FEW else [pytest.mark.soak]) for each in ALL]
)
def test_a_mishap_costs_one_more_run_and_nothing_else(town, mishap):
    home = town.home(mishap.flow, replaces=mishap.replaces)
    home.medium.shim.plan(mishap.function, mishap.what, when=mishap.when, nth=mishap.nth)

    with pytest.raises(CardError):
        home.run()

    assert home.medium.shim.fault_is_spent, "the plan names a call that does not happen"
    tally.fired[NAMES[mishap.what]] += 1
    home.run_again_until_done()
    home.require_renewed_once()


CRASHES = [("enroll", GENERATE, "before"), ("extend", IMPORT, "after"), ("enroll", DESTROY, "after")]
RARER = [
    (flow, function, when) for flow in CALLS for function in (GENERATE, IMPORT, SIGN) for when in ("before", "after")
]


@pytest.mark.parametrize(
    ("flow", "function", "when"),
    [*CRASHES, *(pytest.param(*each, marks=pytest.mark.soak) for each in RARER if each not in CRASHES)],
)
def test_a_helper_that_dies_inside_a_call_costs_one_more_run(town, flow, function, when):
    home = town.home(flow, replaces=True)
    home.medium.shim.plan(function, "crash", when=when)

    with pytest.raises(CardError):
        home.run()

    assert home.medium.shim.fault_is_spent
    tally.fired["helper died"] += 1
    home.run_again_until_done()
    home.require_renewed_once()


PHASES = {
    "enroll": [Phase.LOGIN, Phase.DIAGNOSIS, Phase.FORM, Phase.KEYS, Phase.INSTALLATION, Phase.REMOVAL],
    "extend": [Phase.LOGIN, Phase.DIAGNOSIS, Phase.KEYS, Phase.INSTALLATION, Phase.REMOVAL],
}
KILLS = [(flow, phase) for flow, phases in PHASES.items() for phase in phases]
SOME_KILLS = [("enroll", Phase.FORM), ("enroll", Phase.REMOVAL), ("extend", Phase.INSTALLATION)]


@pytest.mark.parametrize(
    ("flow", "phase"),
    [*SOME_KILLS, *(pytest.param(*each, marks=pytest.mark.soak) for each in KILLS if each not in SOME_KILLS)],
)
def test_a_helper_killed_between_two_calls_costs_at_most_one_more_run(town, flow, phase):
    """The next call starts another helper, which knows no login: before the PIN that costs nothing."""
    home, screen = town.home(flow, replaces=True), RecordingScreen(pin=[PIN])
    screen.at[phase] = kill_helpers
    with contextlib.nullcontext() if phase is Phase.LOGIN else pytest.raises(CardError):
        home.run(screen)
    tally.fired["helper killed"] += 1
    home.run_again_until_done()
    home.require_renewed_once()


def kill_helpers():
    """SIGKILL for every helper of this process."""
    helpers = multiprocessing.active_children()
    assert helpers
    for each in helpers:
        each.kill()
        each.join()
