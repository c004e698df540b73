"""Orders that are ready to be issued, with stock under their slot and a resolver that lets everybody."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta

from cms.models import Membership, User
from notifications.models import OutboxMessage
from pki.caa import Answer
from pki.errors import GatewayUnavailable
from runtime import sealing
from smime.models import CaOrder, Check, KeyBundle, Order
from smime.services import checks, desk, issuance
from tests.smime.mailed import NOW, order_of
from tests.smime.stocked import stocked

MINUTE = timedelta(minutes=1)
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


def carry_out(order, *, at=LATER) -> CaOrder:
    """Ask the CA for the order's first certificate, as a worker does."""
    return issuance.carry_out(CaOrder.objects.get(order=order, kind="issue").pk, at=at)


def opened(order, tmp_path) -> str:
    """What OpenSSL reads in the order's .p12 with the mailed password."""
    bundle = KeyBundle.objects.get(certificate__order=order)
    file = tmp_path / "certificate.p12"
    file.write_bytes(sealing.unseal(bundle.sealed, context=bundle.sealing_context))
    command = ["openssl", "pkcs12", "-in", file, "-passin", f"pass:{password_of(order)}", "-nodes"]
    if bundle.format == "compatible":
        command.append("-legacy")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Failing:
    """The real CA behind a line that breaks before or after it has acted, a number of times."""

    def __init__(self, gateway, *failures, acts):
        self.gateway, self.failures, self.acts = gateway, list(failures), acts

    def __getattr__(self, name):
        return getattr(self.gateway, name)

    def issue(self, request, *, at):
        if self.acts or not self.failures:
            answer = self.gateway.issue(request, at=at)
        if self.failures:
            raise self.failures.pop(0)
        return answer


class Away:
    """A CA that answers nothing but look-ups, of the real one's ledger."""

    def __init__(self, gateway):
        self.gateway = gateway

    def __getattr__(self, name):
        return getattr(self.gateway, name)

    def issue(self, request, *, at):
        raise GatewayUnavailable("away")


def refused_by(order, *, reason="dati errati"):
    """An officer rejects the order through the desk."""
    officer = User.objects.create_user("ufficio@cdrl.example.org", full_name="Ugo Ufficio", is_staff=True)
    Membership.objects.create(user=officer, centre_id=order.centre_id, role="operator")
    desk.reject_order(order.uid, reason=reason, operator=officer, now=LATER + MINUTE)
