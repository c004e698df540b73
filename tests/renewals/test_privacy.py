"""A holder's answers speak of him alone, and the log of nobody: no secret, no full tax code."""

from __future__ import annotations

import base64
import logging
import re
import zlib
from contextlib import suppress
from datetime import timedelta

import pytest
import redis

from cms.contacts import parse_contacts
from cms.models import Certificate, Event, Holder
from cms.services import holders, requests
from config.logs import configure_logging
from notifications import services as outbox
from notifications.models import OutboxMessage
from renewals.api import entrance
from renewals.models import Challenge, RenewalCase
from tests.contract.holders import mailed_code
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment, b64, sign
from tests.renewals.world import tax_code

REPORTED = "lettore-della-sconosciuta"

EVERY_CALL = {
    "post /scan",
    "post /challenges",
    "post /sessions",
    "get /case",
    "post /case/diagnosis",
    "put /case/contacts",
    "post /case/contact-confirmation",
    "get /case/texts",
    "put /case/acceptance",
    "post /case/form",
    "get /case/form.pdf",
    "post /case/form-signature",
    "put /case/requests",
    "get /case/certificates",
    "post /case/installation-challenge",
    "post /case/installation",
    "post /case/failures",
    "post /case/cancellation",
}


class Listener(Enrolment):
    """A holder who keeps every answer."""

    def __init__(self, *args):
        super().__init__(*args)
        self.heard: list[tuple[str, str]] = []

    def call(self, method, path, body=None, **headers):
        answer = super().call(method, path, body, **headers)
        self.heard.append((f"{method} {path}", readable(answer.content)))
        return answer


def readable(content):
    """Everything that can be read out of an answer: its text, what lies in base64, what a PDF has packed."""
    if content.startswith(b"%PDF"):
        return "\n".join(
            [content.decode("latin-1"), *map(unpacked, re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL))]
        )
    text = content.decode()
    values = re.findall(r'"([A-Za-z0-9+/]{40,}={0,2})"', text)
    return "\n".join([text, *[base64.b64decode(value + "==", validate=False).decode("latin-1") for value in values]])


def unpacked(stream):
    """A stream of a PDF as reportlab packs it (ASCII85 around Flate), or nothing."""
    with suppress(ValueError, zlib.error):
        return zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>"))).decode("latin-1")
    return ""


@pytest.fixture
def stranger(world):
    """Another person of the same centre and service, with a case, in the middle of the same step."""
    contacts = parse_contacts(email="zebedea@sconosciuta.example.net", mobile="+393209998877", street="Via Ignota 99")
    holders.register_holder(
        tax_code=tax_code(77),
        given_name="Zebedea",
        surname="Quarantotti",
        centre=world.centre,
        contacts=contacts,
        at=NOW,
    )
    other = Enrolment(world.card(77))
    other.until("contacts").contacts(email="nuova-zebedea@sconosciuta.example.net")
    other.call("post", "/case/contact-confirmation", {"code": mailed_code(other.case["code"])})
    other.call("post", "/case/failures", {"step": "contacts", "code": "reader-gone", "detail": REPORTED})
    return other.until("installation")


def words_of(holder):
    """All that the register knows of somebody and of nobody else."""
    person = Holder.objects.get(pk=holder.card.pair.holder_id)
    case = RenewalCase.objects.get(holder=person)
    halves = Certificate.objects.filter(pair__holder=person)
    contacts = {person.given_name, person.surname, person.email, person.mobile, person.street, person.tax_code}
    return (
        {word for word in contacts if word}
        | {case.code, case.key_nonce, holder.card.serial, case.form.document_sha256, holder.token}
        | {half.fingerprint for half in halves}
        | {half.spki_sha256 for half in halves}
        | {str(pk) for pk in Challenge.objects.filter(case=case).values_list("pk", flat=True)}
    )


