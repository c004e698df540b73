"""The check from outside: it finds what was tampered with, what lies and what is old, and nothing else."""

from __future__ import annotations

import io
import json
import socket
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from django.core.management import CommandError, call_command
from django.db import OperationalError

from authority.gateway import EmbeddedGateway
from authority.models import Crl
from authority.services import publication
from cms import ca as configured
from cms.models import CaRequest, Certificate, Issuer, StatusCheck, StatusDifference, User
from cms.outside import HttpWire, Unreached
from cms.services import checks
from cms.states import RequestState
from pki import relying
from pki.gateway import RevocationReason
from runtime import claims
from tests.authority import founding
from tests.cms.outside import InnerWire
from tests.cms.walks import LAG, NOW, ref, tampered, walked
from tests.flows.live import LiveProduct
from tests.renewals.world import World


@pytest.fixture
def world(committed, clock, settings):
    """A register of two cards on the embedded CA, all published."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock.instant = NOW
    founding.found("p-256", at=NOW)
    world = World(EmbeddedGateway(), NOW)
    world.cards = [world.card(number) for number in (1, 2)]
    publication.publish_due(NOW)
    return world


@pytest.fixture
def wire():
    return InnerWire()


def halves(card):
    return list(Certificate.objects.filter(pair=card.pair).order_by("type"))


def test_where_all_agree_there_is_no_difference(world, clock, wire):
    held, revoked = halves(world.cards[0])
    world.ca.hold(ref(held), request_id=uuid4(), at=NOW)
    world.ca.revoke(ref(revoked), reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=NOW)
    tampered(held, status="held", held_at=NOW)
    tampered(revoked, status="revoked", revoked_at=NOW, revocation_cause="holder-request")

    assert walked(clock, wire) == []
    check = StatusCheck.objects.get()
    assert (check.checked, check.total) == (4, 4)
    assert {name.rpartition("/pki/")[2] for name in check.lists} >= {"crl/cns.crl", "crl/cns/2023.crl", "crl/root.crl"}
    assert sum("/ocsp/" in address for address in wire.asked) == 4


def test_the_ca_for_mail_vouches_for_no_card(world):
    call_command("pin_issuers", stdout=io.StringIO())
    assert {x509.load_der_x509_certificate(bytes(row.certificate)).subject for row in Issuer.objects.all()} == {
        x509.load_der_x509_certificate(der).subject for der in configured.card_issuers()
    }
    assert len(configured.gateway().issuers()) == len(configured.card_issuers()) + 1


def test_a_tampered_register_row_differs_from_the_ca(world, clock, wire):
    half, _ = halves(world.cards[0])
    tampered(half, status="held", held_at=NOW)

    assert walked(clock, wire) == [("ledger", half.pk, "held", "good", "good", "good")]


def test_a_list_older_than_the_ledger_differs(world, clock, wire):
    half, _ = halves(world.cards[0])
    old = {crl.pk: InnerWire().get(f"/pki/crl/{crl.issuer.role}{f'/{crl.year}' if crl.year else ''}.crl")
           for crl in Crl.objects.select_related("issuer").filter(number__gt=0)}  # fmt: skip
    for crl in Crl.objects.select_related("issuer").filter(number__gt=0):
        wire.faults[f"crl/{crl.issuer.role}{f'/{crl.year}' if crl.year else ''}.crl"] = old[crl.pk]
    world.ca.hold(ref(half), request_id=uuid4(), at=NOW)
    tampered(half, status="held", held_at=NOW)

    assert walked(clock, wire) == [("crl", half.pk, "held", "held", "good", "held")]


def test_a_responder_that_still_tells_the_old_status_differs(world, clock, wire):
    half, _ = halves(world.cards[0])
    name_hash, key_hash = relying._hashes(world.ca.issuers()[0])
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name_hash, key_hash, int(half.serial, 16), hashes.SHA256()
    )
    question = builder.build().public_bytes(Encoding.DER)
    before = wire.post("http://pki.example.org/pki/ocsp/cns", question, "application/ocsp-request")
    world.ca.hold(ref(half), request_id=uuid4(), at=NOW)
    tampered(half, status="held", held_at=NOW)
    wire.faults["/ocsp/cns"] = lambda answer: before if is_about(half, answer) else answer

    assert walked(clock, wire) == [("ocsp", half.pk, "held", "held", "held", "good")]


def is_about(half, answer):
    return ocsp.load_der_ocsp_response(answer).serial_number == int(half.serial, 16)


def test_an_answer_about_something_else_is_none(world, clock, wire):
    answers = {}
    wire.faults["/ocsp/"] = lambda answer: answers.setdefault("first", answer)

    found = walked(clock, wire)

    assert [(kind, said) for kind, *_, said in found] == [("ocsp", "malformed")] * 3


def test_certificates_that_one_side_does_not_know_are_found(world, clock, wire):
    lost, _ = halves(world.cards[0])
    slot, holder = "authentication", world.cards[1].pair.holder
    stray = world.issue(
        slot, world.cards[1].keys[slot], holder, "60900109", world.cards[1].pair.certificates.first().not_after
    )
    tampered(lost, serial="7f")

    found = walked(clock, wire)

    kinds = sorted(kind for kind, *_ in found)
    assert kinds == ["unknown-to-ca", "unknown-to-register", "unknown-to-register"]
    assert stray
    assert (found[0][1], found[0][3]) == (lost.pk, "unknown")


def test_a_change_that_was_under_way_is_no_difference(world, clock, wire):
    half, other = halves(world.cards[0])
    world.ca.hold(ref(half), request_id=uuid4(), at=NOW)
    tampered(other, status="held", held_at=NOW)

    found = walked(
        clock, wire,
        changes=lambda: (tampered(half, status="held", held_at=NOW), tampered(other, status="active", held_at=None)),
    )  # fmt: skip

    assert found == []


def test_what_the_ca_is_being_asked_for_is_no_difference(world, clock, wire):
    half, _ = halves(world.cards[0])
    tampered(half, status="held", held_at=NOW)
    CaRequest.objects.create(
        natural_key="hold:x", kind="hold", state=RequestState.SENT, asked_at=NOW, next_attempt_at=NOW, certificate=half,
        centre=world.centre, service=world.service, pair=world.cards[0].pair,
    )  # fmt: skip

    assert walked(clock, wire) == []


@pytest.mark.parametrize(
    ("instead", "fault"),
    [(None, "unreachable"), (b"junk", "malformed"), (lambda der: der[:-3] + b"\0\0\0", "bad-signature")],
)
def test_a_list_that_does_not_hold_is_named_by_its_address(world, clock, wire, instead, fault):
    wire.faults["crl/cns/2023.crl"] = instead

    assert [(kind, crl) for kind, *_, crl, _ in walked(clock, wire)] == [("list", fault)]
    assert StatusDifference.objects.get().address.endswith("/crl/cns/2023.crl")


def test_a_list_that_is_past_its_time_or_goes_backwards_is_named(world, clock, wire):
    old = InnerWire().get("/pki/crl/cns/2023.crl")
    assert walked(clock, wire, at=NOW + timedelta(hours=13)) == []
    wire.faults["crl/cns/2023.crl"] = old
    assert [crl for *_, crl, _ in walked(clock, wire, at=NOW + timedelta(hours=14))] == ["number-back"]

    StatusCheck.objects.update(lists={})
    assert [crl for *_, crl, _ in walked(clock, wire, at=NOW + timedelta(hours=25))] == ["stale"]


def test_a_killed_walk_goes_on_where_it_was(world, clock, wire, monkeypatch):
    monkeypatch.setattr(checks, "SLICE", 1)
    half, _ = halves(world.cards[0])
    tampered(half, status="held", held_at=NOW)
    check, slices = checks.begin_check(now=NOW), []

    def dies(_check):
        slices.append(_check.position)
        if len(slices) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checks.carry_out(check.pk, at=NOW, wire=wire, told=dies)
    checks.carry_out(check.pk, at=NOW + timedelta(seconds=1), wire=wire)
    check.refresh_from_db()
    assert check.checked == 3, "the claim of the dead stands until its lease is over"

    for wait in (checks.LEASE, checks.LEASE + LAG):
        clock.instant = NOW + wait
        checks.carry_out(check.pk, at=NOW + wait, wire=wire)
    check.refresh_from_db()
    assert (check.checked, check.finished_at is not None) == (4, True)
    assert [each.kind for each in check.differences.all()] == ["ledger"]


def test_who_has_lost_the_claim_writes_nothing(world, clock, wire):
    check = checks.begin_check(now=NOW)

    def is_overtaken(_check):
        later = NOW + checks.LEASE + timedelta(hours=1)
        assert claims.claim(StatusCheck, check.pk, at=later, lease=checks.LEASE)

    checks.carry_out(check.pk, at=NOW, wire=wire, told=is_overtaken)

    check.refresh_from_db()
    assert (check.stage, check.finished_at) == ("register", None)


def test_a_database_that_gives_up_costs_a_pause(world, clock, wire):
    check = checks.begin_check(now=NOW)

    def breaks(_check):
        raise OperationalError

    checks.carry_out(check.pk, at=NOW, wire=wire, told=breaks)

    check.refresh_from_db()
    assert check.claimed_until is None
    assert check.next_attempt_at >= NOW + checks.PAUSE


@pytest.mark.parametrize(
    ("night", "due"),
    [
        (datetime(2026, 3, 2, 1, 30, tzinfo=UTC), datetime(2026, 3, 2, 1, 30, tzinfo=UTC)),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 02:30 is left out
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # and comes twice
    ],
)
def test_the_check_of_a_night_begins_once_also_when_clocks_change(db, night, due):
    assert checks.begin_nightly(now=due - timedelta(seconds=1)) is None
    first = checks.begin_nightly(now=due)
    assert first is not None
    StatusCheck.objects.update(finished_at=due, next_attempt_at=None)

    for minutes in range(0, 24 * 60 - 61, 30):
        assert checks.begin_nightly(now=due + timedelta(minutes=minutes)) is None
    assert checks.begin_nightly(now=night + timedelta(days=1, hours=1)) is not None


def test_a_night_that_was_missed_by_far_is_left_to_the_next(db):
    due = checks.due_tonight(NOW)

    assert checks.begin_nightly(now=due + checks.LONGEST_DELAY) is None
    assert checks.begin_nightly(now=due + checks.LONGEST_DELAY - timedelta(seconds=1)) is not None


def test_one_check_is_under_way_at_a_time(db):
    ada = User.objects.create_user("ada@example.org", None, full_name="Ada", is_staff=True, is_administrator=True)
    first = checks.start_check(operator=ada, now=NOW)

    assert checks.start_check(operator=ada, now=NOW) == first == checks.begin_check(now=NOW)


def test_of_many_active_certificates_ocsp_is_asked_in_turn(world, clock, wire, settings):
    settings.CMS = settings.CMS.model_copy(update={"status_ocsp_most": 2})
    asked = []
    for night in range(2):
        wire.asked.clear()
        walked(clock, wire, at=NOW + timedelta(hours=night))
        asked.append(sum("/ocsp/" in address for address in wire.asked))

    assert asked == [2, 2]


def test_the_command_asks_over_http_and_names_each_difference(world, clock, settings):
    half, _ = halves(world.cards[0])
    tampered(half, status="held", held_at=NOW)
    settings.CMS = settings.CMS.model_copy(update={"status_lag_seconds": 0})
    said = io.StringIO()
    with LiveProduct() as live:
        settings.CMS = settings.CMS.model_copy(update={"status_origin": live.address})
        with pytest.raises(CommandError, match="1 differences"):
            call_command("status_check", json=True, stdout=said)

    told = json.loads(said.getvalue())
    assert told["checked"] == 4
    assert [(each["kind"], each["serial"]) for each in told["differences"]] == [("ledger", half.serial)]


def test_the_command_is_content_where_all_agree(world, clock, settings):
    said, progress = io.StringIO(), io.StringIO()
    with LiveProduct() as live:
        settings.CMS = settings.CMS.model_copy(update={"status_origin": live.address})
        call_command("status_check", stdout=said, stderr=progress)

    assert said.getvalue().strip() == "4 certificates checked, 0 differences."
    assert "register: 4 of 4" in progress.getvalue()


def test_the_wire_maps_addresses_and_survives_a_closed_connection(world, settings):
    with LiveProduct() as live:
        wire = HttpWire(live.address)
        for _ in range(2):
            assert wire.get("http://pki.example.org/pki/crl/cns.crl")
            (line,) = wire._lines.values()
            line.sock = socket.socket()  # as a server leaves it that has hung up
            line.sock.close()
        with pytest.raises(Unreached):
            wire.get("http://pki.example.org/pki/crl/nobody.crl")
        wire.close()
    with pytest.raises(Unreached):
        wire.get("http://pki.example.org/pki/crl/cns.crl")
    with pytest.raises(Unreached):
        HttpWire("as-issued").get("ldap://pki.example.org/cn=crl")


def test_the_check_knows_no_other_ca_than_the_configured_one(world, clock, wire):
    with configured.installed(EmbeddedGateway()):
        assert walked(clock, wire) == []
