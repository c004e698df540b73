"""Reading the CA's record in slices: the embedded CA, and one that is asked one by one, say the same."""

from __future__ import annotations

from uuid import uuid4

from pki import ledger
from pki.fake import FakeAuthority
from pki.gateway import CertificateRef, RevocationReason, StatusKind
from tests.authority import asking
from tests.authority.asking import AT


def filled(gateway):
    certificates = [gateway.issue(asking.request(private_key=asking.key(f"p-{n}")), at=AT) for n in range(3)]
    gateway.hold(certificates[1].ref, request_id=uuid4(), at=AT)
    gateway.revoke(certificates[2].ref, reason=RevocationReason.SUPERSEDED, request_id=uuid4(), at=AT)
    return [each.ref for each in certificates]


def test_many_statuses_at_once_are_those_of_single_calls(gateway):
    for ca in (gateway, FakeAuthority()):
        refs = filled(ca)
        said = ledger.statuses(ca, [*refs, CertificateRef(refs[0].issuer_key_id, 7), CertificateRef(b"nobody", 8)])

        assert {ref: said[ref] for ref in refs} == {ref: ca.status(ref) for ref in refs}
        others = [status.kind for ref, status in said.items() if ref not in refs]
        assert set(others) <= {StatusKind.UNKNOWN}


def test_slices_are_the_whole_record_in_its_order(gateway):
    for ca in (gateway, FakeAuthority()):
        filled(ca)
        read, position = [], 0
        while found := ledger.ledger_after(ca, position, 2):
            position = found[-1][0]
            read += [line for _, line in found]

        assert read == list(ca.ledger())
