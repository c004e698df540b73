"""What a hostile, broken or late client shows at the entrance: refused with a code, nothing changed."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from django.db import connections

from cms.actors import SYSTEM
from cms.errors import CertificateNotOurs
from cms.models import CardFamily, Certificate
from cms.services import certificates, registration, requests
from cms.states import HoldCause, RevocationCause
from renewals.models import Challenge, RenewalCase
from renewals.services import reminders
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import BASE, Enrolment, b64, sign
from tests.renewals.keys import key
from tests.renewals.world import OLD_NOT_AFTER

ONE_SECOND = timedelta(seconds=1)


def carry_out_all(now=NOW):
    """What the worker would do."""
    requests.carry_out_due(at=now)


@pytest.fixture(autouse=True)
def _everything_holds_afterwards(request):
    """After every bad input the register, the CA, the stock and the outbox still agree."""
    request.getfixturevalue("world")
    clock = request.getfixturevalue("clock")
    yield
    reminders.tell_due(now=clock.instant)  # beat ran while these days went by
    assert_invariants(clock.instant)


class TestCertificates:
    """Which certificates may log in."""

    def test_the_last_second_still_renews(self, enrolment, clock):
        """notAfter itself is inclusive (RFC 5280)."""
        clock.instant = OLD_NOT_AFTER
        assert enrolment.login().status_code == 201

    def test_one_second_later_it_is_expired(self, enrolment, clock):
        """The guide's words, and a new purchase."""
        clock.instant = OLD_NOT_AFTER + ONE_SECOND
        verdict = enrolment.scan().json()
        assert (verdict["verdict"], verdict["code"]) == ("expired", "certificate-expired")
        assert verdict["message"] == "Certificato non rinnovabile presente nella carta"
        enrolment.challenge()
        assert (enrolment.refusal, enrolment.answer.json()["action"]) == ("certificate-expired", "new-purchase")

    def test_a_case_in_progress_stops_at_the_expiry(self, enrolment, clock):
        """Signature and installation must both happen before it: no grace."""
        enrolment.until("form-signature")
        clock.instant = OLD_NOT_AFTER - ONE_SECOND
        enrolment.login()
        clock.instant = OLD_NOT_AFTER + ONE_SECOND
        enrolment.call("post", "/case/form")
        assert enrolment.refusal == "certificate-expired"

    def test_before_the_window_it_says_when(self, enrolment, clock):
        """Two calendar months, clamped to the month's end."""
        clock.instant = OLD_NOT_AFTER - timedelta(days=70)
        enrolment.challenge()
        assert enrolment.refusal == "window-not-open"

    def test_a_held_certificate_does_not_renew(self, enrolment, card):
        """REG-6.3.7-03: it must be valid now."""
        half = Certificate.objects.get(pair=card.pair, type="signature")
        certificates.place_hold(half, HoldCause.OPERATOR, days=120, actor=SYSTEM, at=NOW)
        carry_out_all()
        enrolment.challenge()
        assert enrolment.refusal == "certificate-held"

    def test_a_revoked_certificate_does_not_renew(self, enrolment, card):
        """Nor go on in a case begun before."""
        enrolment.until("form-signature")
        half = Certificate.objects.get(pair=card.pair, type="authentication")
        certificates.request_revocation(half, RevocationCause.KEY_COMPROMISED, at=NOW)
        carry_out_all()
        enrolment.call("post", "/case/form")
        assert enrolment.refusal == "certificate-revoked"

    def test_a_renewed_certificate_says_so_even_after_its_expiry(self, enrolment, clock):
        """Order of rules.md R16: already renewed stands before expired."""
        enrolment.until("done")
        clock.instant = OLD_NOT_AFTER - ONE_SECOND
        verdict = enrolment.scan().json()
        assert verdict["message"] == "Certificato già rinnovato per la carta"
        enrolment.challenge()
        assert enrolment.refusal == "certificate-renewed"

    def test_an_unknown_certificate_is_not_ours(self, enrolment):
        """No such fingerprint in the register."""
        enrolment.call("post", "/challenges", {"card_serial": "1", "certificate": "0" * 64})
        assert enrolment.refusal == "certificate-unknown"

    def test_a_look_alike_issuer_is_nobody(self, enrolment, world, card):
        """Same names, same subject, another CA: scan and login refuse, import too."""
        look_alike = forged(key("forger").public_key(), card.certificates["authentication"])
        card.certificates["authentication"] = look_alike
        enrolment.challenge()
        assert enrolment.refusal == "certificate-unknown"
        with pytest.raises(CertificateNotOurs):
            registration.register_remote_pair(
                holder=world.person(9), agreement=world.agreement, certificates={"signature": look_alike}, at=NOW
            )

    def test_a_remote_signature_has_its_own_way(self, world, enrolment):
        """Refused with its own message."""
        holder = world.person(7)
        remote = world.issue("signature", key("remote"), holder, "-", OLD_NOT_AFTER)
        registration.register_remote_pair(
            holder=holder, agreement=world.agreement, certificates={"signature": remote}, at=NOW
        )
        fingerprint = hashlib.sha256(remote).hexdigest()
        enrolment.call("post", "/challenges", {"card_serial": "1", "certificate": fingerprint})
        assert enrolment.refusal == "certificate-remote"

    def test_certificates_of_two_cards_do_not_mix(self, world, enrolment):
        """The serial of one card with the certificate of another."""
        other = world.card(2)
        fingerprint = hashlib.sha256(other.certificates["authentication"]).hexdigest()
        enrolment.call("post", "/challenges", {"card_serial": enrolment.card.serial, "certificate": fingerprint})
        assert enrolment.refusal == "card-mismatch"

    def test_a_device_at_its_end_of_life_is_told_before_the_pin(self, world):
        """Six years by date, `>`: the second renewal would pass them."""
        old = world.card(3, first_issued_on=date(2020, 3, 31) - timedelta(days=1))
        again = Enrolment(old)
        assert again.scan().json()["code"] == "device-end-of-life"

    def test_the_first_renewal_lands_exactly_on_six_years_and_passes(self, world):
        """No day is lost, and none is missing."""
        exact = world.card(4, first_issued_on=date(2023, 3, 31))
        assert Enrolment(exact).scan().json()["verdict"] == "renewable"

    def test_an_obsolete_family_is_told_so(self, world):
        """Chip certification ends on a date, whatever the card's age."""
        family = CardFamily.objects.create(code="OT 2015", name="Oberthur", certified_until=date(2025, 4, 15))
        assert Enrolment(world.card(5, family=family)).scan().json()["code"] == "device-end-of-life"


