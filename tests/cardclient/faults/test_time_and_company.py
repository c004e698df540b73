"""A laptop that slept, another card in the reader, two windows at once: each ends with one renewal, or says why not."""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import timedelta

import httpx
import pytest

from cardclient.errors import AnotherCard, CardError, OfficeRefusal
from cardclient.ports import Phase
from cardclient.simulator import SimulatedCard, SimulatedReader
from renewals.models import RenewalCase
from tests.cardclient.conftest import PIN
from tests.cardclient.faults import tally
from tests.cardclient.recording_screen import RecordingScreen

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OF_ENROLL = [Phase.LOGIN, Phase.DIAGNOSIS, Phase.CONTACTS, Phase.ACCEPTANCE, Phase.FORM, Phase.KEYS, Phase.INSTALLATION]
OF_EXTEND = [phase for phase in OF_ENROLL if phase not in {Phase.CONTACTS, Phase.FORM}]
EACH = [("enroll", phase) for phase in OF_ENROLL] + [("extend", phase) for phase in OF_EXTEND]


def marked(few):
    return [*few, *(pytest.param(*each, marks=pytest.mark.soak) for each in EACH if each not in few)]


def later(clock, by):
    def pass_by():
        clock.instant += by

    return pass_by


@pytest.mark.parametrize(
    ("flow", "phase"), marked([("enroll", Phase.FORM), ("enroll", Phase.INSTALLATION), ("extend", Phase.KEYS)])
)
def test_a_laptop_closed_for_a_day_costs_at_most_one_more_run(town, clock, flow, phase):
    home, screen = town.home(flow, simulated=True), RecordingScreen(pin=[PIN])
    screen.at[phase] = later(clock, DAY)
    # A login text of tomorrow is not signed by a run of today: the office's own refusal says what to do.
    with contextlib.suppress(OfficeRefusal) if phase is Phase.LOGIN else pytest.raises(OfficeRefusal):
        home.run(screen)
    tally.fired["laptop closed"] += 1
    assert home.endings in (["session-invalid"], ["done"])
    home.run_again_until_done(now=clock.instant)
    home.require_renewed_once()


@pytest.mark.parametrize(("flow", "phase"), marked([("enroll", Phase.ACCEPTANCE), ("extend", Phase.INSTALLATION)]))
def test_an_hour_of_reading_costs_nothing(town, clock, flow, phase):
    home, screen = town.home(flow, simulated=True), RecordingScreen(pin=[PIN])
    screen.at[phase] = later(clock, HOUR)
    home.run(screen)
    tally.fired["session over"] += 1
    home.require_renewed_once()


def test_another_card_put_in_on_the_way_is_refused_and_each_card_keeps_its_own_case(town):
    mine, yours = town.home(simulated=True), town.home(simulated=True)
    cards = [SimulatedCard(home.medium.path) for home in (mine, yours)]
    cards[1].eject()

    def swap():
        cards[0].eject()
        cards[1].insert()

    screen = RecordingScreen(pin=[PIN])
    screen.at[Phase.KEYS] = swap
    with pytest.raises(AnotherCard):
        mine.run(screen, card=SimulatedReader(cards))
    tally.fired["another card"] += 1
    cards[1].eject()

    mine.run_again_until_done()
    yours.run_again_until_done()
    for home in (mine, yours):
        home.require_renewed_once()


def test_a_case_takes_no_other_cards_certificate(town):
    """A scan that offers my certificate for your card: the office refuses the pair, and nothing is signed twice."""
    mine, yours = town.home(simulated=True), town.home(simulated=True)
    line = Renaming(yours.medium.serial)
    with pytest.raises(OfficeRefusal, match="card-mismatch"):
        mine.run(line=line)
    assert not RenewalCase.objects.filter(card__serial=yours.medium.serial).exists()


class Renaming(httpx.HTTPTransport):
    """Asks for the login of another card."""

    def __init__(self, serial):
        super().__init__()
        self.serial = serial

    def handle_request(self, request):
        if request.url.path.endswith("/challenges"):
            body = json.loads(request.content) | {"card_serial": self.serial}
            request = httpx.Request(request.method, request.url, json=body)
        return super().handle_request(request)


@pytest.mark.parametrize(
    ("flow", "phase"), marked([("enroll", Phase.KEYS), ("enroll", Phase.INSTALLATION), ("extend", Phase.DIAGNOSIS)])
)
def test_a_second_program_that_overtakes_the_first_leaves_one_renewal(town, tmp_path, flow, phase):
    """Without the lock between windows, as two users of one computer are: the first goes on with what it saw before."""
    home, first = town.home(flow, simulated=True), RecordingScreen(pin=[PIN])
    first.at[phase] = lambda: home.run(locks=tmp_path)
    with contextlib.suppress(CardError, OfficeRefusal):
        home.run(first)
    tally.fired["two programs"] += 1
    home.require_renewed_once()


def test_two_windows_started_together_renew_once(town):
    home, refused, begun = town.home(simulated=True), threading.Event(), threading.Event()
    screen = RecordingScreen(pin=[PIN])
    screen.at[Phase.TEXTS] = lambda: (begun.set(), refused.wait(30))
    first = threading.Thread(target=home.run, args=[screen])
    first.start()
    assert begun.wait(30)
    with pytest.raises(CardError, match="card-in-use"):
        home.run()
    refused.set()
    first.join()
    tally.fired["two windows"] += 1
    assert home.endings == ["card-in-use", "done"]
    home.require_renewed_once()
