"""Suspending and revoking S/MIME certificates: once, in time, seen by whoever asks CRL or OCSP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authority.services import publication
from cms import ca
from cms.actors import SYSTEM
from cms.models import Event
from pki.errors import GatewayUnavailable
from smime import policy_revocation
from smime.errors import revocation as errors
from smime.models import CaOrder, Order, SmimeCertificate
from smime.services import admission, issuance, revocation
from smime.states import RevocationGround
from tests.authority import lists
from tests.authority.founding import found
from tests.smime.issuing import LATER, Willing, ready
from tests.smime.mailed import mails

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def authority(committed, settings):
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    found()
    with admission.asking(Willing()):
        yield


@pytest.fixture
def certificate() -> SmimeCertificate:
    return issued(ready("mv", key_kind="ec-p256"))


def issued(order: Order) -> SmimeCertificate:
    issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
    return order.certificates.get()


def revoke(certificate, ground=RevocationGround.KEY_COMPROMISE, *, at=LATER):
    row = revocation.request_revocation(certificate.pk, ground=ground, actor=SYSTEM, now=at)
    return revocation.carry_out(row.pk, at=at)


def test_a_revocation_is_final_published_and_told_once(certificate):
    assert revoke(certificate).state == "done"
    assert revoke(certificate, RevocationGround.MISUSE, at=LATER + HOUR).ground == "key-compromise"

    certificate.refresh_from_db()
    assert (certificate.status, certificate.ground, certificate.revoked_at) == ("revoked", "key-compromise", LATER)
    assert Event.objects.filter(verb="smime.revoked").count() == 1
    assert [mail.recipient for mail in mails(certificate.order, "smime-revoked")] == [certificate.order.mailbox]
    with pytest.raises(errors.CertificateFinal):
        revocation.request_hold(certificate.pk, actor=SYSTEM, now=LATER)


def test_whoever_reads_the_list_sees_it(certificate):
    revoke(certificate)
    publication.publish_due(LATER + timedelta(minutes=1))
    serial = int(certificate.serial, 16)
    for year in (None, certificate.not_before.year):
        assert lists.crl("smime", year).get_revoked_certificate_by_serial_number(serial) is not None


@pytest.mark.parametrize("ground", list(RevocationGround))
def test_each_ground_has_a_reason_and_a_clock(ground, certificate):
    row = revocation.request_revocation(certificate.pk, ground=ground, actor=SYSTEM, now=LATER)
    urgent = {"subscriber-request", "unauthorised-request", "key-compromise", "mailbox-unreliable"}
    assert row.due_by - LATER == (DAY if ground in urgent else 5 * DAY)
    assert policy_revocation.REASON_OF[ground]


def test_a_suspension_comes_and_goes(certificate):
    row = revocation.request_hold(certificate.pk, actor=SYSTEM, now=LATER)
    revocation.carry_out(row.pk, at=LATER)
    certificate.refresh_from_db()
    assert (certificate.status, certificate.held_at) == ("held", LATER)

    row = revocation.request_release(certificate.pk, actor=SYSTEM, now=LATER + HOUR)
    revocation.carry_out(row.pk, at=LATER + HOUR)
    certificate.refresh_from_db()
    assert (certificate.status, certificate.held_at) == ("active", None)


def test_a_strict_certificate_is_never_suspended():
    strict = issued(ready("mv", key_kind="ec-p256", generation="strict"))
    with pytest.raises(errors.HoldNotAllowed):
        revocation.request_hold(strict.pk, actor=SYSTEM, now=LATER)
    assert revoke(strict).state == "done"


def test_a_ca_that_is_away_is_asked_again(certificate):
    class Away:
        def __getattr__(self, name):
            raise GatewayUnavailable("away")

    row = revocation.request_revocation(certificate.pk, ground=RevocationGround.KEY_COMPROMISE, actor=SYSTEM, now=LATER)
    with ca.installed(Away()):
        assert revocation.carry_out(row.pk, at=LATER).last_error == "ca-unavailable"
    assert revocation.carry_out_due(at=LATER) == 0
    assert revocation.carry_out_due(at=LATER + HOUR) == 1
    certificate.refresh_from_db()
    assert certificate.status == "revoked"
