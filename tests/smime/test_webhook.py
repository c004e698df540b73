"""The provider's door: signed bytes are stored and acknowledged at once, whatever workers do; nothing else is."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from runtime import nudge
from smime.models import ProviderDelivery
from smime.services import idp
from smime.services.idenfy import Idenfy
from tests.smime.provider import FakeProvider, signed

pytestmark = pytest.mark.usefixtures("committed")
DOOR = "/api/smime/v1/identification"
BODY = json.dumps({"final": True, "scanRef": "scan-1", "status": {"overall": "APPROVED"}}).encode()


@pytest.fixture(autouse=True)
def provider():
    with idp.installed(FakeProvider()) as fake:
        yield fake


def send(body: bytes = BODY, signature: str | None = None, client: Client | None = None, **more):
    headers = {"idenfy-signature": signed(body) if signature is None else signature}
    return (client or Client()).post(DOOR, body, "application/json", headers=headers, **more)


def test_a_signed_message_is_stored_before_it_is_acknowledged():
    assert send().status_code == 200
    delivery = ProviderDelivery.objects.get()
    assert (delivery.state, delivery.times) == ("stored", 1)
    assert delivery.next_attempt_at is not None
    assert b"scan-1" not in bytes(delivery.sealed_body)


@pytest.mark.parametrize("signature", ["", "0" * 64, "à", signed(b"other"), signed(BODY).upper(), signed(BODY)[:-1]])
def test_without_the_right_signature_nothing_is_kept(signature):
    answer = send(signature=signature)
    assert (answer.status_code, answer.json()["code"]) == (403, "delivery-unsigned")
    assert not ProviderDelivery.objects.exists()


def test_one_changed_byte_breaks_the_signature():
    assert send(BODY.replace(b"APPROVED", b"APPROVEE"), signature=signed(BODY)).status_code == 403


def test_the_bytes_are_signed_and_not_their_meaning():
    """The same JSON, written otherwise, is another message."""
    other = json.dumps(json.loads(BODY), indent=1).encode()
    assert send(other, signature=signed(BODY)).status_code == 403
    assert send(other).status_code == 200


def test_what_is_no_json_is_kept_if_it_is_signed():
    assert send(b"\xff\x00 not json").status_code == 200


def test_the_same_bytes_a_hundred_times_at_once_are_one_row():
    def one(_number):
        try:
            return send().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as senders:
        assert set(senders.map(one, range(100))) == {200}
    assert ProviderDelivery.objects.get().times == 100


def test_other_methods_and_large_bodies_are_refused():
    assert Client().get(DOOR).status_code == 405
    assert send(b"x" * 70_000).status_code == 413
    assert not ProviderDelivery.objects.exists()


def test_strangers_are_slowed_down():
    answers = {send(signature="0").status_code for _ in range(62)}
    assert answers == {403, 429}


def test_without_a_key_nothing_is_signed():
    bare = Idenfy("https://idp.example.org", "key", "secret", "")
    import hashlib
    import hmac

    assert not bare.is_signed(BODY, hmac.new(b"", BODY, hashlib.sha256).hexdigest())


def test_it_answers_quickly_with_the_broker_away():
    """The row is the fact; whoever rescans finds it."""
    nudge.breaker.trip()
    client, taken = Client(), []
    send(client=client)
    for number in range(100):
        body = BODY.replace(b"scan-1", b"scan-%d" % number)
        begun = time.monotonic()
        assert send(body, client=client).status_code == 200
        taken.append(time.monotonic() - begun)
    assert sorted(taken)[98] < 0.3
    assert ProviderDelivery.objects.filter(next_attempt_at__isnull=False).count() == 101 - 1
