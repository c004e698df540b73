"""PIN and PUK at the command line: tries, the last one of them, changing, unblocking, checking."""

from __future__ import annotations

import contextlib
import os

from cardclient.errors import ClientError
from cardclient.exits import Exit
from cardclient.options import parse
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient.cli.conftest import ALL, NEW
from tests.cardclient.conftest import PIN


def test_wrong_pin(program):
    status, told, shown = program("renew", "--pin-file", "@wrong", "--accept-all")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-wrong")
    assert "Inserisci il codice PIN corretto" in shown


def test_a_pin_from_a_file_is_used_once_however_often_it_is_asked_for(program, card):
    program("renew", "--pin-file", "@wrong", "--accept-all")
    assert SimulatedCard(card.path).view().pin == "tried"


def test_the_last_try_is_not_used_without_leave(program):
    for _ in range(2):
        program("renew", "--pin-file", "@wrong", "--accept-all")
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.DECLINED, "pin-last-try")
    assert "un solo tentativo" in shown
    assert program("renew", *ALL, "--use-last-try")[0] == Exit.DONE


def test_a_locked_pin_and_its_way_out(program, card):
    for _ in range(3):
        with contextlib.suppress(ClientError):
            SimulatedCard(card.path).login(Secret("00000"))
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.PIN_LOCKED, "pin-locked")
    assert "sblocca il PIN con il PUK" in shown
    status, told, _ = program("renew", *ALL, "--puk-file", "@puk", "--new-pin-file", "@new")
    assert (status, "pin-unblocked" in told["notices"]) == (Exit.DONE, True)


def test_the_pin_may_come_through_a_descriptor(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, PIN.encode())
    os.close(writing)
    from cardclient.options import answers

    given = answers(
        parse(
            [
                "renew",
                "--server",
                "https://ra.example.org",
                "--simulated",
                "x",
                "--pin-fd",
                str(reading),
                "--settings",
                str(tmp_path),
            ]
        )
    )
    assert given.secrets["pin"].reveal() == PIN


def test_check_tries_every_key_and_changes_nothing(program, card):
    status, told, _ = program("check", "--pin-file", "@pin")
    assert (status, told["code"]) == (Exit.CARD_ACCESS, "check-failed")  # the old certificates ended in 2026
    assert [each["signature"] for each in told["checks"]] == ["ok", "ok"]
    assert {each["valid"] for each in told["checks"]} == {False}


def test_check_asks_for_the_pin_and_stops_without_one(program):
    assert program("check")[0] == Exit.INPUT_NEEDED
    status, told, _ = program("check", "--pin-file", "@wrong")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-wrong")


def test_the_pin_is_changed(program, card):
    status, told, _ = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@new")
    assert (status, told["code"], told["card"]["pin"]) == (Exit.DONE, "pin-changed", "ok")
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_locked_pin_is_unblocked_with_the_puk(program, card):
    for _ in range(3):
        program("pin", "change", "--pin-file", "@wrong", "--new-pin-file", "@new", "--use-last-try")
    status, told, _ = program("pin", "unblock", "--puk-file", "@puk", "--new-pin-file", "@new")
    assert (status, told["code"]) == (Exit.DONE, "pin-unblocked")
    SimulatedCard(card.path).login(Secret(NEW))


def test_a_new_pin_that_is_easily_guessed_is_refused_before_the_card_sees_it(program, card, tmp_path):
    (tmp_path / "weak").write_text("12345")
    status, told, _ = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@weak")
    assert (status, told["code"]) == (Exit.WRONG_PIN, "pin-weak")
    SimulatedCard(card.path).login(Secret(PIN))


def test_the_last_try_of_the_pin_is_spared_unless_allowed(program):
    for _ in range(2):
        program("pin", "change", "--pin-file", "@wrong", "--new-pin-file", "@new")
    status, told, shown = program("pin", "change", "--pin-file", "@pin", "--new-pin-file", "@new")
    assert (status, told["code"]) == (Exit.DECLINED, "pin-last-try")
    assert "--use-last-try" in shown
