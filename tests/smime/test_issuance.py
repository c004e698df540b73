"""From approval to certificate: once, whatever dies on the way, with the password in a mail and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cms import ca
from cms.models import Event, Stock
from pki.caa import Answer, Record
from pki.errors import GatewayRefused, GatewayUnavailable, OutcomeUnknown
from smime.models import CaOrder, IssuanceLook, KeyBundle, KeyVault, SmimeCertificate
from smime.services import admission, issuance
from tests.authority.founding import found
from tests.smime.issuing import LATER, Away, Failing, Willing, carry_out, opened, password_of, ready, refused_by
from tests.smime.mailed import mails

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    with admission.asking(Willing()):
        yield


@pytest.mark.parametrize("validation", ["mv", "ov", "sv", "iv"])
def test_an_approved_order_becomes_a_bundle_that_opens_with_the_mailed_password(validation, tmp_path):
    order = ready(validation)
    assert carry_out(order).state == "done"

    order.refresh_from_db()
    certificate = order.certificates.get()
    assert (order.state, certificate.status, certificate.edition) == ("issued", "active", 1)
    assert certificate.not_after - certificate.not_before == timedelta(days=365, seconds=-1)
    assert certificate.lint["findings"] == []
    text = opened(order, tmp_path)
    assert text.count("BEGIN CERTIFICATE") == 3
    assert "PRIVATE KEY" in text


def test_the_key_leaves_the_vault_and_the_unit_the_stock():
    order = ready()
    carry_out(order)

    assert KeyVault.objects.count() == 0
    counter = Stock.objects.get()
    assert (counter.free, counter.reserved) == (0, 0)
    assert Event.objects.filter(verb="smime.issued", case_code=order.code).count() == 1


def test_the_password_goes_to_the_recipient_alone():
    order = ready()
    carry_out(order)

    (mail,) = mails(order, "smime-issued")
    assert mail.recipient == order.mailbox
    password = password_of(order)
    assert len(password.replace("-", "")) == 25
    assert password not in str(mail.context)


def test_twice_is_once():
    order = ready()
    carry_out(order)
    carry_out(order, at=LATER + MINUTE)
    issuance.carry_out_due(at=LATER + DAY)

    assert (SmimeCertificate.objects.count(), len(mails(order, "smime-issued"))) == (1, 1)


@pytest.mark.parametrize(("failure", "acts"), [(GatewayUnavailable("away"), False), (OutcomeUnknown("lost"), True)])
def test_a_ca_that_is_away_or_whose_answer_is_lost_issues_once(failure, acts, tmp_path):
    order = ready()
    with ca.installed(Failing(ca.gateway(), failure, acts=acts)):
        assert carry_out(order).last_error == failure.code
        sealed = KeyVault.objects.get().spki_sha256
        assert carry_out(order, at=LATER + DAY).state == "done"

    assert SmimeCertificate.objects.get().spki_sha256 == sealed
    assert "PRIVATE KEY" in opened(order, tmp_path)


def test_dying_between_answer_and_storage_costs_nothing(tmp_path):
    order = ready()
    row = CaOrder.objects.get(order=order, kind="issue")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(row)
    assert (SmimeCertificate.objects.count(), KeyBundle.objects.count(), len(mails(order, "smime-issued"))) == (0, 0, 0)

    assert carry_out(order, at=LATER + DAY).state == "done"
    assert "PRIVATE KEY" in opened(order, tmp_path)


def _interrupted(row) -> None:
    """The worker is killed with the CA's answer in its hands."""

    class Dying(Failing):
        def trust_anchors(self):
            raise KeyboardInterrupt

    with ca.installed(Dying(ca.gateway(), acts=True)):
        issuance.carry_out(row.pk, at=LATER)


def test_evidence_that_grew_too_old_sends_the_order_back_and_asks_again():
    order = ready()
    assert carry_out(order, at=LATER + 29 * DAY).state == "cancelled"

    order.refresh_from_db()
    assert order.state == "checking"
    assert order.checks.get(kind="mailbox").state == "waiting-customer"
    assert len(mails(order, "smime-verify-mailbox")) == 2
    assert KeyVault.objects.count() == 0


def test_a_domain_that_names_others_is_asked_again_later_and_nothing_is_signed():
    order = ready()

    class Foreign:
        def caa(self, _domain):
            return Answer(records=(Record(0, "issuemail", "other.example.net"),), secure=True, ttl=300)

    with admission.asking(Foreign()):
        row = carry_out(order)
    assert (row.state, row.last_error) == ("planned", "caa-issuer-foreign")
    assert (KeyVault.objects.count(), SmimeCertificate.objects.count()) == (0, 0)
    assert [look.allowed for look in IssuanceLook.objects.all()] == [False]

    assert carry_out(order, at=LATER + timedelta(hours=2)).state == "done"


