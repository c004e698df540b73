"""Locks, removal, lost answers, crashes and hangs on the PKCS#11 path, with a test card over SoftHSM2 (`p11shim.c`)."""

from __future__ import annotations

import pytest

from cardclient import flow
from cardclient.errors import (
    CardError,
    CardRemoved,
    CardUpdateError,
    DriverError,
    NoCard,
    PinLocked,
    PukLocked,
    WrongPin,
    WrongPuk,
)
from cardclient.naming import ObjectName
from cardclient.ports import CodeState, ObjectKind, Phase
from cardclient.secret import Secret
from tests.cardclient import shimmed as shimmed_card
from tests.cardclient.conftest import NOW, PIN, PUK, http, personalise
from tests.cardclient.fake_office import CODE, FakeOffice
from tests.cardclient.faults import tally
from tests.cardclient.recording_screen import RecordingScreen
from tests.cardclient.shimmed import CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_GENERAL_ERROR

LACK = shimmed_card.missing()
pytestmark = [pytest.mark.softhsm, pytest.mark.skipif(LACK is not None, reason=f"package missing: {LACK}")]


@pytest.fixture
def shimmed(tmp_path, monkeypatch, shim):
    return shimmed_card.put_in(monkeypatch, shimmed_card.make(tmp_path, shim, pin=PIN, puk=PUK))


@pytest.fixture
def opened(shimmed):
    card = shimmed.card()
    yield card
    card.close()


@pytest.fixture
def office(shimmed, opened, authority):
    opened.scan()
    opened.login(Secret(PIN))
    old = personalise(opened, authority)
    opened.close()
    return FakeOffice(shimmed.token.serial, old, authority, now=NOW)


def run(shimmed, office, screen=None):
    card = shimmed.card()
    try:
        return flow.renew(flow.Desk(card, screen or RecordingScreen(pin=[PIN]), http(office), NOW))
    finally:
        card.close()


def require_renewed(shimmed, office):
    card = shimmed.card()
    try:
        card.scan()
        card.login(Secret(PIN))
        ids = sorted(ObjectName(CODE, slot, True).id for slot in office.old)
        keys = card.keys()
        for kind in (ObjectKind.PRIVATE_KEY, ObjectKind.PUBLIC_KEY):
            assert sorted(key.id for key in keys if key.kind is kind) == ids
        assert {each.der for each in card.view().certificates} == set(office.certificates.values())
    finally:
        card.close()
    assert office.is_complete


def test_three_wrong_pins_lock_and_the_flags_say_so_on_the_way(opened):
    opened.scan()
    states = []
    for problem in (WrongPin, WrongPin, PinLocked):
        with pytest.raises(problem):
            opened.login(Secret("00000"))
        states.append(opened.view().pin)
    assert states == [CodeState.TRIED, CodeState.LAST_TRY, CodeState.LOCKED]
    with pytest.raises(PinLocked):
        opened.login(Secret(PIN))


def test_the_puk_opens_a_locked_pin(opened):
    opened.scan()
    for _ in range(3):
        with pytest.raises(CardError):
            opened.login(Secret("00000"))
    with pytest.raises(WrongPuk):
        opened.unblock(Secret("00000000"), Secret("62951"))
    assert opened.view().puk is CodeState.TRIED
    opened.unblock(Secret(PUK), Secret("62951"))
    opened.login(Secret("62951"))
    assert opened.view().pin is CodeState.OK


def test_wrong_codes_leave_no_sessions_behind(shimmed, opened):
    opened.scan()
    for _ in range(12):
        for counter in ("pin_left", "puk_left"):
            (shimmed.folder / counter).write_text("3\n")
        with pytest.raises(WrongPin):
            opened.login(Secret("00000"))
        with pytest.raises(WrongPuk):
            opened.verify_puk(Secret("00000000"))
    opened.login(Secret(PIN))


def test_three_wrong_puks_lock_for_good(opened):
    opened.scan()
    for problem in (WrongPuk, WrongPuk, PukLocked, PukLocked):
        with pytest.raises(problem):
            opened.verify_puk(Secret("00000000"))


def test_an_empty_reader_is_no_card(shimmed, opened):
    shimmed.eject()
    with pytest.raises(NoCard):
        opened.scan()


def test_a_card_that_was_out_wants_its_pin_again(shimmed, opened):
    opened.scan()
    opened.login(Secret(PIN))
    shimmed.eject()
    with pytest.raises(CardRemoved):
        opened.keys()
    shimmed.insert()
    with pytest.raises(CardError):
        opened.keys()


@pytest.mark.parametrize(
    "phase", [Phase.LOGIN, Phase.DIAGNOSIS, Phase.FORM, Phase.KEYS, Phase.INSTALLATION, Phase.REMOVAL]
)
def test_a_card_pulled_at_any_phase_goes_on_where_it_stopped(shimmed, office, phase):
    screen = RecordingScreen(pin=[PIN])
    screen.at[phase] = shimmed.eject
    with pytest.raises(CardRemoved):
        run(shimmed, office, screen)
    shimmed.insert()
    run(shimmed, office)
    require_renewed(shimmed, office)


USUAL = [("out", "before"), ("out", "after"), (CKR_DEVICE_ERROR, "after")]
RARER = [(CKR_DEVICE_ERROR, "before")]
RARER += [(code, when) for code in (CKR_DEVICE_MEMORY, CKR_GENERAL_ERROR) for when in ("before", "after")]


@pytest.mark.parametrize(("what", "when"), [*USUAL, *(pytest.param(*each, marks=pytest.mark.soak) for each in RARER)])
@pytest.mark.parametrize(
    ("function", "nth"),
    [
        ("C_GenerateKeyPair", 1),
        ("C_GenerateKeyPair", 2),
        ("C_CreateObject", 1),
        ("C_CreateObject", 2),
        ("C_Sign", 2),
        ("C_Sign", 5),
        ("C_DestroyObject", 1),
        ("C_DestroyObject", 5),
    ],
)
def test_a_fault_before_or_after_a_call_took_effect_costs_one_more_run(
    shimmed, office, authority, function, nth, what, when
):
    before = len(authority.issued)
    shimmed.plan(function, what, when=when, nth=nth)
    with pytest.raises(CardError):
        run(shimmed, office)
    assert shimmed.fault_is_spent
    tally.fired["on the test module, office in memory"] += 1
    shimmed.insert()

    run(shimmed, office)

    assert len(authority.issued) - before == 2
    require_renewed(shimmed, office)


def test_a_driver_that_crashes_while_it_generates_costs_one_more_run(shimmed, office):
    shimmed.plan("C_GenerateKeyPair", "crash", when="after")
    with pytest.raises(DriverError, match="driver-failed"):
        run(shimmed, office)
    run(shimmed, office)
    require_renewed(shimmed, office)


def test_a_driver_that_hangs_is_ended_and_costs_one_more_run(shimmed, office):
    shimmed.plan("C_CreateObject", "hang", when="after")
    card = shimmed.card(install=0.5)
    with pytest.raises(DriverError, match="driver-timeout"):
        flow.renew(flow.Desk(card, RecordingScreen(pin=[PIN]), http(office), NOW))
    card.close()
    run(shimmed, office)
    require_renewed(shimmed, office)


def test_a_full_card_says_update_error(shimmed, office):
    shimmed.plan("C_GenerateKeyPair", CKR_DEVICE_MEMORY)
    with pytest.raises(CardUpdateError) as full:
        run(shimmed, office)
    assert full.value.code == "card-memory"
