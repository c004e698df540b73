"""With `openssl` and our addresses alone, while Redis and the mail server are away: active, held, active, revoked."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from authority import tasks
from authority.models import Crl
from authority.services import ceremony
from pki.gateway import RevocationReason, Validity
from tests.authority import asking
from tests.authority.founding import FOUNDED
from tests.flows.linting import Linter
from tests.flows.live import LiveProduct
from tests.flows.programs import lack, run
from tests.flows.relying_party import RelyingParty, crl_address

pytestmark = pytest.mark.skipif(lack("openssl") is not None, reason="openssl is not installed")
NOWHERE = "redis://127.0.0.1:9"


@pytest.fixture
def product(settings):
    """The product on a real port, without Redis and mail."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    settings.REDIS_URL = settings.CELERY_BROKER_URL = NOWHERE
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with LiveProduct() as live:
        settings.BASE_URL = live.address
        yield live


class Reader(RelyingParty):
    """Follows one certificate."""

    def told(self, certificate: bytes, at) -> set[object]:
        """What CRL and OCSP say: accepted or not, and each OCSP answer; with the shard's signature verified first."""
        self._verify_list(certificate)
        said = {self.ocsp(certificate, option, at=at) for option in ("-nonce", "-no_nonce")}
        return {self.verify(certificate, at=at).is_accepted, *said}

    def _verify_list(self, certificate: bytes) -> None:
        leaf = self._store(certificate)
        (self.folder / "shard.crl").write_bytes(self.fetch(crl_address(leaf.certificate)))
        said = run(
            *["openssl", "crl", "-inform", "DER", "-in", "shard.crl", "-noout", "-text", "-CAfile"],
            leaf.issuer,
            folder=self.folder,
        )
        assert "verify OK" in said.stderr
        assert f"URI:{crl_address(leaf.certificate)}" in said.stdout  # the distribution point that it speaks for


def test_a_reader_follows_a_certificate_of_each_ca_through_its_life(committed_gateway, clock, product, tmp_path):
    gateway = committed_gateway
    reader = Reader(
        tmp_path / "reader",
        gateway.trust_anchors()[0],
        moved=(ceremony.DEFAULT_BASE_URL, f"{product.address}/pki"),
    )
    validity = Validity(FOUNDED, FOUNDED + timedelta(days=800))
    trio = [gateway.issue(asking.request(profile, validity=validity), at=FOUNDED) for profile in asking.ROLES]

    def after(minutes, order=None):
        """Give an order for each, let the publisher run, and ask."""
        clock.instant = FOUNDED + timedelta(minutes=minutes)
        for answer in trio if order else ():
            order(answer.ref, request_id=uuid4(), at=clock.instant)
        tasks.publish_crls()
        clock.instant += timedelta(seconds=5)
        return [reader.told(answer.certificate, clock.instant) for answer in trio]

    def revoke(ref, **order):
        gateway.revoke(ref, reason=RevocationReason.CESSATION_OF_OPERATION, **order)

    assert after(1) == [{True, "good"}] * 3
    assert after(2, gateway.hold) == [{False, "revoked certificateHold"}] * 3
    assert after(3, gateway.release) == [{True, "good"}] * 3
    assert after(4, revoke) == [{False, "revoked cessationOfOperation"}] * 3
    assert Crl.objects.filter(number__gt=0).count() == 7
    _assert_clean(product, tmp_path)
    assert set(product.statuses) == {200}


def _assert_clean(product: LiveProduct, tmp_path) -> None:
    """Every list and every answer that was served passes pkilint's own tools too."""
    linter = Linter(tmp_path / "linted")
    for der in product.answers["application/pkix-crl"]:
        linter.crl(der)
    for der in product.answers["application/ocsp-response"]:
        linter.ocsp(der)
    assert linter.found == []
    assert linter.seen >= 4 * 2 * (2 + 2)
