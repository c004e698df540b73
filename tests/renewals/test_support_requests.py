"""A holder asks for help: one request in the right queue, told to the right people, with no secret in it."""

from __future__ import annotations

import json
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from cms.models import Event, User
from notifications.models import OutboxMessage
from renewals.api.doors import bounded
from renewals.api.support import MOST_UNPROVEN_AN_HOUR
from renewals.codes import new_number, parse_number
from renewals.models import SupportLog, SupportRequest
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import BASE, Enrolment
from tests.renewals.test_limits import at_once
from tests.renewals.world import tax_code

ID = "7b3f2c1e-5a84-4d0f-9b6e-2f1c8a7d4e90"


def body(**changed):
    """What a client sends of a card that nobody knows."""
    said = {
        "request_id": ID,
        "code": "card-update",
        "step": "installation",
        "message": "Non capisco che cosa fare.",
        "email": None,
        "language": "it",
        "client": "sigillo-card 0.2.0",
        "system": "Windows 11 23H2",
        "card": {"serial": "7420009999999999", "family": "AC 2018", "reader": "miniLector EVO", "driver": "xpki 1.4"},
        "log": "09:00 flow INFO step installation\n09:01 card ERROR CKR_DEVICE_ERROR",
    }
    return said | changed


def ask(client, token="", **changed):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return client.post(f"{BASE}/support-requests", json.dumps(body(**changed)), "application/json", headers=headers)


@pytest.fixture
def stranger(world):
    return Client(REMOTE_ADDR="192.0.2.7")


@pytest.fixture
def holder(enrolment):
    """Logged in with the card."""
    enrolment.login()
    return enrolment


def card_of(holder, **more):
    return {"serial": holder.card.serial, "family": "", "reader": "", "driver": ""} | more


def test_a_holder_who_has_logged_in_is_known_by_the_case(holder, stranger):
    answer = ask(stranger, holder.token)

    request = SupportRequest.objects.get()
    case = request.case
    assert (answer.status_code, answer.json()["number"]) == (201, request.number)
    assert answer.json()["answer_to"] == "t…@posta.example.org"
    assert request.is_proven
    assert case.code == holder.case["code"]
    assert (request.holder, request.centre, request.service_id) == (case.holder, case.centre, case.service_id)
    assert (request.opened_at, request.state, request.log.text.count("\n")) == (NOW, "open", 1)


def test_an_event_of_the_case_names_the_request_and_nobody(holder, stranger):
    ask(stranger, holder.token)

    event = Event.objects.get(verb="support.opened")
    request = SupportRequest.objects.get()
    assert (event.case_code, event.actor_kind, event.actor_id) == (request.case.code, "holder", request.holder_id)
    assert (event.reason, event.facts, event.channel) == ("card-update", {"request": request.number}, "client")


def test_without_login_the_card_tells_the_queue_and_proves_nothing(world, holder, stranger):
    answer = ask(stranger, card=card_of(holder), email="io@altrove.example.org")

    request = SupportRequest.objects.get()
    assert answer.json()["answer_to"] == "i…@altrove.example.org"
    assert (request.is_proven, request.case) == (False, None)
    assert (request.holder_id, request.centre) == (holder.card.pair.holder_id, world.centre)
    event = Event.objects.get(verb="support.opened")
    assert (event.actor_kind, event.actor_id, event.holder_id) == ("unknown", None, request.holder_id)


def test_no_answer_tells_whether_a_card_is_known(holder, stranger):
    known = ask(stranger, card=card_of(holder)).json()
    unknown = ask(stranger, request_id=str(uuid.uuid4())).json()

    assert known.keys() == unknown.keys()
    assert known["answer_to"] is unknown["answer_to"] is None
    assert len(known["number"]) == len(unknown["number"])


def test_a_card_that_nobody_knows_goes_to_the_provider(world, stranger):
    """And so does a holder whose reader shows no card at all."""
    ask(stranger)
    ask(stranger, request_id=str(uuid.uuid4()), card={"serial": None})

    for request in SupportRequest.objects.all():
        assert (request.centre, request.service, request.holder) == (None, None, None)


@pytest.mark.parametrize("token", ["ended-session-token", "x" * 300])
def test_a_holder_whose_session_has_ended_is_heard_all_the_same(world, stranger, token):
    assert ask(stranger, token).status_code == 201
    assert not SupportRequest.objects.get().is_proven


