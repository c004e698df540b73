"""Orders that are ready to be issued, with stock under their slot and a resolver that lets everybody."""

from __future__ import annotations

import json
from datetime import timedelta

from notifications.models import OutboxMessage
from pki.caa import Answer
from runtime import sealing
from smime.models import Check, Order
from smime.services import checks
from tests.smime.mailed import NOW, order_of
from tests.smime.stocked import stocked

LATER = NOW + timedelta(hours=1)
SOON = {
    "organisation_name": "Azienda di Esempio S.r.l.",
    "organisation_identifier": "VATIT-07643520567",
    "country": "IT",
}


class Willing:
    """No name has CAA records."""

    def caa(self, _domain: str) -> Answer:
        return Answer(secure=True, ttl=300)


def ready(validation: str = "mv", **fields) -> Order:
    """An order whose checks have all passed at `LATER`; a person has approved it where one must."""
    facts = (SOON if validation in {"ov", "sv"} else {}) | fields
    order = stocked(order_of(validation, **facts))
    for kind in [check.kind for check in order.checks.order_by("pk")]:
        check = Check.objects.select_related("order").get(order=order, kind=kind)
        if check.state != "passed":
            checks.pass_check(check, at=LATER, method="SBR")
    order.refresh_from_db()
    if order.state == "checking":
        checks.approve(order, officer_id=7, at=LATER)
        order.refresh_from_db()
    return order


def password_of(order: Order) -> str:
    """The password that was mailed to the recipient, as only he sees it."""
    mail = OutboxMessage.objects.filter(case_code=order.code, kind="smime-issued").latest("pk")
    return str(json.loads(sealing.unseal(mail.sealed_context, context=mail.seal_context))["p12_password"])
