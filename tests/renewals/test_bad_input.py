"""What a hostile, broken or late client sends: refused with a code, nothing changed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cms.models import Certificate, Event, Stock, StockMovement
from notifications import services as outbox
from renewals.models import RenewalCase
from renewals.services import decisions
from renewals.states import CaseState
from tests.renewals.checking import assert_invariants
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import Enrolment, b64, sign
from tests.renewals.keys import key
from tests.renewals.world import csr_of

ONE_SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _everything_holds_afterwards(request):
    """After every bad input the register, the CA, the stock and the outbox still agree."""
    request.getfixturevalue("world")
    clock = request.getfixturevalue("clock")
    yield
    assert_invariants(clock.instant)


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

    def test_a_mistyped_mailbox_is_shown_and_replaced_by_giving_the_contacts_again(self, enrolment, mailbox):
        """The code of the mistyped one is worth nothing any more, also after it ran out of tries."""
        enrolment.until("contacts")
        enrolment.contacts(email="nuova@psota.example.org")
        assert enrolment.case["pending_contacts"]["email"] == "nuova@psota.example.org"
        mistyped = mailed_code(mailbox, "nuova@psota.example.org")
        for _ in range(6):
            enrolment.call("post", "/case/contact-confirmation", {"code": "999999"})
        assert enrolment.refusal == "confirmation-expired"

        enrolment.contacts(email="nuova@posta.example.org")
        code = mailed_code(mailbox, "nuova@posta.example.org")
        if mistyped != code:
            enrolment.call("post", "/case/contact-confirmation", {"code": mistyped})
            assert enrolment.refusal == "confirmation-invalid"
        enrolment.call("post", "/case/contact-confirmation", {"code": code})
        assert enrolment.case["pending_contacts"] is None
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
