"""Every S/MIME mail of the catalogue is posted by something that really happens to an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cms.actors import SYSTEM
from cms.models import Agreement, Centre, Membership, Service, Stock, User
from cms.states import Flow, Role
from notifications.catalog import Message
from notifications.models import OutboxMessage
from smime.models import CaOrder, Order
from smime.services import (
    addresses,
    admission,
    bundles,
    checks,
    desk,
    evidence,
    idp,
    issuance,
    reminders,
    revocation,
    slots,
)
from smime.states import CheckKind, RevocationGround
from tests.authority.founding import found
from tests.smime import identified
from tests.smime.customers import submitted
from tests.smime.desk import office
from tests.smime.issuing import LATER, Willing, ready
from tests.smime.mailed import NOW, check_of, order_of
from tests.smime.provider import FakeProvider
from tests.smime.signature import orders as alternative
from tests.smime.test_attestation import Says


@pytest.fixture
def stage(committed, settings, tmp_path):
    """A founded CA, domains that let everybody, a provider in memory."""
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    provider = FakeProvider()
    with admission.asking(Willing()), idp.installed(provider):
        yield SimpleNamespace(provider=provider, folder=tmp_path, settings=settings)


def mailbox_is_to_be_confirmed(_stage) -> None:
    submitted("mv")


def mailbox_is_confirmed(_stage) -> None:
    checks.pass_check(check_of(submitted("iv"), CheckKind.MAILBOX), at=NOW, method="prova")


def consent_is_given(_stage) -> Order:
    order = order_of("iv")
    for kind in (CheckKind.MAILBOX, CheckKind.CONSENT):
        checks.pass_check(check_of(order, kind), at=NOW, method="prova")
    checks.begin(check_of(order, CheckKind.IDENTITY), at=NOW)
    identified.work(NOW)
    return order


def provider_denies_once(stage) -> Order:
    order = consent_is_given(stage)
    identified.start(order)
    identified.ends(order, stage.provider, "denied", LATER)
    return order


def officer_compares_the_face(stage) -> None:
    order = consent_is_given(stage)
    identified.start(order)
    identified.ends(order, stage.provider, "approved", LATER)
    attempt = order.attempts_made.get()
    for photo in order.files.all():
        evidence.scan(photo.pk, at=LATER, scanner=Says())
    desk.decide_identification(
        attempt.pk,
        outcome="accepted",
        document=office.CARD,
        ticked=("face", "data"),
        operator=office.officer(order),
        now=office.LATER,
    )


def the_other_way_is_open(_stage) -> Order:
    return alternative.order_of()


def signed_form_arrives(stage) -> None:
    order = the_other_way_is_open(stage)
    alternative.sent(order, alternative.form_of(order))


def organisation_is_to_be_verified(_stage) -> None:
    office.ordered("ov")


def officer_asks_for_papers(_stage) -> None:
    order = office.ordered("ov")
    office.record(order, "organisation", office.officer(order), outcome="papers", reason="Manca la visura.")


def officer_rejects(_stage) -> None:
    order = office.ordered("ov")
    desk.reject_order(order.uid, reason="Non risulta attiva.", operator=office.officer(order), now=office.LATER)


def certificate_is_issued(_stage, **fields) -> Order:
    order = ready("mv", key_kind="ec-p256", **fields)
    issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    order.refresh_from_db()
    return order


def certificate_is_issued_for_the_customers_key(stage) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    certificate_is_issued(stage, key_origin="csr", csr=request.public_bytes(Encoding.DER))


def certificate_with_another_technical_contact(stage) -> None:
    certificate_is_issued(stage, technical_email="tecnico@azienda.example.org")


def certificate_is_about_to_expire(stage) -> None:
    certificate = certificate_is_issued(stage).certificates.get()
    reminders.tell_due(at=certificate.not_after - timedelta(days=10))


def certificate_is_revoked(stage) -> None:
    certificate = certificate_is_issued(stage).certificates.get()
    ground = RevocationGround.KEY_COMPROMISE
    row = revocation.request_revocation(certificate.pk, ground=ground, actor=SYSTEM, now=LATER)
    revocation.carry_out(row.pk, at=LATER)


def buyer_adds_an_address(_stage) -> None:
    addresses.ask("altra@posta.example.org", buyer=submitted("mv").buyer, now=NOW)


def activations_are_bought(_stage) -> None:
    centre = Centre.objects.create(code="cdrl", name="Ordine di Esempio", email="cdrl@cdrl.example.org")
    service = Service.objects.create(code="smime", name="S/MIME", flow=Flow.SMIME, types=["smime-mv"])
    Agreement.objects.create(centre=centre, service=service, approval="automatic")
    Stock.objects.create(centre=centre, service=service, type="smime-mv", free=1)
    manager = User.objects.create_user("capo@cdrl.example.org", full_name="Mara Capo", is_staff=True)
    Membership.objects.create(user=manager, centre=centre, role=Role.MANAGER)
    slots.credit_slots(
        email="cliente@azienda.example.org",
        full_name="Carlo Cliente",
        centre_id=centre.pk,
        service_id=service.pk,
        validation="mv",
        term_days=365,
        quantity=1,
        reference="ordine-1",
        operator=manager,
        now=NOW,
    )


def buyer_asks_for_a_code(stage) -> None:
    order = certificate_is_issued(stage)
    bundles.send_code(order.uid, buyer=order.buyer, now=LATER)


def recipient_is_not_the_buyer(stage) -> None:
    certificate_is_issued(stage, own=False)


def file_is_downloaded(stage) -> None:
    order = certificate_is_issued(stage)
    bundles.deliver(order.uid, buyer=order.buyer, proof="totp", address=None, now=LATER)


CAUSES: dict[Message, Callable[..., object]] = {
    Message.SMIME_VERIFY_MAILBOX: mailbox_is_to_be_confirmed,
    Message.SMIME_CONSENT: mailbox_is_confirmed,
    Message.SMIME_IDENTIFICATION: consent_is_given,
    Message.SMIME_IDENTIFICATION_PASSED: officer_compares_the_face,
    Message.SMIME_IDENTIFICATION_FAILED: provider_denies_once,
    Message.SMIME_ALTERNATIVE: the_other_way_is_open,
    Message.SMIME_FORM_RECEIVED: signed_form_arrives,
    Message.SMIME_ORGANISATION_CHECK: organisation_is_to_be_verified,
    Message.SMIME_PAPERS_MISSING: officer_asks_for_papers,
    Message.SMIME_REFUSED: officer_rejects,
    Message.SMIME_ISSUED: certificate_is_issued,
    Message.SMIME_ISSUED_OWN_KEY: certificate_is_issued_for_the_customers_key,
    Message.SMIME_ISSUED_NOTICE: certificate_with_another_technical_contact,
    Message.SMIME_EXPIRING: certificate_is_about_to_expire,
    Message.SMIME_REVOKED: certificate_is_revoked,
    Message.SMIME_SLOTS_CREDITED: activations_are_bought,
    Message.SMIME_OWN_MAILBOX: buyer_adds_an_address,
    Message.SMIME_DOWNLOAD_CODE: buyer_asks_for_a_code,
    Message.SMIME_DOWNLOAD_LINK: recipient_is_not_the_buyer,
    Message.SMIME_DOWNLOADED: file_is_downloaded,
}


def test_every_entry_has_a_story_and_every_story_an_entry():
    assert set(CAUSES) == {message for message in Message if message.startswith("smime-")}


@pytest.mark.parametrize("message", CAUSES)
def test_it_is_posted_when_this_happens(message, stage):
    assert not OutboxMessage.objects.filter(kind=message).exists()

    CAUSES[message](stage)

    assert OutboxMessage.objects.filter(kind=message).exists()