class TestOnceOnly:
    """The answer may be lost, and the client sends again."""

    def test_sent_twice_is_one_request_with_one_number(self, holder, stranger):
        first, second = ask(stranger, holder.token), ask(stranger, holder.token)

        assert first.json() == second.json()
        assert (second.status_code, SupportRequest.objects.count()) == (201, 1)
        assert Event.objects.filter(verb="support.opened").count() == 1
        assert OutboxMessage.objects.filter(kind="support-opened").count() == 1

    def test_sent_again_after_the_session_has_ended_is_still_the_same(self, holder, stranger):
        first, second = ask(stranger, holder.token), ask(stranger)

        assert (first.json()["number"], SupportRequest.objects.count()) == (second.json()["number"], 1)

    def test_ten_at_once_are_one(self, world, stranger):
        numbers = {answer.json()["number"] for answer in at_once(10, lambda _number: ask(Client()))}

        assert numbers == {SupportRequest.objects.get().number}
        assert SupportLog.objects.count() == 1

    @pytest.mark.parametrize("changed", [{"message": "Altro"}, {"code": "card-absent"}, {"log": None}])
    def test_other_contents_under_the_same_id_are_refused(self, world, stranger, changed):
        ask(stranger)
        answer = ask(stranger, **changed)

        assert (answer.status_code, answer.json()["code"]) == (409, "support-request-changed")
        assert SupportRequest.objects.get().message == "Non capisco che cosa fare."


class TestWhatIsKept:
    """Nothing secret, nothing that fools the reader, nothing without bounds."""

    def test_codes_tokens_and_tax_codes_are_hidden_in_message_and_log(self, world, stranger):
        token = "kD3v9_xq-Zt7LmW2pRs8uYb1cNe4HgJ6fA0oTiQzUhE"
        said = f"il PIN è 12345, il PUK 87654321, sono {tax_code(1)}"
        ask(stranger, message=said, log=f"{said}\nAuthorization: Bearer {token}\nsession {token}\npassword=segreta9")

        request = SupportRequest.objects.get()
        for text in (request.message, request.log.text):
            assert not [word for word in ("12345", "87654321", tax_code(1), token, "segreta9") if word in text]
        assert "[hidden]" in request.message

    def test_marks_that_hide_or_turn_a_text_are_dropped(self, world, stranger):
        ask(stranger, message="ciao\u0000\u202e\u200b\u001b[2J", log="a\u0000b\r\nc\u2066")

        request = SupportRequest.objects.get()
        assert (request.message, request.log.text) == ("ciao[2J", "ab\nc")

    def test_a_log_of_the_longest_kind_is_taken_and_a_longer_one_is_not(self, world, stranger):
        longest = ("x" * 79 + "\n") * 2500
        assert ask(stranger, log=longest).status_code == 201
        assert ask(stranger, request_id=str(uuid.uuid4()), log=longest + "x").status_code == 422
        assert ask(stranger, request_id=str(uuid.uuid4()), log="x" * 600_000).status_code == 413

    def test_of_a_stranger_s_long_log_the_end_is_kept_and_the_cut_is_said(self, holder, stranger):
        said = "".join(f"riga {number}\n" for number in range(9000))
        ask(stranger, log=said)
        ask(stranger, holder.token, request_id=str(uuid.uuid4()), log=said)

        cut, whole = [request.log.text for request in SupportRequest.objects.order_by("is_proven")]
        assert cut.startswith("[")
        assert cut.endswith("riga 8999\n")
        assert len(cut) < 20_100
        assert whole == said

    def test_other_bodies_stay_small(self, world, stranger):
        large = json.dumps({"card": {"serial": "1", "atr": None}, "certificates": [], "more": "x" * 70_000})
        assert stranger.post(f"{BASE}/scan", large, "application/json").status_code == 413

    def test_what_was_scrubbed_still_fits_its_column(self, world, stranger):
        ask(stranger, system="pin 1234 " * 8, card={"serial": None, "reader": "puk 12345 " * 12})

        assert len(SupportRequest.objects.get().system) <= 80

    @pytest.mark.parametrize("email", ["non un indirizzo", "a@b@c.example.org", "x@example.org\u00a0,y@example.org"])
    def test_a_mailbox_that_is_none_is_refused_while_the_holder_can_mend_it(self, world, stranger, email):
        answer = ask(stranger, email=email)
        assert (answer.status_code, answer.json()["action"]) == (422, "correct-data")
        assert not SupportRequest.objects.exists()

    def test_half_of_a_character_is_no_text(self, world, stranger):
        raw = json.dumps(body(message="\ud800"))
        answer = stranger.post(f"{BASE}/support-requests", raw, "application/json")
        assert answer.status_code == 422