class TestLogin:
    """Challenges and sessions."""

    def test_fifty_answers_to_one_challenge_open_one_session(self, enrolment):
        """Single use, decided by the database."""
        enrolment.challenge()
        issued = enrolment.answer.json()
        answer = {
            "challenge": issued["id"],
            "signature": b64(sign(enrolment.card.keys["authentication"], issued["text"])),
        }

        def attempt(_number):
            try:
                return Enrolment(enrolment.card).call("post", "/sessions", answer).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(16) as pool:
            outcomes = sorted(pool.map(attempt, range(50)))

        assert outcomes == [201] + [401] * 49
        assert RenewalCase.objects.count() == 1

    def test_an_expired_challenge_is_refused(self, enrolment, clock):
        """Five minutes."""
        enrolment.challenge()
        issued = enrolment.answer.json()
        clock.instant = NOW + timedelta(minutes=5)
        signature = b64(sign(enrolment.card.keys["authentication"], issued["text"]))
        enrolment.call("post", "/sessions", {"challenge": issued["id"], "signature": signature})
        assert enrolment.refusal == "challenge-expired"

    def test_another_key_does_not_log_in(self, enrolment):
        """Nor does the card's own signature key."""
        enrolment.challenge()
        issued = enrolment.answer.json()
        signature = b64(sign(enrolment.card.keys["signature"], issued["text"]))
        enrolment.call("post", "/sessions", {"challenge": issued["id"], "signature": signature})
        assert enrolment.refusal == "signature-invalid"
        assert Challenge.objects.get().used_at is None

    def test_an_installation_challenge_opens_no_session(self, enrolment):
        """An answer for one purpose is worth nothing for the other."""
        enrolment.until("installation")
        enrolment.call("post", "/case/installation-challenge")
        issued = enrolment.answer.json()
        signature = b64(sign(enrolment.card.keys["authentication"], issued["text"]))
        enrolment.call("post", "/sessions", {"challenge": issued["id"], "signature": signature})
        assert enrolment.refusal == "challenge-invalid"

    def test_a_session_ends(self, enrolment, clock):
        """Thirty minutes."""
        enrolment.login()
        clock.instant = NOW + timedelta(minutes=30)
        enrolment.call("get", "/case")
        assert (enrolment.answer.status_code, enrolment.refusal) == (401, "session-invalid")

    def test_wrong_tokens_are_counted(self, enrolment):
        """Guessing is throttled before the database is asked."""
        enrolment.token = "wrong"
        codes = [enrolment.call("get", "/case").status_code for _ in range(70)]
        assert codes[:60] == [401] * 60
        assert codes[-1] == 429

    def test_a_weak_old_key_cannot_vouch(self, enrolment, card):
        """A factorable old key lets a thief forge the challenge: no remote renewal (ROCA, Fermat, ...)."""
        half = Certificate.objects.select_related("body").get(pair=card.pair, type="authentication")
        weak = forged(weak_key(), card.certificates["authentication"])
        type(half.body).objects.filter(pk=half.pk).update(der=weak)
        enrolment.challenge()
        assert enrolment.refusal == "old-key-weak"


class TestBodies:
    """Shape of requests."""

    @pytest.mark.parametrize(
        "body",
        ["", "[]", "{", '{"card": 1}', '{"card":{"serial":"1","atr":null},"certificates":[],"extra":1}', "NaN"],
    )
    def test_a_malformed_body_is_a_problem_document(self, enrolment, body):
        """Never a trace, never HTML."""
        answer = enrolment.client.post(BASE + "/scan", data=body, content_type="application/json")
        assert answer.status_code in {400, 422}
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["code"] == "input-invalid"

    def test_a_large_body_is_refused_unread(self, enrolment):
        """64 kB of JSON at most."""
        answer = enrolment.client.post(BASE + "/scan", data="x" * 70_000, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    def test_unknown_paths_and_methods_answer_in_kind(self, enrolment):
        """Machine-readable to the end."""
        assert enrolment.client.get(BASE + "/nowhere").json()["code"] == "not-found"
        assert enrolment.client.delete(BASE + "/case").json()["code"] == "method-not-allowed"


def forged(public_key, template):
    """A certificate with the names and key identifiers of a real one, over another key, signed by nobody we know."""
    real = x509.load_der_x509_certificate(template)
    builder = (
        x509.CertificateBuilder()
        .subject_name(real.subject)
        .issuer_name(real.issuer)
        .public_key(public_key)
        .serial_number(real.serial_number)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
    )
    for extension in real.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key("forger"), hashes.SHA256()).public_bytes(Encoding.DER)


def weak_key():
    """A key whose primes lie next to each other: Fermat finds them at once."""
    vectors = json.loads((Path(__file__).parent.parent / "pki/data/weak_keys.json").read_text())
    spki = next(row["spki"] for row in vectors["weak"] if row["code"] == "key-fermat")
    return load_der_public_key(base64.b64decode(spki))
