"""An order whose certificate no longer stands: no page of the customer takes it for a valid one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from authority.services import publication
from cms.actors import SYSTEM
from smime.models import CaOrder, SmimeCertificate
from smime.services import admission, issuance, revocation
from smime.states import RevocationGround
from tests.authority.founding import found
from tests.smime.issuing import LATER, Willing, ready

SECOND = timedelta(seconds=1)


@pytest.fixture
def certificate(committed, settings, clock) -> SmimeCertificate:
    settings.SMIME = settings.SMIME.model_copy(update={"bundle_iterations": 2000})
    clock.instant = LATER
    found()
    with admission.asking(Willing()):
        order = ready("mv", key_kind="ec-p256")
        issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=LATER)
        return order.certificates.get()


def pages_of(certificate) -> tuple[str, str, str]:
    """Its order, the dashboard, the list of orders."""
    client = Client()
    client.force_login(certificate.order.buyer)
    addresses = (
        reverse("smime:order", kwargs={"uid": certificate.order.uid}),
        reverse("smime:dashboard"),
        reverse("smime:orders"),
    )
    order, dashboard, orders = (client.get(address).content.decode() for address in addresses)
    return order, dashboard, orders


def test_a_certificate_that_stands_is_said_to_be_valid(certificate):
    order, dashboard, orders = pages_of(certificate)
    assert "<h1>Certificato emesso</h1>" in order
    assert all("Valido fino a" in page and "Revocato" not in page for page in (dashboard, orders))


def test_a_revoked_one_is_said_to_be_revoked_since_when_and_why_and_nowhere_valid(certificate):
    asked = revocation.request_revocation(
        certificate.pk, ground=RevocationGround.SUBSCRIBER_REQUEST, actor=SYSTEM, now=LATER
    )
    revocation.carry_out(asked.pk, at=LATER)
    publication.publish_due(at=LATER)

    order, dashboard, orders = pages_of(certificate)
    assert "<h1>Certificato revocato</h1>" in order
    assert "Richiesta del titolare" in order
    for page in (order, dashboard, orders):
        assert '<span class="badge danger">Revocato</span>' in page
        assert '<span class="badge ok">' not in page
    for page in (dashboard, orders):
        assert "Valido fino a" not in page


def test_an_expired_one_is_said_to_be_expired_after_its_last_second(certificate, clock):
    clock.instant = certificate.not_after
    assert "<h1>Certificato emesso</h1>" in pages_of(certificate)[0]
    clock.instant = certificate.not_after + SECOND
    order, dashboard, _orders = pages_of(certificate)
    assert "<h1>Certificato scaduto</h1>" in order
    assert '<span class="badge neutral">Scaduto</span>' in dashboard
