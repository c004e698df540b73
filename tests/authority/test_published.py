"""What relying parties read of a certificate follows the ledger: at once by OCSP, with the next list by CRL."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from authority.services import publication
from pki.gateway import CertificateRef, RevocationReason, StatusKind
from pki.published import PublicationReader, Published
from tests.authority import asking

LATER = asking.AT + timedelta(minutes=1)


def seen(gateway, issued, at=LATER):
    told = gateway.published(issued.ref, at=at)
    return told.crl.kind if told.crl else None, told.ocsp.kind if told.ocsp else None


def test_the_embedded_ca_can_be_read(gateway):
    assert isinstance(gateway, PublicationReader)


def test_a_hold_and_a_revocation_are_seen_by_ocsp_at_once_and_by_the_next_crl(committed_gateway):
    gateway = committed_gateway
    issued = gateway.issue(asking.request(), at=asking.AT)
    publication.publish_due(asking.AT)
    assert seen(gateway, issued) == (StatusKind.GOOD, StatusKind.GOOD)

    gateway.hold(issued.ref, request_id=uuid4(), at=LATER)
    assert seen(gateway, issued) == (StatusKind.GOOD, StatusKind.HELD)
    publication.publish_due(LATER)
    assert seen(gateway, issued) == (StatusKind.HELD, StatusKind.HELD)

    gateway.revoke(issued.ref, reason=RevocationReason.KEY_COMPROMISE, request_id=uuid4(), at=LATER)
    publication.publish_due(LATER + timedelta(seconds=1))
    told = gateway.published(issued.ref, at=LATER + timedelta(seconds=2))
    assert (told.crl.kind, told.ocsp.kind) == (StatusKind.REVOKED, StatusKind.REVOKED)
    assert told.crl.reason == told.ocsp.reason == "keyCompromise"


def test_nothing_is_published_of_a_certificate_that_is_not_ours(gateway, issued):
    stranger = CertificateRef(issued.ref.issuer_key_id, issued.ref.serial + 1)

    assert gateway.published(stranger, at=LATER) == Published()