class TestWhoIsTold:
    """One mail to the centre, without a word about the person."""

    def test_the_centre_gets_one_mail_per_request(self, holder, stranger):
        for _ in range(2):
            ask(stranger, holder.token, request_id=str(uuid.uuid4()))

        mails = OutboxMessage.objects.filter(kind="support-opened")
        assert {mail.recipient for mail in mails} == {SupportRequest.objects.first().centre.email}
        assert {mail.context["number"] for mail in mails} == set(
            SupportRequest.objects.values_list("number", flat=True)
        )
        said = json.dumps([mail.context for mail in mails])
        assert not [word for word in (holder.card.serial, "Titolare", holder.case["code"], "capisco") if word in said]

    def test_what_anybody_can_send_makes_one_mail_an_hour(self, holder, stranger):
        for _ in range(5):
            ask(stranger, card=card_of(holder), request_id=str(uuid.uuid4()))

        assert SupportRequest.objects.count() == 5
        assert OutboxMessage.objects.filter(kind="support-opened").count() == 1

    def test_administrators_are_told_of_what_belongs_to_no_centre(self, world, stranger):
        for name in ("ada", "ivo"):
            User.objects.create_user(f"{name}@provider.example.org", full_name=name, is_administrator=True)
        ask(stranger)
        ask(stranger, request_id=str(uuid.uuid4()))

        mails = OutboxMessage.objects.filter(kind="support-opened")
        assert {mail.recipient for mail in mails} == {"ada@provider.example.org", "ivo@provider.example.org"}
        assert (mails.count(), {mail.centre_id for mail in mails}) == (2, {None})


class TestHowOften:
    """Each address and each card by itself."""

    def test_one_address_is_heard_thirty_times_in_ten_minutes(self, world, stranger):
        answers = [
            ask(stranger, request_id=str(uuid.uuid4()), card={"serial": f"{number}"}).status_code
            for number in range(31)
        ]
        assert answers == [201] * 30 + [429]

    def test_one_card_is_heard_twenty_times_an_hour_from_one_address(self, world, stranger):
        answers = [ask(stranger, request_id=str(uuid.uuid4())) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [201] * 20 + [429]
        assert answers[-1].json()["code"] == "rate-limited"

    def test_who_names_a_card_of_others_silences_nobody(self, world, stranger):
        for _ in range(21):
            ask(stranger, request_id=str(uuid.uuid4()))
        assert ask(Client(REMOTE_ADDR="198.51.100.1"), request_id=str(uuid.uuid4())).status_code == 201

    def test_strangers_together_are_heard_three_hundred_times_an_hour_and_holders_beside_them(self, holder):
        for _ in range(MOST_UNPROVEN_AN_HOUR):
            bounded("support-unproven", limit=MOST_UNPROVEN_AN_HOUR, seconds=3600)
        assert ask(Client(REMOTE_ADDR="192.0.2.1")).status_code == 429
        assert ask(Client(REMOTE_ADDR="192.0.2.1"), holder.token, request_id=str(uuid.uuid4())).status_code == 201

    def test_who_has_the_card_is_heard_beside_those_who_name_it(self, holder):
        for number in range(1, 22):
            ask(Client(REMOTE_ADDR=f"192.0.2.{number}"), request_id=str(uuid.uuid4()), card=card_of(holder))
        assert ask(Client(REMOTE_ADDR="198.51.100.1"), holder.token).status_code == 201


def test_a_number_survives_being_read_over_the_phone():
    number = new_number()
    assert parse_number(f" {number.lower().replace('-', ' ')}") == number
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert parse_number(wrong) is None
    assert parse_number("R4T9-Q2KX-70M") is None


def test_states_move_by_their_transitions_and_rows_stay(world, stranger):
    """Also for somebody at the database."""
    ask(stranger)
    with pytest.raises(AttributeError, match="transitions"):
        SupportRequest.objects.get().state = "closed"
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        SupportRequest.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_supportrequest SET state = 'closed', closed_at = now()")
        with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
            cursor.execute("UPDATE renewals_supportrequest SET state = 'open'")


def test_a_holder_at_every_step_can_ask(enrolment, stranger):
    one: Enrolment = enrolment.until("requests")
    assert ask(stranger, one.token, card=card_of(one)).status_code == 201
