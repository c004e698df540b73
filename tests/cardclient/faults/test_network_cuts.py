"""The line to the office is cut at each call, before the request arrives or after it took effect."""

from __future__ import annotations

import pytest

from cardclient.errors import OfficeUnreachable
from tests.cardclient.faults import tally
from tests.cardclient.faults.lines import ANSWER, REQUEST, CutLine

ENTRANCE = ["/capabilities", "/scan", "/texts", "/challenges", "/sessions"]
COMMON = ["/case/diagnosis", "/case/texts", "/case/acceptance"]
ISSUING = ["/case/requests", "/case/certificates", "/case/installation-challenge", "/case/installation"]
ENROLL = ["/case/contacts", "/case/form", "/case/form.pdf", "/case/form-signature"]
CALLS = {"enroll": [*ENTRANCE, *COMMON, *ENROLL, *ISSUING], "extend": [*ENTRANCE, *COMMON, *ISSUING]}
# A second one of these would be another thing: a lost answer is not asked for again within the run.
SINGLE = {"/challenges", "/sessions", "/case/installation-challenge"}
FOR_GOOD = 4  # as often as one run tries

EACH = [(flow, path, what) for flow, paths in CALLS.items() for path in paths for what in (REQUEST, ANSWER)]
FEW = [
    ("enroll", "/sessions", ANSWER),
    ("enroll", "/case/form-signature", ANSWER),
    ("enroll", "/case/requests", REQUEST),
    ("extend", "/case/acceptance", ANSWER),
    ("extend", "/case/installation", ANSWER),
]


@pytest.mark.parametrize("flow", CALLS)
def test_every_first_request_may_be_lost_and_one_run_still_comes_to_its_end(town, flow):
    home, line = town.home(flow, simulated=True), CutLine(REQUEST)
    home.run(line=line)
    assert set(line.lost) == set(CALLS[flow])
    tally.fired["request lost"] += line.lost.total()
    home.require_renewed_once()


@pytest.mark.parametrize("flow", CALLS)
def test_every_first_answer_of_a_call_that_may_be_repeated_may_be_lost_within_one_run(town, flow):
    home, line = town.home(flow, simulated=True), CutLine(ANSWER, [path for path in CALLS[flow] if path not in SINGLE])
    home.run(line=line)
    assert line.lost.total() == len(CALLS[flow]) - len(SINGLE)
    tally.fired["answer lost"] += line.lost.total()
    home.require_renewed_once()


@pytest.mark.parametrize("flow", CALLS)
@pytest.mark.parametrize("path", sorted(SINGLE))
def test_a_lost_answer_of_a_call_that_is_not_repeated_costs_one_more_run(town, flow, path):
    home, line = town.home(flow, simulated=True), CutLine(ANSWER, [path])
    with pytest.raises(OfficeUnreachable):
        home.run(line=line)
    assert line.seen[path] == line.lost[path] == 1
    tally.fired["answer lost"] += 1
    home.run_again_until_done()
    home.require_renewed_once()


@pytest.mark.parametrize(
    ("flow", "path", "what"),
    [*FEW, *(pytest.param(*each, marks=pytest.mark.soak) for each in EACH if each not in FEW)],
)
def test_a_line_that_stays_cut_costs_one_more_run(town, flow, path, what):
    home, line = town.home(flow, simulated=True), CutLine(what, [path], times=FOR_GOOD)
    with pytest.raises(OfficeUnreachable):
        home.run(line=line)
    tally.fired[f"{what} lost for good"] += 1
    home.run_again_until_done()
    home.require_renewed_once()
