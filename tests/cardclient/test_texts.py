"""The client signs its three texts and nothing that merely looks like them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cardclient import texts
from cardclient.contract import Challenge, Slot
from cardclient.errors import Distrusted
from tests.cardclient.conftest import NOW, SERIAL
from tests.cardclient.fake_office import CODE

HOST, NONCE = "ra.example.org", "0f" * 32
EXPIRES = datetime(2026, 1, 15, 9, 35, tzinfo=UTC)
LOGIN = f"Sigillo enrollment login v1\nhost: {HOST}\nnonce: {NONCE}\ncard: {SERIAL}\ncase: {CODE}\nexpires: 2026-01-15T09:35:00Z\n"
CERTIFICATES = {Slot.SIGNATURE: b"second", Slot.AUTHENTICATION: b"first"}
INSTALLATION = texts._compose(texts.INSTALLATION, HOST, NONCE, SERIAL, CODE, CERTIFICATES)


def login(text, expires=EXPIRES):
    return texts.require_login_text(Challenge("1", text, expires), host=HOST, card=SERIAL, now=NOW)


def installation(text):
    challenge = Challenge("1", text, EXPIRES)
    return texts.require_installation_text(challenge, host=HOST, card=SERIAL, case=CODE, certificates=CERTIFICATES)


def test_the_login_text_is_signed_byte_for_byte():
    assert login(LOGIN) == LOGIN.encode()
    assert login(LOGIN.replace(CODE, "-")) == LOGIN.replace(CODE, "-").encode()


def test_the_installation_text_names_slots_in_the_agreed_order():
    assert installation(INSTALLATION) == INSTALLATION.encode()
    lines = INSTALLATION.splitlines()
    assert [line.split(":")[0] for line in lines[5:]] == ["authentication", "signature"]


HOSTILE_LOGINS = {
    "another label": LOGIN.replace("login v1", "login v2"),
    "the keys label": LOGIN.replace("login v1", "keys v1"),
    "another host": LOGIN.replace(HOST, "evil.example.org"),
    "a port more": LOGIN.replace(HOST, f"{HOST}:8443"),
    "upper case host": LOGIN.replace(HOST, HOST.upper()),
    "short nonce": LOGIN.replace(NONCE, NONCE[:-2]),
    "upper case nonce": LOGIN.replace(NONCE, NONCE.upper()),
    "no nonce": LOGIN.replace(f"nonce: {NONCE}\n", ""),
    "another card": LOGIN.replace(SERIAL, SERIAL[:-1] + "9"),
    "a case with a blank": LOGIN.replace(CODE, "A B"),
    "an empty case": LOGIN.replace(CODE, ""),
    "no last line feed": LOGIN[:-1],
    "two line feeds": LOGIN + "\n",
    "one more line": LOGIN + "pay: 100\n",
    "carriage returns": LOGIN.replace("\n", "\r\n"),
    "a tab": LOGIN.replace("host: ", "host:\t"),
    "lines exchanged": "\n".join([*LOGIN.splitlines()[:3], *reversed(LOGIN.splitlines()[3:5]), LOGIN.splitlines()[5]])
    + "\n",
    "not ASCII": LOGIN.replace("card", "cärd"),
    "a digit of another script": LOGIN.replace("09:35", "09:3٥"),
    "another expiry than announced": LOGIN.replace("09:35", "09:36"),
    "an impossible expiry": LOGIN.replace("2026-01-15", "2026-02-31"),
    "a leading blank": " " + LOGIN,
    "a bare digest": "aa" * 32,
    "nothing": "",
    "DER": "1\x82\x01",
}


@pytest.mark.parametrize("text", HOSTILE_LOGINS.values(), ids=HOSTILE_LOGINS)
def test_a_hostile_login_text_is_refused(text):
    with pytest.raises(Distrusted, match="text-refused"):
        login(text)


def test_a_login_proof_that_would_live_for_days_is_refused():
    late = NOW + timedelta(days=2)
    with pytest.raises(Distrusted):
        login(LOGIN.replace("2026-01-15T09:35:00Z", f"{late:%Y-%m-%dT%H:%M:%SZ}"), late)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("installation v1", "login v1"),
        (HOST, "evil.example.org"),
        (SERIAL, "1"),
        (CODE, "OTHER-1"),
        (NONCE, "zz" * 32),
        ("authentication: ", "signature: "),
        ("signature: ", "firma: "),
        ("\n", "\r\n"),
    ],
)
def test_a_hostile_installation_text_is_refused(old, new):
    with pytest.raises(Distrusted, match="text-refused"):
        installation(INSTALLATION.replace(old, new))


def test_an_installation_text_with_another_certificate_is_refused():
    other = texts._compose(texts.INSTALLATION, HOST, NONCE, SERIAL, CODE, CERTIFICATES | {Slot.SIGNATURE: b"else"})
    with pytest.raises(Distrusted):
        installation(other)


@pytest.mark.parametrize("change", [{"nonce": "x"}, {"case": "A\nhost: evil"}, {"host": "a b"}, {"card": "1\n2"}])
def test_a_case_cannot_smuggle_lines_into_the_keys_text(change):
    names = {"host": HOST, "nonce": NONCE, "card": SERIAL, "case": CODE} | change
    with pytest.raises(Distrusted):
        texts.keys_text(**names, public_keys=CERTIFICATES)


@pytest.mark.parametrize("path", ["/challenges", "/case/installation-challenge"])
def test_no_key_is_touched_for_a_hostile_challenge(card, office, renew, path):
    import httpx

    def lie(_request, answer):
        body = answer.json()
        body["text"] = body["text"].replace("ra.example.org", "other.example.org")
        return httpx.Response(201, json=body)

    office.weather[path] = lie
    with pytest.raises(Distrusted):
        renew()
    following = {"/challenges": "/sessions", "/case/installation-challenge": "/case/installation"}[path]
    assert following not in [seen for _, seen, _ in office.seen]


@pytest.mark.parametrize(
    "change", [{"host": "other.example.org"}, {"card_serial": "1"}, {"nonce": "short"}, {"code": "a b"}]
)
def test_a_case_that_is_not_this_cards_is_refused_at_login(office, renew, change):
    import httpx

    def lie(_request, answer):
        body = answer.json()
        body["case"] |= change
        return httpx.Response(201, json=body)

    office.weather["/sessions"] = lie
    with pytest.raises(Distrusted):
        renew()
