"""What a person at a terminal is asked, and what silence means."""

from __future__ import annotations

import getpass
import io
import sys

import pytest

from cardclient.contract import Address, Contacts, DataWrong, Text, TextKind
from cardclient.network.credentials import ProxyQuestion
from cardclient.personalise import main as personalise
from cardclient.ports import SecretKind
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from cardclient.terminal import Answers, Terminal, TerminalCredentials

CONTACTS = Contacts("a@example.org", "+393331234567", Address("Via Roma 1", "56010", "Pisa", "PI"))
CASE = None  # a terminal shows the contacts only
TEXTS = [Text(kind, "1", "", kind.upper(), f"testo {kind}") for kind in TextKind]


@pytest.fixture
def type_in(monkeypatch):
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def person(**answers):
    return Terminal(Answers(**answers), interactive=True)


def test_contacts_are_kept_by_enter_and_changed_by_typing(type_in):
    type_in("\n+393339999999\n\n\n\n\n")
    assert person().ask_contacts(CASE, CONTACTS, None) == Contacts("a@example.org", "+393339999999", CONTACTS.address)


def test_options_win_over_what_the_office_knows(type_in):
    silent = Terminal(Answers(contacts={"email": "b@example.org"}), interactive=False)
    assert silent.ask_contacts(CASE, CONTACTS, None).email == "b@example.org"


def test_silence_gives_no_incomplete_contacts():
    silent = Terminal(Answers(), interactive=False)
    assert silent.ask_contacts(CASE, Contacts("", "", Address("", "", "", "")), None) is None


def test_the_encryption_warning_is_asked_for_on_its_own(type_in, capsys):
    type_in("n\n")
    assert not person().accept_texts(TEXTS)
    type_in("s\ns\n")
    assert person().accept_texts(TEXTS)
    shown = capsys.readouterr().err
    assert shown.index("«ENCRYPTION-WARNING»") < shown.index("Accetto i testi mostrati?")


def test_all_texts_are_shown_in_full_to_a_person(type_in, capsys):
    type_in("n\n")
    person().accept_texts(TEXTS)
    shown = capsys.readouterr().err
    assert all(text.text in shown for text in TEXTS)


@pytest.mark.parametrize("answer", ["", "n\n", "\n", "forse\n"])
def test_only_a_yes_is_a_yes(type_in, answer):
    type_in(answer)
    assert not person().confirm_last_try(SecretKind.PIN)


def test_a_code_given_by_file_is_not_asked_for_again_when_it_was_wrong():
    terminal = person(secrets={SecretKind.PIN: Secret("48273")})
    assert terminal.ask_secret(SecretKind.PIN, None)
    assert terminal.ask_secret(SecretKind.PIN, "pin-wrong") is None


def test_a_card_is_personalised_from_the_command_line(tmp_path, authority):
    from cryptography import x509

    from cardclient.contract import Slot

    card, pin, puk, request = (tmp_path / name for name in ("card.json", "pin", "puk", "request"))
    pin.write_text("48273")
    puk.write_text("91827364")
    common = ["--simulated", str(card), "--pin-file", str(pin)]
    assert personalise(["create", *common, "--serial", "7430000000000009", "--puk-file", str(puk)]) == 0
    arguments = [*common, "--slot", "signature"]
    assert personalise(["request", *arguments, "--key", "ec", "--bits", "256", "--out", str(request)]) == 0
    der = authority.issue(Slot.SIGNATURE, x509.load_der_x509_csr(request.read_bytes()).public_key())
    (tmp_path / "certificate").write_bytes(der)
    assert personalise(["install", *arguments, "--certificate", str(tmp_path / "certificate")]) == 0
    assert personalise(["install", *arguments, "--certificate", str(tmp_path / "certificate")]) == 0
    assert [each.der for each in SimulatedCard(card).view().certificates] == [der]


@pytest.fixture
def type_unseen(monkeypatch):
    """Give what the person types at prompts that show nothing, in order."""

    def give(*typed):
        waiting = list(typed)
        monkeypatch.setattr(getpass, "getpass", lambda *_prompt, **_where: waiting.pop(0))
        return waiting

    return give


def test_a_new_pin_is_typed_twice_until_both_are_equal(type_unseen, capsys):
    left = type_unseen("62951", "62952", "62951", "62951")
    assert person().ask_secret(SecretKind.NEW_PIN, None).reveal() == "62951"
    assert left == []
    assert "I due PIN non sono uguali." in capsys.readouterr().err


def test_other_codes_are_typed_once(type_unseen):
    type_unseen("48273")
    assert person().ask_secret(SecretKind.PIN, None).reveal() == "48273"


def test_data_that_are_wrong_are_said_with_their_reason():
    assert person(data_wrong="cognome errato").ask_contacts(CASE, CONTACTS, None) == DataWrong("cognome errato")


QUESTION = ProxyQuestion("proxy.example.org:3128", "mario", "proxy-login-wrong", can_remember=False)


def test_the_proxys_login_is_asked_of_a_person_and_never_shown(type_in, type_unseen, capsys):
    type_in("\n")
    type_unseen("Segreto#1")
    login = TerminalCredentials(interactive=True).ask(QUESTION)
    assert (login.username, login.password.reveal(), login.remember) == ("mario", "Segreto#1", False)
    shown = capsys.readouterr().err
    assert "Il proxy non accetta il nome utente o la password." in shown
    assert "Segreto#1" not in shown


def test_no_password_is_no_login(type_in, type_unseen):
    type_in("other\n")
    type_unseen("")
    assert TerminalCredentials(interactive=True).ask(QUESTION) is None


def test_nobody_is_asked_for_the_proxys_login_where_nobody_can_answer():
    assert TerminalCredentials(interactive=False).ask(QUESTION) is None