def test_no_answer_holds_a_word_of_another_person(world, stranger):
    """All operations, done right and done wrong, with the other's things where one can send them."""
    one = Listener(world.card(1))
    foreign = words_of(stranger) | {"zebedea@sconosciuta.example.net", REPORTED}

    one.scan()
    one.login()
    one.until("contacts")
    one.contacts(email=stranger.case["holder"]["email"])
    one.contacts(mobile=stranger.case["holder"]["mobile"])
    one.contacts(email="nuova@posta.example.org")
    one.call("post", "/case/contact-confirmation", {"code": "000000"})
    one.call("post", "/case/contact-confirmation", {"code": mailed_code(one.case["code"])})
    one.until("form-signature")
    one.call("post", "/case/form")
    one.call("get", "/case/form.pdf")
    one.call("post", "/case/form-signature", {"signature": b64(sign(stranger.card.keys["signature"], b"x"))})
    one.until("requests")
    one.request({**one.card.generate(), "signature": stranger.card.keys["signature"]})
    one.until("installation")
    one.certificates()
    challenge = stranger.call("post", "/case/installation-challenge").json()["id"]
    proofs = [{"type": slot, "signature": b64(b"none")} for slot in ("authentication", "signature")]
    one.call("post", "/case/installation", {"challenge": challenge, "proofs": proofs})
    one.call("post", "/case/failures", {"step": "installation", "code": "x", "detail": "y"})
    one.until("done")
    one.call("post", "/case/cancellation", {"reason": "holder-declines", "confirm": True})
    one.call("get", "/case")

    foreign |= words_of(stranger) | {str(challenge)}
    assert {call for call, _ in one.heard} == EVERY_CALL
    assert [(call, word) for call, text in one.heard for word in foreign if word in text] == []
    # The ear is good: of himself he hears in every packing.
    heard = dict(one.heard)
    assert tax_code(1) in heard["get /case/form.pdf"]
    assert f"{tax_code(1)}/{one.card.serial}" in heard["get /case/certificates"]
    assert "titolare1@posta.example.org" in heard["post /case/diagnosis"]


class Ear(logging.Handler):
    """Hears every record before anything is scrubbed."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record):
        self.lines.append(f"{record.msg} {record.args} {record.exc_info}")


@pytest.fixture
def ear(capsys):
    """All logging of the process at its most talkative."""
    configure_logging()
    root, ear = logging.getLogger(), Ear()
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    yield ear
    root.removeHandler(ear)
    configure_logging()


def user_code(mailbox):
    """The *codice utente* as it was mailed."""
    texts = [
        part.get_content()
        for message in mailbox.messages()
        for part in message.walk()
        if part.get_content_type() == "text/plain"
    ]
    return re.search(r"\b[A-HJ-NP-Z2-9]{14}\b", "\n".join(texts)).group()


def in_redis(url):
    """Every key with its value, as bytes: counters, cache, and what waits for the worker."""
    with redis.Redis.from_url(url) as client:
        keys = list(client.scan_iter())
        return b" ".join([*keys, *[client.dump(key) or b"" for key in keys]]).decode("latin-1")


def test_a_renewal_leaves_no_secret_in_log_events_queue_or_plain_rows(world, ca, mailbox, ear, capsys, settings):
    """Token, codes and full tax code are nobody's business (PRV-02), whatever goes wrong on the way."""
    one = Enrolment(world.card(1))
    one.token = "a-wrong-token-that-is-long-enough-to-be-one"
    secrets = {one.token, tax_code(1)}
    one.call("get", "/case")
    one.token = ""
    one.until("contacts").contacts(email="nuova@posta.example.org")
    code = mailed_code(one.case["code"])
    one.call("post", "/case/contact-confirmation", {"code": f"{(int(code) + 1) % 1_000_000:06d}"})
    one.call("post", "/case/contact-confirmation", {"code": code})
    secrets |= {one.token, code}
    one.until("requests")
    ca.is_away = True
    one.request()
    ca.is_away = False
    requests.carry_out_due(at=NOW + timedelta(minutes=5))
    one.login()
    secrets.add(one.token)
    one.until("done")
    queued = in_redis(settings.REDIS_URL)
    outbox.deliver_due(at=NOW)
    secrets.add(user_code(mailbox))

    assert len(secrets) == 6
    written = capsys.readouterr().err
    assert ear.lines
    places = {
        "log": written,
        "records": "\n".join(ear.lines),
        "events": "\n".join(str(row) for row in Event.objects.values()),
        "outbox": "\n".join(str(row) for row in OutboxMessage.objects.values("key", "context", "last_error")),
        "redis": queued,
    }
    assert [(place, word) for place, text in places.items() for word in secrets if stands_in(text, word)] == []


def stands_in(text, word):
    """Whether a text holds a word by itself; six digits may well stand in an instant or in an identifier."""
    without_instants = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+", "", text)
    return re.search(rf"(?<![0-9A-Za-z.-]){re.escape(word)}(?![0-9A-Za-z-])", without_instants) is not None


def test_a_fault_of_ours_tells_the_log_and_not_the_caller(world, capsys, monkeypatch):
    """And the log only without the person: tax codes and tokens are scrubbed from traces too."""
    configure_logging()
    one = Enrolment(world.card(1))
    token = "Bearer abcdefghijklmnopqrstuvwxyz"

    def broken(**_facts):
        raise RuntimeError(f"no row for {tax_code(1)}, {token}")

    monkeypatch.setattr(entrance, "scan_card", broken)
    answer = one.scan()

    written = capsys.readouterr().err
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "RuntimeError" in written
    assert not [word for word in (tax_code(1), token) if word in written + answer.content.decode()]
