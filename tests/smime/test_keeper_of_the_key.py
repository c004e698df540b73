"""Who will hold the private key: the recipient alone, whatever was chosen first."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from smime import errors
from smime.models import Check
from smime.services import descriptions
from tests.smime.customers import ANNA, NOW, filled_in, submit

pytestmark = pytest.mark.django_db


def upload(order) -> None:
    """The buyer sends a request of a key that he has made."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    descriptions.choose_key(
        order.uid, kind="ec-p256", bundle_format="modern", csr=csr, buyer=order.buyer, now=NOW
    )  # fmt: skip


def test_a_buyer_brings_no_key_for_another_persons_mailbox():
    order = filled_in(own=False)
    with pytest.raises(errors.CsrNotOfRecipient):
        upload(order)
    order.refresh_from_db()
    assert (order.key_origin, order.csr) == ("server", None)


def test_nor_by_naming_the_other_person_afterwards():
    order = filled_in()
    upload(order)
    descriptions.describe_recipient(order.uid, ANNA, is_buyer=False, buyer=order.buyer, now=NOW)
    descriptions.confirm_recipient(order.uid, buyer=order.buyer, now=NOW)

    with pytest.raises(errors.CsrNotOfRecipient):
        submit(order)
    assert not Check.objects.exists()


def test_his_own_key_for_his_own_mailbox_is_taken():
    order = filled_in()
    upload(order)
    assert submit(order).key_origin == "csr"


def test_an_address_taken_from_the_account_before_the_order_is_submitted_is_not_his():
    order = filled_in()
    EmailAddress.objects.filter(user=order.buyer).update(verified=False)

    with pytest.raises(errors.MailboxNotOwn):
        submit(order)
    assert not Check.objects.exists()