def test_what_an_officer_rejected_meanwhile_is_revoked_and_handed_to_nobody():
    order = ready()
    row = CaOrder.objects.get(order=order, kind="issue")

    class Slow(Failing):
        def issue(self, request, *, at):
            answer = self.gateway.issue(request, at=at)
            order.refresh_from_db()
            order.reject(reason="dati errati", at=at)
            order.save()
            return answer

    with ca.installed(Slow(ca.gateway(), acts=True)):
        issuance.carry_out(row.pk, at=LATER)

    certificate = SmimeCertificate.objects.get()
    assert certificate.ca_orders.filter(kind="revoke", ground="misissuance").exists()
    assert (KeyBundle.objects.count(), KeyVault.objects.count(), len(mails(order, "smime-issued"))) == (0, 0, 0)


class TestAskedAgain:
    """What held when the CA was first asked must hold when it is asked again."""

    def test_nothing_is_issued_for_an_order_rejected_meanwhile_and_its_slot_comes_back_afterwards(self):
        order = ready()
        order.slot.take()
        order.slot.save()
        with ca.installed(Away(ca.gateway())):
            assert carry_out(order).state == "sent"
        refused_by(order)
        order.slot.refresh_from_db()
        assert order.slot.state == "used"

        assert carry_out(order, at=LATER + DAY).state == "cancelled"
        order.slot.refresh_from_db()
        assert (SmimeCertificate.objects.count(), order.slot.state, KeyVault.objects.count()) == (0, "free", 0)
        assert (Stock.objects.get().free, Stock.objects.get().reserved) == (0, 1)

    def test_old_evidence_is_renewed_and_nothing_back_dated(self):
        order = ready()
        with ca.installed(Away(ca.gateway())):
            carry_out(order)
        assert carry_out(order, at=LATER + 40 * DAY).state == "cancelled"
        order.refresh_from_db()
        assert (order.state, SmimeCertificate.objects.count()) == ("checking", 0)

    def test_after_hours_the_request_is_made_anew_with_a_life_from_now_on(self):
        order = ready()
        with ca.installed(Away(ca.gateway())):
            first = carry_out(order).uid
        row = carry_out(order, at=LATER + DAY)
        assert (row.state, row.uid != first) == ("done", True)
        assert SmimeCertificate.objects.get().not_before == LATER + DAY
        assert IssuanceLook.objects.count() == 2

    def test_caa_is_looked_at_each_time(self):
        order = ready()
        with ca.installed(Away(ca.gateway())):
            carry_out(order)

        class Foreign:
            def caa(self, _domain):
                return Answer(records=(Record(0, "issuemail", ";"),), secure=True, ttl=300)

        with admission.asking(Foreign()):
            assert carry_out(order, at=LATER + MINUTE).last_error == "caa-issuer-foreign"
        assert SmimeCertificate.objects.count() == 0


class TestRefused:
    """What the CA or the gate refuses leaves a way on."""

    def test_a_first_certificate_s_order_goes_back_to_its_checks(self):
        order = ready()
        with ca.installed(Failing(ca.gateway(), GatewayRefused("no"), acts=False)):
            assert carry_out(order).state == "refused"
        order.refresh_from_db()
        assert (order.state, KeyVault.objects.count()) == ("checking", 0)
        assert Event.objects.get(verb="smime.issuance-refused").reason == "ca-refused"

    def test_one_key_is_certified_once_even_while_the_ca_is_away_and_stops_nobody_else(self):
        csr = _request()
        first, second, third = (
            ready(key_origin="csr", csr=csr),
            ready(key_origin="csr", csr=csr),
            ready(key_kind="ec-p256"),
        )
        with ca.installed(Away(ca.gateway())):
            assert [carry_out(each).state for each in (first, second)] == ["sent", "refused"]
        assert CaOrder.objects.get(order=second).last_error == "key-known"
        issuance.carry_out_due(at=LATER + DAY)
        assert sorted(SmimeCertificate.objects.values_list("order", flat=True)) == sorted([first.pk, third.pk])

    def test_a_row_that_cannot_be_carried_out_does_not_stop_the_others(self):
        broken, healthy = ready(key_kind="ec-p256"), ready(key_kind="ec-p256")

        class Breaking(Failing):
            def issue(self, request, *, at):
                if request.subject.email == broken.mailbox:
                    raise ZeroDivisionError
                return self.gateway.issue(request, at=at)

        with ca.installed(Breaking(ca.gateway(), acts=True)):
            issuance.carry_out_due(at=LATER)
        assert SmimeCertificate.objects.get().order == healthy


def _request() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
