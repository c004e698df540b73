"""From approval to certificate: once, whatever dies on the way, with the password in a mail and nowhere else."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest

from cms import ca
from cms.models import Event, Stock
from pki.caa import Answer, Record
from pki.errors import GatewayUnavailable, OutcomeUnknown
from runtime import sealing
from smime.models import CaOrder, IssuanceLook, KeyBundle, KeyVault, SmimeCertificate
from smime.services import admission, issuance
from tests.authority.founding import found
from tests.smime.issuing import LATER, Willing, password_of, ready
from tests.smime.mailed import mails

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    with admission.asking(Willing()):
        yield


def carry_out(order, *, at=LATER) -> CaOrder:
    return issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=at)


def opened(order, tmp_path) -> str:
    bundle = KeyBundle.objects.get(certificate__order=order)
    file = tmp_path / "certificate.p12"
    file.write_bytes(sealing.unseal(bundle.sealed, context=bundle.sealing_context))
    command = ["openssl", "pkcs12", "-in", file, "-passin", f"pass:{password_of(order)}", "-nodes"]
    if bundle.format == "compatible":
        command.append("-legacy")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


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


class Failing:
    """The real CA behind a line that breaks before or after it has acted, a number of times."""

    def __init__(self, gateway, *failures, acts):
        self.gateway, self.failures, self.acts = gateway, list(failures), acts

    def __getattr__(self, name):
        return getattr(self.gateway, name)

    def issue(self, request, *, at):
        if self.acts or not self.failures:
            answer = self.gateway.issue(request, at=at)
        if self.failures:
            raise self.failures.pop(0)
        return answer


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
