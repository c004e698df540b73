"""The alternative to the biometric way: form, signed file, verdict, and what becomes of the check."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from cms.errors import TaxCodeInvalid
from cms.models import Event
from config.demo import trust_scheme
from config.demo.trust_scheme import Wish
from notifications.models import OutboxMessage
from smime import policy_desk
from smime.errors import CheckChanged
from smime.errors.files import FileEncrypted, FileTypeRefused
from smime.errors.signature import RecipientNamesDiffer, SignatureFormMissing, SignedFormNotAwaited
from smime.models import EvidenceFile, Order, SignatureForm, SignatureReport
from smime.policy_data import Person
from smime.policy_signature import RecipientData
from smime.services import checks, descriptions, desk, signature, signature_verdicts
from smime.states import CheckKind, CheckState, ScanState, Verdict
from tests.smime import mailed
from tests.smime.desk import office
from tests.smime.signature import long_life, orders, world

pytestmark = pytest.mark.usefixtures("committed")
NOW = orders.NOW
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def order(tmp_path, settings, committed):
    """A sponsor-validated one: other checks stay open, so that nothing is issued here."""
    orders.lists_loaded(tmp_path / "lists", settings)
    return orders.order_of("sv")


def identity(order):
    return mailed.check_of(order, CheckKind.IDENTITY)


def test_the_link_to_the_alternative_is_mailed_when_it_opens(order):
    (mail,) = mailed.mails(order, "smime-alternative")

    assert "/link/alternativa/" in mailed.link_in(mail)
    assert identity(order).state == CheckState.WAITING_CUSTOMER


def test_a_valid_signature_is_enough_where_the_practice_statement_says_so(order, settings):
    orders.policy(settings, "sufficient")

    report = orders.judged(order, orders.signed(orders.form_of(order)))

    assert (report.verdict, report.code, report.matches_person) == (Verdict.ACCEPTED, "signature-qualified", True)
    check = identity(order)
    assert check.state == CheckState.PASSED
    assert check.method.startswith("FEQ")
    assert check.valid_until == NOW + timedelta(days=825)
    assert mailed.mails(order, "smime-identification-passed")


def test_a_valid_signature_goes_to_an_officer_where_it_is_not(order):
    report = orders.judged(order, orders.signed(orders.form_of(order)))

    assert report.verdict == Verdict.ACCEPTED
    assert identity(order).state == CheckState.IN_REVIEW
    assert report.trusted_list.territory == "IT"
    assert {each["territory"] for each in report.report["lists"]} == {"EU", "IT"}


@pytest.mark.parametrize("wrapped", [False, True], ids=["DER", "base64"])
def test_a_p7m_is_taken_too(order, wrapped):
    signed = trust_scheme.sign_cms(orders.form_of(order), world.signer(), at=NOW)

    report = orders.judged(order, base64.encodebytes(signed) if wrapped else signed, name="modulo.pdf.p7m")

    assert report.verdict == Verdict.ACCEPTED


LASTING = {
    "B-LT": lambda form: long_life.with_revocation_list(orders.signed(form)),
    "B-LTA": lambda form: long_life.archived(orders.signed(form)),
    "CAdES B-LT": lambda form: long_life.in_cms(lists=(long_life.revocation_list(),))(
        trust_scheme.sign_cms(form, world.signer(), at=NOW)
    ),
}


@pytest.mark.parametrize("made", LASTING.values(), ids=LASTING)
def test_a_form_that_was_signed_to_last_is_taken_too(order, made):
    name = "modulo.p7m" if made is LASTING["CAdES B-LT"] else "modulo.pdf"

    report = orders.judged(order, made(orders.form_of(order)), name=name)

    assert report.code == "signature-qualified"


def test_what_only_a_person_can_judge_goes_to_an_officer(order, settings):
    orders.policy(settings, "sufficient")

    report = orders.judged(order, orders.signed(orders.form_of(order), orders.signer(Wish(surname="Verdi"))))

    assert (report.verdict, report.code) == (Verdict.FOR_OFFICER, "person-names-differ")
    assert identity(order).state == CheckState.IN_REVIEW


def test_a_refused_file_names_the_guides_ground_and_what_was_found_and_another_may_follow(order):
    form = orders.form_of(order)

    refused = orders.judged(order, orders.signed(form, orders.signer(Wish(qualified=False))))
    check = identity(order)
    accepted = orders.judged(order, orders.signed(form))

    assert (refused.verdict, refused.code) == (Verdict.REFUSED, "certificate-unqualified")
    assert check.state == CheckState.WAITING_CUSTOMER
    assert check.reason == (
        "La firma è stata apposta con strumenti non configurati per la FEQ, per esempio Adobe Sign. "
        "Il certificato di firma non è un certificato qualificato."
    )
    assert accepted.verdict == Verdict.ACCEPTED
    assert mailed.mails(order, "smime-papers-missing")


def test_the_unsigned_form_is_refused_as_unsigned(order):
    assert orders.judged(order, orders.form_of(order)).code == "signature-missing"


def test_the_received_form_is_confirmed_with_an_estimate_in_working_days(order):
    orders.sent(order, orders.signed(orders.form_of(order)))

    (mail,) = mailed.mails(order, "smime-form-received")
    assert mail.context["answer_by"] == "2026-03-09"
    assert identity(order).state == CheckState.WAITING_THIRD_PARTY


def test_the_same_data_are_the_same_form_and_other_data_void_it(order):
    token = orders.link_of(order)

    first = signature.make_form(token, orders.DATA, address=None, now=NOW)
    again = signature.make_form(token, orders.DATA, address=None, now=NOW)
    other = signature.make_form(token, RecipientData("Giulia", "Bianchi", "BNCGLI85C41F20RJ"), address=None, now=NOW)

    first.refresh_from_db()
    assert again.pk == first.pk
    assert other.pk != first.pk
    assert first.voided_at == NOW
    assert SignatureForm.objects.filter(voided_at__isnull=True).get() == other


def test_a_signature_of_the_form_before_is_refused(order):
    old = orders.form_of(order)
    orders.form_of(order, data=RecipientData("Giulia", "Bianchi", "BNCGLI85C41F20RJ"))

    assert orders.judged(order, orders.signed(old)).code == "document-other"


def test_a_form_is_handed_out_to_the_byte(order):
    token = orders.link_of(order)
    signature.make_form(token, orders.DATA, address=None, now=NOW)

    form, pdf = signature.hand_out(token, address=None, now=NOW)
    _, again = signature.hand_out(token, address=None, now=NOW + timedelta(hours=1))

    assert pdf == again
    assert pdf.startswith(b"%PDF-")
    assert form.downloaded_at == NOW


def test_the_tax_code_lies_sealed_and_is_forgotten_with_the_order(order):
    orders.form_of(order)
    form = SignatureForm.objects.get()

    assert b"BNCGLI85" not in bytes(form.tax_code_sealed) + bytes(form.sealed_pdf)
    assert signature.tax_code_of(form) == "BNCGLI85C41F205O"

    order.refresh_from_db()
    order.cancel(reason="", at=NOW)
    order.save()
    assert signature.forget_tax_codes(now=NOW) == 1
    assert bytes(SignatureForm.objects.get().tax_code_sealed) == b""


@pytest.mark.parametrize("code", ["", "BNCGLI85C41F205X", "01234567890", "BNCGLI85C41F205O ; --"])
def test_a_wrong_tax_code_makes_no_form(order, code):
    with pytest.raises(TaxCodeInvalid):
        signature.make_form(orders.link_of(order), RecipientData("Giulia", "Bianchi", code), address=None, now=NOW)


def test_names_are_those_of_the_order(order):
    token = orders.link_of(order)

    signature.make_form(token, RecipientData("GIULIA", " bianchi ", DATA_CODE), address=None, now=NOW)
    with pytest.raises(RecipientNamesDiffer):
        signature.make_form(token, RecipientData("Giulia", "Verdi", DATA_CODE), address=None, now=NOW)


DATA_CODE = orders.DATA.tax_code


def test_changed_names_void_form_and_link(order):
    pdf = orders.form_of(order)
    checks.restart(identity(order), at=NOW)

    with pytest.raises(SignatureFormMissing):
        signature.receive_signed(order, name="modulo.pdf", content=orders.signed(pdf), at=NOW)


def test_data_changed_while_a_file_was_judged_decide_nothing(order, settings):
    orders.policy(settings, "sufficient")
    report = orders.sent(order, orders.signed(orders.form_of(order)))
    checks.restart(identity(order), at=NOW)

    signature_verdicts.validate(report.pk, at=NOW)

    report.refresh_from_db()
    assert (report.verdict, report.code) == (Verdict.REFUSED, "form-void")
    assert identity(order).state == CheckState.WAITING_CUSTOMER


class TestAnotherMailbox:
    """Who was identified at the mailbox before proves nothing about who reads the new one."""

    NEW = Person("Giulia", "Bianchi", "giulia.nuova@posta.example.org")

    @pytest.fixture
    def in_review(self, order):
        Order.objects.filter(pk=order.pk).update(recipient_is_buyer=False)
        return orders.judged(order, orders.signed(orders.form_of(order)))

    def changed(self, order):
        descriptions.describe_recipient(order.uid, self.NEW, is_buyer=False, buyer=order.buyer, now=LATER)

    def accepted(self, report):
        desk.decide_signature(
            report.pk,
            outcome="accepted",
            document=office.CARD,
            ticked=policy_desk.COMPARED,
            operator=office.officer(report.form.order),
            now=LATER,
        )

    def test_the_officer_who_looked_at_the_form_accepts_nothing(self, order, in_review):
        self.changed(order)
        with pytest.raises(CheckChanged):
            self.accepted(in_review)
        assert identity(order).passed_at is None

    def test_not_even_where_the_check_was_left_as_it_was(self, order, in_review):
        Order.objects.filter(pk=order.pk).update(mailbox=self.NEW.email)
        with pytest.raises(CheckChanged):
            self.accepted(in_review)
        assert signature.form_in_force(Order.objects.get(pk=order.pk), identity(order)) is None

    def test_the_alternative_is_offered_there_once_the_mailbox_is_confirmed(self, order, in_review):
        self.changed(order)
        assert identity(order).state == CheckState.TODO
        assert len(mailed.mails(order, "smime-alternative")) == 1

        checks.pass_check(mailed.check_of(order, CheckKind.MAILBOX), at=LATER, method="prova")
        assert identity(order).state == CheckState.WAITING_CUSTOMER
        assert [mail.recipient for mail in mailed.mails(order, "smime-alternative")][1:] == [self.NEW.email]


def test_a_form_of_other_data_than_the_orders_of_now_is_void(order, settings):
    orders.policy(settings, "sufficient")
    report = orders.sent(order, orders.signed(orders.form_of(order)))
    Order.objects.filter(pk=order.pk).update(mailbox="altra@posta.example.org")

    signature_verdicts.validate(report.pk, at=NOW)

    report.refresh_from_db()
    assert (report.verdict, report.code) == (Verdict.REFUSED, "form-void")
    assert identity(order).passed_at is None


def test_a_second_file_sets_the_first_aside(order):
    pdf = orders.form_of(order)
    first = orders.sent(order, orders.signed(pdf))
    second = orders.judged(order, orders.signed(pdf))

    assert signature_verdicts.validate(first.pk, at=NOW) is None
    first.refresh_from_db()
    assert (first.verdict, first.code) == (Verdict.REFUSED, "file-replaced")
    assert second.verdict == Verdict.ACCEPTED


def test_no_further_file_is_taken_while_an_officer_looks(order):
    signed = orders.signed(orders.form_of(order))
    orders.judged(order, signed)

    with pytest.raises(SignedFormNotAwaited):
        signature.receive_signed(order, name="modulo.pdf", content=signed, at=NOW)


def test_judging_twice_decides_once(order):
    report = orders.judged(order, orders.signed(orders.form_of(order)))

    assert signature_verdicts.validate(report.pk, at=NOW) is None
    assert Event.objects.filter(verb="smime.signature-judged").count() == 1


def test_nothing_is_accepted_before_the_scanner_has_answered(order, settings):
    orders.policy(settings, "sufficient")
    report = signature.receive_signed(order, name="modulo.pdf", content=orders.signed(orders.form_of(order)), at=NOW)

    signature_verdicts.validate(report.pk, at=NOW)
    report.refresh_from_db()
    assert (report.verdict, report.code) == (Verdict.PENDING, "file-being-scanned")

    EvidenceFile.objects.filter(pk=report.file_id).update(scan=ScanState.CLEAN)
    signature.go_on_with(EvidenceFile.objects.get(pk=report.file_id), at=NOW)
    signature_verdicts.validate_due(at=NOW)
    assert identity(order).state == CheckState.PASSED


def test_an_infected_file_is_refused(order):
    report = orders.sent(order, orders.signed(orders.form_of(order)))
    EvidenceFile.objects.filter(pk=report.file_id).update(scan=ScanState.INFECTED)

    signature_verdicts.validate(report.pk, at=NOW)

    report.refresh_from_db()
    assert (report.verdict, report.code) == (Verdict.REFUSED, "file-unfit")


@pytest.mark.parametrize(
    ("name", "content"),
    [("modulo.pdf", b""), ("modulo.p7m", b"junk"), ("modulo.pdf", b"MZ" + b"0" * 99), ("modulo.zip", b"PK\x03\x04")],
)
def test_what_is_no_signed_file_is_refused_at_the_door(order, name, content):
    orders.form_of(order)

    with pytest.raises((FileTypeRefused, FileEncrypted, Exception)) as refusal:
        signature.receive_signed(order, name=name, content=content, at=NOW)
    assert hasattr(refusal.value, "reason_code")
    assert not SignatureReport.objects.exists()


def test_events_and_mails_name_nobody(order):
    orders.judged(order, orders.signed(orders.form_of(order)))

    said = str(list(Event.objects.values())) + str(list(OutboxMessage.objects.values_list("context", flat=True)))
    assert "BNCGLI85C41F205O" not in said
    assert {"smime.form-made", "smime.form-received", "smime.signature-judged"} <= set(
        Event.objects.values_list("verb", flat=True)
    )
