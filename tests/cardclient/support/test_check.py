"""*Prova la carta*: each key signs a text that is good for nothing else; what fails costs its own line only."""

from __future__ import annotations

import hashlib
from argparse import Namespace

import pytest

from cardclient import commands, texts
from cardclient.commands import Call, Doors
from cardclient.contract import Challenge, Slot
from cardclient.errors import CardRemoved, Distrusted, WrongPin
from cardclient.exits import Exit
from cardclient.ports import ObjectKind, SecretKind
from cardclient.readers.opening import source
from cardclient.secret import Secret
from cardclient.support.check import LABEL, check_card, check_text
from cardclient.support.status import Chain, Standing, Status
from cardclient.terminal import Answers, Terminal
from tests.cardclient.conftest import NOW, PIN, SERIAL
from tests.cardclient.fake_authority import OLD_END
from tests.cardclient.support.authority import MemoryWeb

CA = "http://ca.example.org"


@pytest.fixture
def signed(card, monkeypatch):
    """What the card was asked to sign."""
    seen, sign = [], card.sign

    def keep(key, data, pin):
        seen.append(data)
        return sign(key, data, pin)

    monkeypatch.setattr(card, "sign", keep)
    return seen


def test_every_key_signs_and_is_told_at_once(card, signed):
    told = []
    checks = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW, told=told.append)
    assert [each.slot for each in checks] == [Slot.AUTHENTICATION, Slot.SIGNATURE]
    assert all(each.passed and each.signature == "ok" and each.milliseconds is not None for each in checks)
    assert tuple(told) == checks
    assert len(signed) == 2


def test_the_text_is_its_own_and_new_each_time(card, signed):
    check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    nonces = {data.split(b"\n")[1] for data in signed}
    assert len(nonces) == 2
    for data in signed:
        assert data.startswith(b"Sigillo card check v1\n")
        assert data.endswith(b"at: 2026-01-15T09:30:00Z\n")


def test_no_signature_of_it_can_be_taken_for_another(signed):
    assert LABEL not in {texts.LOGIN, texts.KEYS, texts.INSTALLATION}
    text = check_text(nonce="0" * 64, card=SERIAL, certificate="f" * 64, at=NOW).decode()
    with pytest.raises(Distrusted):
        texts.require_login_text(Challenge("1", text, NOW), host="ra.example.org", card=SERIAL, now=NOW)


def test_a_serial_of_a_strange_card_cannot_add_a_line():
    text = check_text(nonce="0" * 64, card="7\ncase: X\u202e", certificate="f" * 64, at=NOW)
    assert text.count(b"\n") == 5
    assert b"card: 7?case??X?" in text


def test_a_broken_signature_costs_its_line_only(card, monkeypatch):
    sign, calls = card.sign, []

    def first_wrong(key, data, pin):
        calls.append(key)
        return sign(key, data if len(calls) > 1 else b"another", pin)

    monkeypatch.setattr(card, "sign", first_wrong)
    first, second = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    assert (first.signature, first.passed, second.passed) == ("signature-broken", False, True)


def test_a_key_that_is_missing_is_told(card, monkeypatch):
    keys = card.keys
    monkeypatch.setattr(card, "keys", lambda: tuple(each for each in keys() if b"sig" in each.id.lower()) or keys()[:0])
    assert {each.signature for each in check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)} <= {
        "key-missing",
        "ok",
    }


def test_an_expired_certificate_signs_and_does_not_pass(card):
    checks = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=OLD_END.replace(year=2027))
    assert [(each.signature, each.valid, each.passed) for each in checks] == [("ok", False, False)] * 2


def test_chain_and_status_are_said_to_be_unreachable_where_nothing_is_published(card):
    check = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)[0]
    assert (check.standing.chain, check.standing.status) == (Chain.INCOMPLETE, Status.UNPROVEN)


def test_an_issuer_on_the_card_is_used_and_has_no_key_to_try(card, authority):
    card.login(Secret(PIN))
    card.install(b"ca", "CA", authority.der)
    card.close()
    checks = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    assert len(checks) == 2
    assert {each.standing.chain for each in checks} == {Chain.COMPLETE}


def test_an_unreadable_certificate_is_told_and_the_rest_goes_on(card):
    card.login(Secret(PIN))
    card.install(b"zz", "broken", b"0\x03\x02\x01\x05")
    card.close()
    checks = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    assert sorted(each.signature for each in checks) == ["certificate-unreadable", "ok", "ok"]


def test_a_wrong_pin_stops_it_before_any_signature(card, signed):
    with pytest.raises(WrongPin):
        check_card(card, SERIAL, Secret("00000"), MemoryWeb(), now=NOW)
    assert signed == []


def test_a_card_taken_out_stops_it(card, monkeypatch):
    def gone(*_arguments):
        raise CardRemoved

    monkeypatch.setattr(card, "sign", gone)
    with pytest.raises(CardRemoved):
        check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)


def test_the_card_is_logged_out_and_unchanged_afterwards(card):
    before = hashlib.sha256(b"".join(each.der for each in card.view().certificates)).digest()
    check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    after = hashlib.sha256(b"".join(each.der for each in card.view().certificates)).digest()
    assert before == after
    assert not [each for each in card.keys() if each.kind is ObjectKind.PRIVATE_KEY]  # noqa: SIM118 - not a mapping


class Published(MemoryWeb):
    """What is published, closed after the check."""

    def close(self):
        pass


def checked_from_the_command_line(card):
    call = Call(
        Namespace(card=None),
        source([str(card.path)], None),
        Terminal(Answers(secrets={SecretKind.PIN: Secret(PIN)}), interactive=False),
        Doors(None, None, lambda _options: Published(), None),
        None,
        NOW,
    )
    return commands.check(call)


def test_what_could_not_be_reached_ends_as_not_verified_and_not_as_done(card):
    checks = check_card(card, SERIAL, Secret(PIN), MemoryWeb(), now=NOW)
    assert [(each.passed, each.verified) for each in checks] == [(True, False)] * 2
    told = checked_from_the_command_line(card)
    assert (told["exit"], told["code"]) == (Exit.UNVERIFIED, "check-unverified")
    assert "non verificato" in told["message"]


def test_a_check_is_done_when_issuer_and_status_are_known_to_be_good(card, monkeypatch):
    good = Standing(Chain.COMPLETE, "CA", Status.GOOD, "ocsp")
    monkeypatch.setattr("cardclient.support.check.standing", lambda *_arguments, **_now: good)
    assert checked_from_the_command_line(card)["code"] == "checked"
