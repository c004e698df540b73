"""Register, CA, CRL and OCSP side by side: what contradicts the register is found, and said to be on its way or not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cms import ca as configured
from cms.actors import SYSTEM
from cms.services import certificates, requests
from cms.services.standing import our_issuers, standing_of
from cms.states import HoldCause
from pki.errors import GatewayUnavailable
from pki.fake import FakeAuthority
from pki.gateway import CertificateStatus, StatusKind
from pki.published import Published
from tests.renewals import quick
from tests.renewals.conftest import NOW


class Publisher(FakeAuthority):
    """A CA whose list and responder say what they are told to say, or do not answer."""

    crl = ocsp = StatusKind.GOOD
    is_away = False

    def published(self, ref, *, at):
        if self.is_away:
            raise GatewayUnavailable("away")
        return Published(CertificateStatus(self.crl), at, CertificateStatus(self.ocsp))


@pytest.fixture
def ca():
    with configured.installed(Publisher()) as fake:
        yield fake


@pytest.fixture
def half(world):
    return quick.opened(world, 1).old_pair.certificates.select_related("pair").first()


def seen(half, at=NOW):
    half.refresh_from_db()
    return standing_of(half, at=at, ours=our_issuers())


def kinds(standing):
    return {sight.source: sight.kind for sight in standing.sights}


def test_where_all_agree_nothing_drifts(half):
    standing = seen(half)

    assert set(kinds(standing).values()) == {StatusKind.GOOD}
    assert not standing.drifts
    assert standing.is_ours


def test_a_list_that_lags_behind_is_an_alarm_only_after_minutes(world, half):
    certificates.place_hold(half, HoldCause.OPERATOR, days=120, actor=SYSTEM, at=NOW)
    asked = seen(half)
    requests.carry_out_due(at=NOW)
    world.ca.ocsp = StatusKind.HELD

    just_done, standing = seen(half), seen(half, at=NOW + timedelta(minutes=6))

    assert (asked.is_changing, asked.drifts) == (True, False)
    assert (just_done.is_changing, just_done.drifts) == (True, True)
    assert kinds(standing) == {
        "register": StatusKind.HELD,
        "ca": StatusKind.HELD,
        "crl": StatusKind.GOOD,
        "ocsp": StatusKind.HELD,
    }
    assert [sight.source for sight in standing.sights if sight.drifts] == ["crl"]
    assert not standing.is_changing
    world.ca.crl = StatusKind.HELD
    assert not seen(half).is_changing


def test_a_source_that_does_not_answer_is_no_drift(world, half):
    world.ca.is_away = True

    standing = seen(half)

    assert kinds(standing)["crl"] is kinds(standing)["ocsp"] is None
    assert not standing.drifts


def test_a_ca_without_publications_to_read_leaves_them_open(half):
    with configured.installed(FakeAuthority()):
        standing = standing_of(half, at=NOW, ours=frozenset({half.issuer_key_id}))

    assert kinds(standing)["crl"] is kinds(standing)["ocsp"] is None


def test_another_cas_certificate_is_not_asked_about(half):
    standing = standing_of(half, at=NOW, ours=frozenset({"00" * 20}))

    assert not standing.is_ours
    assert kinds(standing)["ca"] is None
    assert not standing.drifts
