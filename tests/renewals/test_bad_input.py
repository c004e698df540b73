"""What a hostile, broken or late client sends: refused with a code, nothing changed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
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
from cms.models import CardFamily, Certificate, Event, Stock, StockMovement
from cms.services import certificates, registration, requests
from cms.states import HoldCause, RevocationCause
from notifications import services as outbox
from renewals.models import Challenge, RenewalCase
from renewals.services import decisions
from renewals.states import CaseState
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import BASE, Enrolment, b64, sign
from tests.renewals.keys import key
from tests.renewals.world import OLD_NOT_AFTER, csr_of

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
        """Order of domain 3.20: already renewed stands before expired."""
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


class TestSteps:
    """Steps cannot be skipped."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("post", "/case/form", None),
            ("post", "/case/form-signature", {"signature": b64(b"x" * 256)}),
            ("post", "/case/installation-challenge", None),
            ("get", "/case/certificates", None),
        ],
    )
    def test_a_step_out_of_order_is_refused(self, enrolment, method, path, body):
        """The server decides what is next."""
        enrolment.login()
        enrolment.call(method, path, body)
        assert enrolment.refusal in {"step-not-open", "form-missing"}

    def test_requests_before_the_signature_are_refused(self, enrolment):
        """Nothing is issued without a signed form."""
        enrolment.until("form-signature")
        enrolment.request()
        assert enrolment.refusal == "step-not-open"

    def test_outdated_texts_are_refused(self, enrolment):
        """What was accepted must be what is in force."""
        enrolment.until("acceptance")
        enrolment.call(
            "put", "/case/acceptance", {"texts": [{"kind": "contract", "version": "2020-01", "sha256": "0" * 64}]}
        )
        assert enrolment.refusal == "texts-outdated"

    def test_a_form_signed_by_the_wrong_key_is_refused(self, enrolment):
        """Only the expiring signature certificate signs."""
        enrolment.until("form-signature")
        enrolment.call("post", "/case/form")
        enrolment.call("post", "/case/form-signature", {"signature": b64(sign(key("stranger"), b"whatever"))})
        assert enrolment.refusal == "form-signature-invalid"
        assert RenewalCase.objects.get().state == CaseState.NOTIFIED

    def test_changed_contacts_make_another_form(self, enrolment):
        """A signature of the old form does not carry over."""
        enrolment.until("form-signature")
        enrolment.call("post", "/case/form")
        first = enrolment.answer.json()
        enrolment.contacts(mobile="+393339876543")
        enrolment.call("post", "/case/form")
        assert enrolment.answer.json()["document_sha256"] != first["document_sha256"]


class TestContacts:
    """Contacts belong to one person."""

    @pytest.mark.parametrize("field", ["email", "mobile"])
    def test_a_contact_of_another_person_is_refused_without_saying_whose(self, world, enrolment, field):
        """Blocked until changed; no data of the other in the answer."""
        other = world.person(8)
        enrolment.until("contacts")
        enrolment.contacts(**{field: getattr(other, field)})
        assert enrolment.refusal == "contact-taken"
        assert other.tax_code not in enrolment.answer.content.decode()

    def test_a_changed_mailbox_waits_for_its_code(self, enrolment, mailbox):
        """Both addresses are told; the wrong code is counted, the right one goes on."""
        enrolment.until("contacts")
        enrolment.contacts(email="nuova@posta.example.org")
        assert enrolment.case["next_step"] == "contact-confirmation"

        enrolment.call("post", "/case/contact-confirmation", {"code": "000000"})
        assert enrolment.refusal == "confirmation-invalid"

        code = mailed_code(mailbox, "nuova@posta.example.org")
        enrolment.call("post", "/case/contact-confirmation", {"code": code})
        assert enrolment.case["next_step"] == "acceptance"
        assert enrolment.case["holder"]["email"] == "nuova@posta.example.org"

    def test_five_wrong_codes_end_the_code(self, enrolment):
        """A six-digit code is not to be guessed."""
        enrolment.until("contacts")
        enrolment.contacts(email="nuova@posta.example.org")
        for _ in range(5):
            enrolment.call("post", "/case/contact-confirmation", {"code": "999999"})
        enrolment.call("post", "/case/contact-confirmation", {"code": "999999"})
        assert enrolment.refusal == "confirmation-expired"


class TestStock:
    """Out of stock is told before anything on the card changes."""

    def test_an_empty_stock_is_told_at_the_diagnosis(self, world, enrolment):
        """The centre is alerted, nothing is reserved."""
        Stock.objects.filter(type="signature").update(free=0)
        row = Stock.objects.get(type="signature")
        StockMovement.objects.create(
            stock=row, kind="correction", free_change=-10, reserved_change=0, reason="conteggio", at=NOW
        )
        enrolment.login()
        enrolment.diagnose()
        assert enrolment.refusal == "stock-empty"
        assert Event.objects.filter(verb="stock.empty").count() == 1

    def test_the_reservation_asks_again(self, world, enrolment):
        """Two holders and one pair: the second is refused at the signature, nothing of his is reserved."""
        leave_one_pair()
        second = Enrolment(world.card(2))
        enrolment.until("form-signature")
        second.until("form-signature")
        enrolment.sign_form()
        second.sign_form()
        assert second.refusal == "stock-empty"
        assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(0, 1)}
        assert RenewalCase.objects.get(card__serial=second.card.serial).state == CaseState.NOTIFIED


