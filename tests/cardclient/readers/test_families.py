"""Families as data: what an ATR tells, what a family asks, and that the file cannot be wrong unnoticed."""

from __future__ import annotations

import pytest

from cardclient.ports import Lengths
from cardclient.readers import families
from cardclient.readers.atr import historical_bytes
from cardclient.readers.systems import System

ATHENA = "3BDF18008131FE7D006B020C0182011101434E53103180FC"
IDEMIA = "3BFF1800008131FE45006B05052000012101434E5310318079"
INCARD = "3BFF1800FF8131FE55006B02090303010101434E531031809D"
COMMERCIAL = "3BFF1800008131FE55006B02090703010101434E5310318066"
CODES = ["AC 2014", "AC 2018", "OT 2015", "OT 2016", "ID 2019", "ACe 2021", "ACx 2021", "ST 2021"]

SMALL = """
[drivers.one]
name = "Uno"
address = "https://example.org/uno"
management_tool = "Manager"
tells_puk_lock = true
writes = true
[drivers.one.modules]
windows = ["uno.dll"]
macos = ["libuno.dylib"]
linux = ["libuno.so"]
[[families]]
code = "A"
name = "Prima"
driver = "one"
historical = ["006B..0C..........434E53103180"]
"""


@pytest.fixture
def known():
    return families.known()


def test_every_family_of_the_guide_is_known_and_one_more_is_refused(known):
    assert [each.code for each in known.families] == CODES
    assert [each.code for each in known.families if not each.renewable] == ["ST 2021"]
    assert all(each.refusal for each in known.families if not each.renewable)


def test_every_family_says_how_long_its_codes_are(known):
    for atr in (ATHENA, IDEMIA):
        lengths = known.by_atr(bytes.fromhex(atr)).lengths
        assert (lengths.pin, lengths.puk, lengths.new_pin) == (Lengths(5, 8), Lengths(8, 8), Lengths(5, 8))


@pytest.mark.parametrize("told", ["[8, 5]", "[0, 8]", "[5]", '["5", "8"]', "5"])
def test_lengths_that_cannot_be_are_an_error_of_the_file(told):
    with pytest.raises(ValueError, match="pin_lengths"):
        families.load(f"{SMALL}pin_lengths = {told}\n")


@pytest.mark.parametrize(
    ("atr", "name"),
    [(ATHENA, "AC 2014 / AC 2018"), (IDEMIA, "ACe 2021 / ACx 2021"), (INCARD, None), (COMMERCIAL, None), ("", None)],
)
def test_an_atr_tells_the_family_as_far_as_it_can(known, atr, name):
    guess = known.by_atr(bytes.fromhex(atr))
    assert (guess.name if guess else None) == name


def test_interface_bytes_that_differ_are_no_other_family(known):
    """TA1 and TC1 depend on the reader's speed; only the historical bytes name the card."""
    faster = ATHENA.replace("3BDF18008131FE7D", "3BFF9500008131FE45")
    assert known.by_atr(bytes.fromhex(faster)).name == "AC 2014 / AC 2018"


@pytest.mark.parametrize(("code", "byte_4"), [("OT 2015", "01"), ("OT 2016", "12"), ("ID 2019", "1F")])
def test_oberthur_before_2021_is_told_from_idemia_2021_by_one_byte(known, code, byte_4):
    older = IDEMIA.replace("05052000", f"0505{byte_4}00")
    assert code in known.by_atr(bytes.fromhex(older)).name.split(" / ")


def test_st_2021_is_known_by_its_version_and_refused_with_its_reason(known):
    guess = known.by_atr(bytes.fromhex(COMMERCIAL.replace("434E5310", "434E5311")))
    assert guess.name == "ST 2021"
    assert "ST 2021" in guess.refusal


def test_only_the_ac_families_ask_for_the_puk_and_are_plugged_in_again(known):
    special = {each.code for each in known.families if each.asks_puk and each.reinsert_after}
    assert special == {"AC 2014", "AC 2018"}
    assert not any(each.asks_puk or each.reinsert_after for each in known.families if each.code not in special)


def test_each_family_names_the_guides_driver_and_manager(known):
    drivers = {each.code: each.driver for each in known.families if each.driver}
    assert {drivers["AC 2014"].name, drivers["AC 2018"].name} == {"IDP 6.47.04"}
    others = [drivers[code] for code in CODES[2:7]]
    assert {each.name for each in others} == {"bit4id_xpki_1.4.10.647"}
    assert {each.management_tool for each in drivers.values()} == {"IDProtect Manager", "PKI Manager"}


def test_a_guess_is_found_again_by_its_name(known):
    guess = known.by_atr(bytes.fromhex(ATHENA))
    assert known.named(guess.name) == guess
    assert known.named("ID 2019").families[0].code == "ID 2019"
    assert known.named("nessuna") is None
    assert known.named(None) is None


@pytest.mark.parametrize(
    ("path", "driver"),
    [
        (r"C:\Windows\System32\BIT4XPKI.DLL", "xpki"),
        ("/usr/lib/x64-athena/libASEP11.so", "idprotect"),
        ("/usr/lib/pkcs11/libother.so", None),
    ],
)
def test_a_module_is_known_by_its_file_name(known, path, driver):
    found = known.driver_of(path)
    assert (found.key if found else None) == driver


def test_modules_are_file_names_on_every_system(known):
    for driver in known.drivers:
        assert set(driver.modules) == set(System)
        assert all(driver.modules.values())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "Prima"', 'name = "Prima"\nasks_pukk = true'),
        ('name = "Uno"\n', 'name = "Uno"\ncolour = "red"\n'),
        ('management_tool = "Manager"\n', ""),
        ('windows = ["uno.dll"]\n', ""),
        ('"uno.dll"', "'C:\\Temp\\uno.dll'"),
        ('"libuno.so"', '"../libuno.so"'),
        ("https://", "http://"),
        ("006B..0C", "6B..0C"),
        ('driver = "one"\n', ""),
        ('driver = "one"', 'driver = "one"\nrefusal = "no"'),
        ('driver = "one"', 'driver = "one"\nrenewable = false'),
        ('code = "A"', 'code = "A"\natrs = ["3bdf"]'),
    ],
)
def test_a_file_with_a_mistake_is_not_read(before, after):
    assert families.load(SMALL)
    assert before in SMALL
    with pytest.raises(ValueError):
        families.load(SMALL.replace(before, after))


def test_families_that_an_atr_cannot_tell_apart_must_agree():
    second = SMALL.split("[[families]]")[1].replace('"A"', '"B"')
    assert families.load(f"{SMALL}[[families]]{second}")
    with pytest.raises(ValueError, match="share an ATR"):
        families.load(f"{SMALL}[[families]]{second}asks_puk = true\n")


def test_a_code_stands_once():
    with pytest.raises(ValueError, match="twice"):
        families.load(f"{SMALL}[[families]]{SMALL.split('[[families]]')[1]}")


@pytest.mark.parametrize("atr", ["", "3B", "3BDF18", "3BDF18008131", ATHENA[:-6]])
def test_an_atr_that_is_cut_off_has_no_historical_bytes(atr):
    assert historical_bytes(bytes.fromhex(atr)) == b""


def test_historical_bytes_stand_behind_the_interface_bytes():
    assert historical_bytes(bytes.fromhex(ATHENA))[9:12] == b"CNS"
    assert historical_bytes(bytes.fromhex("3B00")) == b""
    assert historical_bytes(bytes.fromhex("3B024D41")) == b"MA"
