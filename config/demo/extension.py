"""The demo's campaign of extension: dates around the seeding, its own stock, the TS-CNS of somebody without mailbox."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from cms.actors import IMPORTER
from cms.models import Agreement, Campaign, Card, Service
from cms.policy import rome_date
from cms.services import stock
from cms.states import ApprovalMode, CertificateType, Flow
from config.demo.population import Person, demo_centre, settle_person

SERVICE, ISSUING, CAMPAIGN = "ts-cns", "ts-cns-estensione", "estensione-ts-cns"
UNITS = 20
AUTHENTICATION = CertificateType.AUTHENTICATION.value
# Past the holders of `population` and of `past`; the card's number is that of the third simulated card.
NUMBER = 90
HOLDER = Person("Nina", "Greco", "GRCNNI62A41F205T", 45, SERVICE, family="ID 2019", reachable=False)


def settle(*, serial: str, csr: bytes, at: datetime) -> None:
    """Open the campaign and register the simulated TS-CNS; what is there already stays as it is."""
    extended, issuing = _agreement(SERVICE, "TS-CNS"), _agreement(ISSUING, "TS-CNS estensione")
    stock.purchase(
        centre_id=issuing.centre_id,
        service_id=issuing.service_id,
        type_=AUTHENTICATION,
        quantity=UNITS,
        reference=f"demo-{ISSUING}",
        actor=IMPORTER,
        at=at,
    )
    _open(extended.service, issuing.service, rome_date(at))
    if not Card.objects.filter(serial=serial).exists():
        settle_person(HOLDER, NUMBER, serial, extended, {(serial, AUTHENTICATION): csr}, at, now=at)


def _open(extended: Service, issuing: Service, today: date) -> None:
    """From a month ago until the day a year from now to which it extends; for cards that expire before that day."""
    target = today + timedelta(days=365)
    days = {"opens_on": today - timedelta(days=30), "cutoff_on": target - timedelta(days=1), "target_on": target}
    services = {"service": extended, "issuing_service": issuing}
    Campaign.objects.get_or_create(code=CAMPAIGN, defaults={"name": "Estensione TS-CNS (demo)", **services, **days})


def _agreement(code: str, name: str) -> Agreement:
    values = {"name": name, "flow": Flow.EXTEND, "types": [AUTHENTICATION]}
    service, _ = Service.objects.get_or_create(code=code, defaults=values)
    # The campaign asks for no authorisation, whatever the centre has agreed.
    terms = {"approval": ApprovalMode.AUTHORISATION}
    agreement, _ = Agreement.objects.get_or_create(centre=demo_centre(), service=service, defaults=terms)
    return agreement