class TestRequests:
    """New keys and their requests."""

    @pytest.fixture(autouse=True)
    def _signed(self, enrolment):
        enrolment.until("requests")

    def test_the_subject_of_a_csr_is_ignored(self, enrolment):
        """The register says who the holder is."""
        keys = enrolment.card.generate()
        rows = [{"type": slot, "csr": b64(csr_of(keys[slot], "Qualcun Altro"))} for slot in sorted(keys)]
        enrolment.request(keys, requests=rows)
        issued = enrolment.certificates()
        assert all(b"Qualcun Altro" not in der for der in issued.values())

    def test_a_key_swapped_after_the_login_is_refused(self, enrolment):
        """The old key vouched for other keys."""
        keys = enrolment.card.generate()
        swapped = {**keys, "signature": key("thief")}
        rows = [{"type": slot, "csr": b64(csr_of(swapped[slot]))} for slot in sorted(swapped)]
        enrolment.request(keys, requests=rows)
        assert enrolment.refusal == "binding-invalid"

    def test_the_old_key_is_not_a_new_one(self, enrolment):
        """Reuse is refused."""
        enrolment.request(dict(enrolment.card.keys))
        assert enrolment.refusal == "key-known"

    def test_another_holders_key_is_refused(self, world, enrolment):
        """Seen once, seen for ever."""
        other = world.card(2)
        enrolment.request({**enrolment.card.generate(), "signature": other.keys["signature"]})
        assert enrolment.refusal == "key-known"

    def test_one_key_for_both_slots_is_refused(self, enrolment):
        """Two certificates, two keys."""
        one = key("only-one")
        enrolment.request({"authentication": one, "signature": one})
        assert enrolment.refusal == "key-conflict"

    def test_a_small_key_is_refused(self, enrolment):
        """RSA-1024 is no new key, whatever the old one was."""
        enrolment.request({**enrolment.card.generate(), "signature": key("small", 1024)})
        assert enrolment.refusal == "key-size"

    def test_a_broken_csr_signature_is_refused(self, enrolment):
        """No possession, no certificate."""
        keys = enrolment.card.generate()
        rows = [{"type": slot, "csr": b64(csr_of(keys[slot]))} for slot in sorted(keys)]
        broken = bytearray(csr_of(keys["signature"]))
        broken[-1] ^= 1
        rows[1]["csr"] = b64(bytes(broken))
        enrolment.request(keys, requests=rows)
        assert enrolment.refusal == "csr-signature-invalid"

    @pytest.mark.parametrize("junk", [b"junk", b"\x30\x80" * 100, b"\x30\x84\xff\xff\xff\xff"])
    def test_junk_is_not_a_csr(self, enrolment, junk):
        """Any parser's exception becomes one refusal."""
        keys = enrolment.card.generate()
        rows = [{"type": slot, "csr": b64(junk)} for slot in sorted(keys)]
        enrolment.request(keys, requests=rows)
        assert enrolment.refusal == "csr-invalid"

    def test_other_keys_for_the_same_case_are_refused(self, enrolment):
        """Same keys: same certificates. Other keys: a person must look."""
        enrolment.request(enrolment.card.generate("first"))
        assert enrolment.answer.status_code == 200
        enrolment.request(enrolment.card.generate("second"))
        assert enrolment.refusal == "key-conflict"
        assert Certificate.objects.filter(pair__predecessor__isnull=False).count() == 2

    def test_one_half_alone_is_refused(self, enrolment):
        """The pair is asked for as a pair."""
        keys = enrolment.card.generate()
        rows = [{"type": "signature", "csr": b64(csr_of(keys["signature"]))}]
        enrolment.request(keys, requests=rows)
        assert enrolment.refusal == "csr-invalid"

    def test_a_proof_by_another_key_is_refused(self, enrolment):
        """Nothing is active that is not on the card."""
        enrolment.request()
        enrolment.install({slot: key("elsewhere") for slot in enrolment.card.keys})
        assert enrolment.refusal == "proof-invalid"
        assert RenewalCase.objects.get().state == CaseState.AWAITING_INSTALLATION


class TestClosedPairs:
    """A refused or cancelled pair is not opened again by a client or a sweep."""

    def test_a_holder_who_stopped_is_told_whom_to_ask(self, enrolment):
        """Cancelled is cancelled."""
        enrolment.login()
        enrolment.call("post", "/case/cancellation", {"reason": "data-incorrect", "confirm": True})
        assert enrolment.case["next_step"] == "closed"
        enrolment.token = ""
        enrolment.challenge()
        assert (enrolment.refusal, enrolment.answer.json()["action"]) == ("pair-closed", "contact-centre")

    def test_a_refused_request_does_not_come_back(self, enrolment, world):
        """Refused before installation: cancelled, the stock is whole again."""
        enrolment.until("requests")
        decisions.refuse_renewal(
            RenewalCase.objects.get().pk, operator=world.operator, reason="Iscrizione cessata", now=NOW
        )
        enrolment.token = ""
        enrolment.challenge()
        assert enrolment.refusal == "pair-closed"
        assert {(row.free, row.reserved) for row in Stock.objects.all()} == {(10, 0)}


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


def leave_one_pair():
    """Correct the stock down to one of each type."""
    for row in Stock.objects.all():
        StockMovement.objects.create(
            stock=row, kind="correction", free_change=1 - row.free, reserved_change=0, reason="conteggio", at=NOW
        )
        Stock.objects.filter(pk=row.pk).update(free=1)


def mailed_code(mailbox, address):
    """The six digits that were mailed to an address."""
    outbox.deliver_due(at=NOW)
    texts = [
        part.get_content()
        for message in mailbox.messages()
        if address in message["To"]
        for part in message.walk()
        if part.get_content_type() == "text/plain"
    ]
    return re.search(r"\b(\d{6})\b", "\n".join(texts)).group(1)


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
