"""What the pages of S/MIME show: activations, an order under verification, its evidence and its certificate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cms.models import Agreement, Service, Stock
from cms.states import SMIME_TYPES, ApprovalMode, Flow
from smime.models import SmimeCertificate
from smime.services import slots
from tests.panel.town import NOW
from tests.smime.desk import office


def add_smime(town: Any) -> None:
    """A service of S/MIME with its counters, and a customer's activation that nobody has begun with."""
    types = [type_.value for type_ in SMIME_TYPES]
    town.smime = Service.objects.create(code="smime", name="S/MIME", flow=Flow.SMIME, types=types)
    Agreement.objects.create(centre=town.centre, service=town.smime, approval=ApprovalMode.AUTOMATIC)
    for type_ in types:
        Stock.objects.create(centre=town.centre, service=town.smime, type=type_, free=20)
    (town.slot,) = slots.credit_slots(
        email="carlo.cliente@azienda.example.org",
        full_name="Carlo Cliente",
        centre_id=town.centre.pk,
        service_id=town.smime.pk,
        validation="sv",
        term_days=365,
        quantity=1,
        reference="ORD-2026-11",
        operator=town.manager,
        now=NOW,
    )
    before = NOW - timedelta(hours=5)
    town.smime_order = office.ordered("ov", at=before, centre=town.centre, service=town.smime)
    town.smime_paper = office.prove_with_paper(town.smime_order)
    checks = {row.kind: row for row in town.smime_order.checks.all()}
    town.smime_check = checks["authority"]
    office.record(town.smime_order, "organisation", town.manager, at=NOW)
    town.smime_decided = checks["organisation"]
    led = office.ordered("iv", at=before, centre=town.centre, service=town.smime)
    town.smime_led = led.checks.get(kind="identity")
    town.smime_led.path = "signature"  # its two attempts have failed
    town.smime_led.save()
    certificate = SmimeCertificate(order=town.smime_order, edition=1, serial="1f3a", issuer_key_id="ab", der=b"")
    certificate.fingerprint = certificate.spki_sha256 = "0" * 64
    certificate.not_before = certificate.issued_at = before
    certificate.not_after = NOW + timedelta(days=365)
    certificate.save()
