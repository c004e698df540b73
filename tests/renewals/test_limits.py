"""Limits of the enrollment API: how often, from where, how large. Counted one by one, also when all come at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.db import connections
from django.test import Client

from renewals.api.doors import address
from renewals.models import EnrolmentSession, MailboxConfirmation
from runtime import limits
from tests.renewals.enrolment import BASE, Enrolment, b64

NOBODY = {"card": {"serial": "1", "atr": None}, "certificates": []}


def at_once(count, act):
    """What `act(number)` returns for each number, from sixteen threads."""

    def call(number):
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(call, range(count)))


@pytest.fixture
def client(committed, clock):
    """A caller without a card."""
    return Client(REMOTE_ADDR="192.0.2.1")


def with_token(client, token, **more):
    return client.get(f"{BASE}/case", HTTP_AUTHORIZATION=f"Bearer {token}", **more)


class TestWrongTokens:
    """Guessing is counted against the address."""

    def test_a_hundred_at_once_are_let_through_sixty_times(self, client):
        answers = at_once(100, lambda number: with_token(client, f"wrong-{number}").status_code)
        assert (answers.count(401), answers.count(429)) == (60, 40)

    def test_a_hundred_at_once_are_bounded_without_redis_too(self, client, monkeypatch):
        """Each process then counts for itself."""
        away = limits.connect("unix:///nonexistent/redis.sock")
        monkeypatch.setattr(limits, "connect", lambda _url: away)
        limits.limiter.cache_clear()
        answers = at_once(100, lambda number: with_token(client, f"wrong-{number}").status_code)
        assert (answers.count(401), answers.count(429)) == (60, 40)

    def test_the_refusal_says_when_to_come_back(self, client):
        answer = [with_token(client, "wrong") for _ in range(61)][-1]
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        assert answer.json()["action"] == "retry-later"
        assert 0 < int(answer.headers["Retry-After"]) <= 60

    def test_another_address_is_not_held_responsible(self, client):
        for _ in range(61):
            with_token(client, "wrong")
        assert with_token(client, "wrong", REMOTE_ADDR="192.0.2.2").status_code == 401

    def test_the_right_token_works_beside_a_guesser(self, enrolment):
        """Neighbours behind one address are not locked out of what they have begun."""
        enrolment.login()
        for _ in range(61):
            with_token(enrolment.client, "wrong")
        assert enrolment.call("get", "/case").status_code == 200

    def test_an_ended_session_counts_as_a_wrong_token(self, enrolment):
        enrolment.login()
        EnrolmentSession.objects.all().delete()
        answers = [enrolment.call("get", "/case").status_code for _ in range(61)]
        assert answers == [401] * 60 + [429]

    def test_a_forwarded_address_of_the_callers_own_making_counts_for_nothing(self, client):
        """Without our proxy in front, the header is the caller's word."""
        answers = [with_token(client, "x", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code for n in range(61)]
        assert answers[-1] == 429


class TestAddresses:
    """Who is counted together."""

    @pytest.mark.parametrize(
        ("one", "other", "together"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
            ("", "", True),
        ],
    )
    def test_one_network_of_one_caller_is_one(self, rf, one, other, together):
        """A household has 2^64 addresses of IPv6, and one of IPv4."""
        keys = {address(rf.get("/", REMOTE_ADDR=text)) for text in (one, other)}
        assert (len(keys) == 1) == together


class TestFrequency:
    """Each door has its own counter."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/scan", NOBODY),
            ("/challenges", {"card_serial": "1", "certificate": "0" * 64}),
            ("/sessions", {"challenge": "00000000-0000-4000-8000-000000000000", "signature": b64(b"none")}),
        ],
    )
    def test_the_open_doors_take_120_a_minute_from_one_address(self, client, path, body):
        text = json.dumps(body)

        def ask(_number):
            return client.post(BASE + path, data=text, content_type="application/json").status_code

        assert at_once(150, ask).count(429) == 30

    def test_after_a_minute_there_is_room_again(self, client, settings):
        text = json.dumps(NOBODY)
        for _ in range(121):
            last = client.post(f"{BASE}/scan", data=text, content_type="application/json")
        assert last.status_code == 429
        with redis.Redis.from_url(settings.REDIS_URL) as counters:
            ends = [counters.ttl(key) for key in counters.scan_iter("limit:*")]
            assert ends
            assert all(0 < seconds <= 60 for seconds in ends)
            counters.flushall()  # what the minute's end does
        assert client.post(f"{BASE}/scan", data=text, content_type="application/json").status_code == 200

    def test_a_bad_body_is_free_where_nobody_is_asked(self, client):
        """What the schema refuses reaches neither counter nor database."""
        answers = [client.post(f"{BASE}/scan", data="{}", content_type="application/json") for _ in range(130)]
        assert {answer.status_code for answer in answers} == {422}

    @pytest.mark.parametrize(
        ("method", "path", "body", "limit"),
        [
            ("put", "/case/contacts", {"email": "x@example.org", "mobile": "none"}, 10),
            ("post", "/case/failures", {"step": "installation", "code": "card-removed"}, 30),
            ("post", "/case/installation-challenge", None, 60),
        ],
    )
    def test_a_case_takes_only_so_much_from_wherever_it_comes(self, enrolment, method, path, body, limit):
        """Mails, reports and challenges of one case are bounded for its holder too."""
        enrolment.login()

        def ask(number):
            mine = Enrolment(enrolment.card, Client(REMOTE_ADDR=f"192.0.2.{number}"))
            mine.token = enrolment.token
            return mine.call(method, path, body).status_code

        assert at_once(limit + 5, ask).count(429) == 5

    def test_fifty_guesses_at_once_are_five_tries_at_the_mailed_code(self, enrolment):
        """The row is locked while it is compared: nobody guesses between count and comparison."""
        enrolment.until("contacts")
        enrolment.contacts(email="nuova@posta.example.org")

        def guess(number):
            mine = Enrolment(enrolment.card, Client(REMOTE_ADDR=f"192.0.2.{number}"))
            mine.token = enrolment.token
            mine.call("post", "/case/contact-confirmation", {"code": f"{number:06d}"})
            return mine.refusal

        refusals = at_once(50, guess)
        assert refusals.count("confirmation-invalid") == 5
        # Who cannot have the row within the lock's time limit is sent away without a comparison.
        assert set(refusals) - {"service-unavailable"} == {"confirmation-invalid", "confirmation-expired"}
        assert MailboxConfirmation.objects.get().tries == 5


class TestSizes:
    """Nothing large is read, nothing without a length either."""

    @pytest.mark.parametrize(("size", "status"), [(64 * 1024, 400), (64 * 1024 + 1, 413)])
    def test_a_body_has_at_most_64_kilobytes(self, client, size, status):
        answer = client.post(f"{BASE}/scan", data="x" * size, content_type="application/json")
        assert answer.status_code == status

    @pytest.mark.parametrize(
        "said",
        [
            {"HTTP_TRANSFER_ENCODING": "chunked"},
            {"HTTP_TRANSFER_ENCODING": "identity"},
            {"CONTENT_LENGTH": "-1"},
            {"CONTENT_LENGTH": "1e3"},
            {"CONTENT_LENGTH": "99999999999999999999"},
            {"CONTENT_LENGTH": "9" * 5000},
            {"CONTENT_LENGTH": "²"},
        ],
    )
    def test_a_length_that_is_not_told_is_too_large(self, client, said):
        answer = client.generic("POST", f"{BASE}/scan", "{}", content_type="application/json", **said)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    def test_a_body_that_is_longer_than_said_is_cut(self, client):
        """The server reads what was announced, and finds it unreadable."""
        answer = client.generic(
            "POST", f"{BASE}/scan", json.dumps(NOBODY), content_type="application/json", CONTENT_LENGTH="5"
        )
        assert answer.status_code == 400

    @pytest.mark.parametrize(("size", "code"), [(8192, "csr-invalid"), (8193, "csr-invalid"), (8194, "input-invalid")])
    def test_a_request_has_at_most_8_kilobytes(self, enrolment, size, code):
        """Beyond that base64 alone tells, and nothing is parsed."""
        enrolment.until("requests")
        enrolment.request(requests=[{"type": slot, "csr": b64(b"0" * size)} for slot in sorted(enrolment.card.keys)])
        assert (enrolment.answer.status_code, enrolment.refusal) == (422, code)

    @pytest.mark.parametrize(
        ("certificates", "status"),
        [([b"0" * 16384], 200), ([b"0" * 16388], 422), ([b"0"] * 8, 200), ([b"0"] * 9, 422), ([b"0" * 16384] * 3, 413)],
    )
    def test_a_scan_takes_eight_certificates_of_16_kilobytes_within_the_body(self, client, certificates, status):
        body = NOBODY | {"certificates": [b64(der) for der in certificates]}
        answer = client.post(f"{BASE}/scan", data=json.dumps(body), content_type="application/json")
        assert answer.status_code == status

    def test_the_signature_has_at_most_one_kilobyte(self, enrolment):
        enrolment.challenge()
        body = {"challenge": enrolment.answer.json()["id"], "signature": b64(b"0" * 1027)}
        enrolment.call("post", "/sessions", body)
        assert enrolment.refusal == "input-invalid"

    @pytest.mark.parametrize("depth", [100, 20_000])
    def test_a_deep_body_is_refused_like_any_other(self, client, depth):
        answer = client.post(
            f"{BASE}/scan", data="[" * depth + "]" * depth, content_type="application/json", REMOTE_ADDR="192.0.2.9"
        )
        assert answer.status_code in {400, 422}


class TestStrangeRequests:
    """Whoever speaks to the API gets its language back, also from what stands around it."""

    @pytest.mark.parametrize(
        "body",
        [
            b"\xff\xfe",
            b'"\\ud800"',
            b'{"\\ud800": 1}',
            b'{"card": {"serial": "\\ud800"}, "certificates": []}',
            b'{"card": {"serial": "1", "atr": "\\u0000"}, "certificates": []}',
            b'{"card": {"serial": 1}, "certificates": {}}',
            b"1e999999",
            b"9" * 5000,
        ],
    )
    def test_a_body_of_no_sense_is_refused(self, client, body):
        answer = client.post(f"{BASE}/scan", data=body, content_type="application/json")
        assert (answer.status_code in {400, 422}, answer.json()["code"]) == (True, "input-invalid")

    def test_a_foreign_host_name_is_refused_in_kind(self, client):
        answer = client.post(f"{BASE}/scan", data="{}", content_type="application/json", HTTP_HOST="evil.example.net")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (400, "input-invalid")

    def test_a_fault_outside_the_api_is_told_in_kind(self, client, monkeypatch):
        """A middleware that breaks shows no page of the framework, and no trace."""

        def broken(_self, _request):
            raise RuntimeError("secret of the house")

        monkeypatch.setattr("django.middleware.locale.LocaleMiddleware.process_request", broken)
        client.raise_request_exception = False
        answer = client.get(f"{BASE}/case")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
        assert "secret" not in answer.content.decode()
