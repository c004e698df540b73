"""The attestation: what it must say, who may sign it, and that nobody looks at it before the scanner has."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from pypdfium2 import PdfDocument

from cms.models import Event
from smime.errors import OrderUnknown
from smime.errors import attestation as errors
from smime.models import EvidenceFile
from smime.policy_attestation import is_applicant
from smime.services import attestation, checks, evidence
from smime.services.attestation import Upload
from smime.services.scanner import ScannerAway
from tests.smime.corpus import pdf, pdf_with_javascript
from tests.smime.mailed import NOW, check_of, mails, order_of

DAY = timedelta(days=1)
FIELDS = {
    "role": "Responsabile acquisti",
    "function": "IT Manager",
    "company": "Esempio S.r.l.",
    "address": "Via Roma 1, 00100 Roma RM",
    "reason": "Attivazione S/MIME",
    "attested_on": "2026-03-01",
    "referee": "Carla Referente",
    "referee_role": "Responsabile delle Risorse Umane",
    "contact": "risorse.umane@azienda.example.org",
}


class Says:
    """A scanner that answers what the test wants."""

    def __init__(self, found: str | None = None, *, away: bool = False) -> None:
        self.found, self.away = found, away

    def find(self, content: bytes) -> str | None:
        if self.away:
            raise ScannerAway("scanner-unreachable")
        return self.found


@pytest.fixture
def order(db):
    return order_of("sv")


def send(order, *, content: bytes | None = None, name: str = "attestazione.pdf", at=NOW, **fields):
    upload = Upload(name, content if content is not None else pdf(), "application/pdf")
    return attestation.submit_attestation(order.uid, fields=FIELDS | fields, upload=upload, buyer=order.buyer, now=at)


def scanned(order, scanner: Says, at=NOW) -> EvidenceFile:
    file = EvidenceFile.objects.filter(order=order).latest("pk")
    evidence.scan(file.pk, at=at, scanner=scanner)
    file.refresh_from_db()
    return file


def test_the_buyer_is_asked_for_it_when_he_has_sent_none(order):
    assert check_of(order, "attestation").state == "waiting-customer"


def test_an_officer_sees_it_once_the_scanner_has_called_it_clean(order):
    send(order)
    assert check_of(order, "attestation").state == "waiting-third-party"

    scanned(order, Says())
    assert check_of(order, "attestation").state == "in-review"
    assert Event.objects.filter(verb="smime.attestation-sent", case_code=order.code).count() == 1


def test_without_an_answer_of_the_scanner_nobody_sees_it_and_it_is_tried_again(order):
    send(order)
    file = scanned(order, Says(away=True))

    assert (file.scan, file.next_attempt_at) == ("pending", NOW + timedelta(seconds=15))
    assert check_of(order, "attestation").state == "waiting-third-party"
    assert evidence.scan_due(at=NOW + timedelta(seconds=20), scanner=Says()) == 1
    assert check_of(order, "attestation").state == "in-review"


def test_of_an_infected_letter_the_customer_is_told_and_can_send_another(order):
    send(order)
    scanned(order, Says("Eicar-Test-Signature"))

    check = check_of(order, "attestation")
    assert (check.state, "virus" in check.reason) == ("waiting-customer", True)
    assert mails(order, "smime-papers-missing")

    send(order, at=NOW + DAY)
    scanned(order, Says(), at=NOW + DAY)
    assert (check_of(order, "attestation").state, check_of(order, "attestation").reason) == ("in-review", "")


def test_a_letter_with_javascript_is_put_aside_and_the_customer_told_at_once(order):
    send(order, content=pdf_with_javascript())

    file = EvidenceFile.objects.get(order=order)
    assert (file.scan, file.scan_note, file.next_attempt_at) == ("quarantined", "javascript", None)
    assert "azioni automatiche" in check_of(order, "attestation").reason


def test_one_verdict_of_the_scanner_too_late_moves_no_letter_that_replaced_it(order):
    send(order)
    first = EvidenceFile.objects.get(order=order)
    send(order, at=NOW + DAY)
    evidence.scan(first.pk, at=NOW + DAY, scanner=Says())

    assert check_of(order, "attestation").state == "waiting-third-party"


def test_changed_data_ask_for_a_new_letter(order):
    send(order)
    scanned(order, Says())
    checks.restart(check_of(order, "attestation"), at=NOW + DAY)

    assert check_of(order, "attestation").state == "waiting-customer"


def test_a_letter_under_examination_is_not_replaced(order):
    send(order)
    scanned(order, Says())
    with pytest.raises(errors.AttestationClosed):
        send(order)


def test_another_customer_finds_no_such_order(order):
    stranger = order_of("sv").buyer
    with pytest.raises(OrderUnknown):
        attestation.submit_attestation(order.uid, fields=FIELDS, upload=None, buyer=stranger, now=NOW)


def test_a_type_without_attestation_takes_none(db):
    with pytest.raises(errors.AttestationClosed):
        send(order_of("ov"))


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"attested_on": "2026-03-03"}, errors.AttestationOfTomorrow),
        ({"attested_on": "2026-01-30"}, errors.AttestationTooOld),
        ({"attested_on": "ieri"}, errors.AttestationIncomplete),
        ({"referee": "PROVA Anna"}, errors.RefereeIsApplicant),
        ({"contact": "chiedere in portineria"}, errors.RefereeContactInvalid),
        ({"address": " \r\n "}, errors.AttestationIncomplete),
    ],
)
def test_what_the_letter_must_say_is_asked_for(order, changed, refusal):
    with pytest.raises(refusal):
        send(order, **changed)
    assert not EvidenceFile.objects.filter(order=order).exists()


def test_the_day_of_signing_counts_in_italy(order):
    late = NOW.replace(day=1, hour=23, minute=30)  # half past midnight of 2 March in Rome
    send(order, attested_on="2026-03-02", at=late)
    order.refresh_from_db()
    assert order.attested["attested_on"] == "2026-03-02"


def test_the_applicants_own_mailbox_is_no_contact_of_the_referee(order):
    with pytest.raises(errors.RefereeContactInvalid):
        send(order, contact=order.mailbox.upper())


def test_later_keeps_what_was_typed_for_the_next_time(order):
    attestation.submit_attestation(
        order.uid, fields={"company": "Esempio\r\nS.r.l."}, upload=None, buyer=order.buyer, now=NOW
    )
    order.refresh_from_db()
    assert (order.attestation_later, order.attested["company"]) == (True, "Esempio S.r.l.")
    assert check_of(order, "attestation").state == "waiting-customer"


def test_the_template_says_all_that_the_guide_asks_for(order):
    order.given_name = "D'Àngiò"
    order.save()
    letter = attestation.render_letter(order.uid, fields=FIELDS, buyer=order.buyer, now=NOW)

    with PdfDocument(io.BytesIO(letter)) as document:
        assert len(document) == 1
        text = " ".join(document[0].get_textpage().get_text_range().split())
    assert (
        "Con la presente attestiamo che D'Àngiò Prova riveste la funzione di IT Manager presso Esempio S.r.l." in text
    )
    for said in [*FIELDS.values(), "01/03/2026", "Firma leggibile, manuale o digitale"]:
        assert said == "2026-03-01" or said in text


@pytest.mark.parametrize(("name", "same"), [("Anna Prova", True), ("prova  ANNA Maria", True), ("Anna Provàsi", False)])
def test_the_applicant_is_known_by_his_name_however_it_is_written(order, name, same):
    assert is_applicant(name, order) is same
