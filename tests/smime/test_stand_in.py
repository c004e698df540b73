"""The provider's stand-in: its payloads are the documented ones, and the adapter works against it over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.test import Client

from smime.idp_stand_in import payloads
from smime.idp_stand_in.__main__ import main
from smime.idp_stand_in.payloads import Session
from smime.idp_stand_in.server import Server
from smime.idp_stand_in.sessions import REPLAYS, Account, Sessions
from smime.services.idenfy import Idenfy
from smime.services.idp import (
    NotErasable,
    Overall,
    Picture,
    ProviderRefused,
    ProviderUnavailable,
    Wish,
)
from tests.smime.mailed import NOW

FIXTURES = Path(__file__).parent / "fixtures"
WISH = Wish(
    "prova-cliente-1", "M4T9-Q2KX-70M", "Anna", "D'Àngelo", "it", 86400, 1800, {"successUrl": "https://example.org/"}
)


def fixture(name: str) -> dict:
    read = json.loads((FIXTURES / f"{name}.json").read_text())
    assert read["source"]
    assert read["read_on"]
    return read


@pytest.fixture
def documented() -> Session:
    """The session that the fixtures are about."""
    wish, reply = fixture("token")["request"], fixture("token")["response"]
    session = Session(reply["scanRef"], reply["authToken"], wish, 1772440000, reply["redirectUrl"])
    session.status, session.is_reviewed = "APPROVED", True
    session.started, session.finished = 1772442000, 1772442300
    return session


class TestPayloads:
    """Word for word what the provider documents."""

    def test_of_calls(self, documented):
        addresses = fixture("files")["response"]
        assert payloads.token_reply(documented) == fixture("token")["response"]
        assert payloads.status_reply(documented) == fixture("status")["response"]
        assert payloads.data_reply(documented) == fixture("data")["response"]
        assert payloads.files_reply(documented, addresses) == addresses
        assert payloads.refusal("Token has not expired yet.", "PARTNER_ERROR") == fixture("delete")["refused"]

    def test_of_the_webhook(self, documented):
        addresses = fixture("files")["response"]
        assert payloads.webhook(documented, "APPROVED", addresses, is_final=True) == fixture("webhook")["response"]


@pytest.fixture
def stand_in():
    account = Account("chiave", "segreto", "http://127.0.0.1:9/nowhere", "firma", retry_seconds=())
    with Server(account) as server:
        yield server


@pytest.fixture
def idenfy(stand_in) -> Idenfy:
    return Idenfy(stand_in.origin, "chiave", "segreto", "firma", is_local=True)


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(address: str, **form) -> tuple[int, str, str]:
    """What a browser sees: status, text, and where it is sent."""
    data = urlencode(form).encode() if form else None
    try:
        answer = build_opener(Stay).open(Request(address, data=data), timeout=5)  # noqa: S310 - our own server
    except HTTPError as refused:
        answer = refused
    with answer:
        return answer.status, answer.read().decode(), answer.headers.get("Location", "")


def until(happened, seconds: float = 10.0) -> bool:
    """Wait for what another thread does."""
    ends = time.monotonic() + seconds
    while not (done := happened()) and time.monotonic() < ends:
        time.sleep(0.01)
    return done


class TestAdapter:
    """Against the stand-in over real HTTP."""

    def test_a_session_from_its_opening_to_its_end(self, stand_in, idenfy):
        session = idenfy.open_session(WISH)
        assert session.address.startswith(f"{stand_in.origin}/api/v2/redirect?authToken=")
        assert "authToken" not in repr(session)
        assert idenfy.outcome(session.scan_ref).overall == Overall.ACTIVE
        with pytest.raises(NotErasable):
            idenfy.erase(session.scan_ref)

        status, text, _ = browse(session.address)
        assert (status, "Riconoscimento riuscito" in text) == (200, True)
        assert browse(session.address, outcome="APPROVED", fault="silent")[::2] == (303, "https://example.org/")
        assert browse(session.address)[0] == 410

        outcome = idenfy.outcome(session.scan_ref)
        assert (outcome.overall, outcome.details["autoFace"]) == (Overall.APPROVED, "FACE_MATCH")
        assert idenfy.document(session.scan_ref)["docLastName"] == "D'ÀNGELO"
        photos = idenfy.pictures(session.scan_ref)
        assert set(photos) == set(Picture)
        assert all(photo.startswith(b"\xff\xd8\xff") for photo in photos.values())
        idenfy.erase(session.scan_ref)
        idenfy.erase(session.scan_ref)
        with pytest.raises(ProviderRefused, match="404"):
            idenfy.outcome(session.scan_ref)

    def test_names_that_it_would_refuse_are_not_sent(self, stand_in, idenfy):
        idenfy.open_session(Wish("c", "r", "Anna2", "Prova", "it", 86400, 1800, {}))
        (session,) = stand_in.sessions.all()
        assert "firstName" not in session.wish
        assert (session.wish["documents"], session.wish["expiryTime"]) == (["ID_CARD", "PASSPORT"], 86400)

    def test_a_client_with_a_living_session_gets_no_second_one(self, idenfy):
        idenfy.open_session(WISH)
        with pytest.raises(ProviderUnavailable, match="session-open"):
            idenfy.open_session(WISH)

    def test_a_wrong_key_is_a_refusal_and_no_weather(self, stand_in):
        with pytest.raises(ProviderRefused, match="401"):
            Idenfy(stand_in.origin, "chiave", "altro", "firma", is_local=True).open_session(WISH)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", "", "ftp://example.org", "http://[", "https://"])
    def test_an_address_where_nobody_is_means_later(self, url):
        with pytest.raises(ProviderUnavailable):
            Idenfy(url, "k", "s", "w", is_local=True).outcome("scan")

    def test_outside_of_this_machine_nothing_travels_in_the_clear(self, stand_in):
        with pytest.raises(ProviderUnavailable, match="address-refused"):
            Idenfy(stand_in.origin, "chiave", "segreto", "firma").outcome("scan")

    def test_photos_are_handed_out_to_who_has_their_address_alone(self, stand_in, idenfy):
        session = idenfy.open_session(WISH)
        stand_in.sessions.finish(stand_in.sessions.of(session.scan_ref), "APPROVED", "silent")
        assert browse(f"{stand_in.origin}/storage/{session.scan_ref}/FACE?until=9999999999&key=0")[0] == 403


class TestMessages:
    """Signed, sent again where they were not taken, and as wrong as one wishes."""

    def told(self, stand_in, idenfy, outcome, fault) -> list[dict]:
        session = stand_in.sessions.of(idenfy.open_session(WISH).scan_ref)
        stand_in.sessions.finish(session, outcome, fault)
        wanted = {"replay": REPLAYS, "out-of-order": 2, "silent": 0}.get(fault, 1)
        assert until(lambda: len(stand_in.sessions.sent) >= wanted)
        return [json.loads(body) for _status, body in stand_in.sessions.sent]

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            ("", [(True, "DENIED")]),
            ("lie", [(True, "APPROVED")]),
            ("out-of-order", [(True, "DENIED"), (False, "DENIED")]),
            ("replay", [(True, "DENIED")] * REPLAYS),
            ("review", [(False, "DENIED")]),
            ("silent", []),
        ],
    )
    def test_faults(self, stand_in, idenfy, fault, said):
        told = self.told(stand_in, idenfy, "DENIED", fault)
        assert [(each["final"], each["status"]["overall"]) for each in told] == said

    def test_a_slow_provider_answers_after_ten_seconds(self, stand_in, idenfy):
        stand_in.sessions.slow_seconds = 0.2
        self.told(stand_in, idenfy, "DENIED", "slow")
        begun = time.monotonic()
        idenfy.outcome(stand_in.sessions.all()[0].scan_ref)
        assert time.monotonic() - begun >= 0.2
        assert Sessions(stand_in.sessions.account).slow_seconds > 10

    def test_what_nobody_takes_is_sent_again(self, stand_in, idenfy):
        stand_in.sessions.account.retry_seconds = (0.01, 0.01)
        self.told(stand_in, idenfy, "APPROVED", "")
        assert until(lambda: len(stand_in.sessions.sent) >= 3)
        assert [status for status, _body in stand_in.sessions.sent] == [0, 0, 0]

    @pytest.mark.usefixtures("committed")
    def test_what_it_signs_our_door_takes(self, stand_in, idenfy):
        from smime.services import idp

        (said,) = self.told(stand_in, idenfy, "APPROVED", "")
        body = stand_in.sessions.sent[0][1]
        signature = hmac.new(b"firma", body, hashlib.sha256).hexdigest()
        with idp.installed(idenfy):
            headers = {"idenfy-signature": signature}
            assert (
                Client().post("/api/smime/v1/identification", body, "application/json", headers=headers).status_code
                == 200
            )
        message = idenfy.message(body, at=NOW)
        assert (message.scan_ref, message.is_final) == (said["scanRef"], True)


def test_it_starts_with_a_full_account_only(monkeypatch, capsys):
    for name in ("KEY", "SECRET", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"SIGILLO_SMIME_IDP_{name}", raising=False)
    with pytest.raises(SystemExit):
        main(["--webhook", "http://127.0.0.1:9/"])
    assert "must be set" in capsys.readouterr().err
