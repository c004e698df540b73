"""A simulated card with its first certificates, an office in memory, and a renewal that joins them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization

from cardclient import flow
from cardclient.contract import Slot
from cardclient.office import HttpOffice
from cardclient.personalise import LABELS, first_certificate
from cardclient.ports import KeyKind
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient import shimmed
from tests.cardclient.fake_authority import OLD_END, OLD_START, FakeAuthority
from tests.cardclient.fake_office import FakeOffice
from tests.cardclient.faults import tally
from tests.cardclient.recording_screen import RecordingScreen

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
P_256 = KeyKind("ec", 256)
SERIAL, PIN, PUK = "7430000000000001", "48273", "91827364"


@pytest.fixture(scope="session")
def authority():
    return FakeAuthority()


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The module of the test card."""
    return shimmed.build(tmp_path_factory.mktemp("shim"))


def personalise(card, authority, *, slots=tuple(Slot), kind=P_256):
    """Give a logged-in card its first pairs and certificates; returns them by slot."""
    old = {}
    for slot in slots:
        spki = card.generate(LABELS[slot].encode(), LABELS[slot], kind)
        old[slot] = authority.issue(slot, serialization.load_der_public_key(spki), start=OLD_START, end=OLD_END)
        first_certificate(card, slot, old[slot])
    return old


@pytest.fixture
def card(tmp_path, authority):
    made = SimulatedCard.create(tmp_path / "card.json", serial=SERIAL, pin=Secret(PIN), puk=Secret(PUK))
    made.login(Secret(PIN))
    made.old = personalise(made, authority)
    made.close()
    return made


@pytest.fixture
def office(card, authority):
    return FakeOffice(SERIAL, card.old, authority, now=NOW)


@pytest.fixture
def screen():
    return RecordingScreen(pin=[PIN], puk=[PUK])


def http(office, sleep=lambda _seconds: None):
    return HttpOffice("https://ra.example.org", transport=office.transport(), sleep=sleep)


@pytest.fixture
def renew(card, office):
    """Run the renewal once with a screen; each call is a new run of the program."""

    def run(screen=None, *, on=None):
        seen = screen or RecordingScreen(pin=[PIN], puk=[PUK])
        return flow.renew(flow.Desk(on or SimulatedCard(card.path), seen, http(office), NOW))

    return run


def pytest_terminal_summary(terminalreporter):
    """Say how many faults the run went through; a matrix that stopped firing would pass in silence."""
    for line in tally.lines():
        terminalreporter.write_line(line)
