"""S/MIME in the demo: a service that sells the four types, a customer with activations, signers whom a list trusts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction

from cms.actors import IMPORTER
from cms.models import Agreement, Centre, Service, User
from cms.services import stock
from cms.states import SMIME_TYPES, ApprovalMode, Flow
from config.demo import trust_scheme
from config.demo.outside import CUSTOMER, SIGNER_CERTIFICATE, SIGNER_KEY
from config.demo.population import STOCKED_BEFORE, demo_centre
from config.demo.staff import STAFF
from smime.models import Slot
from smime.services import slots
from smime.states import Validation

SERVICE = "smime"
FRESH = timedelta(days=30)
UNITS, CREDITED, TERM_DAYS = 20, 2, 365


def settle(*, password: str, at: datetime) -> None:
    """Let the demo's centre sell S/MIME, and its customer have activations of each type; twice is once."""
    centre = demo_centre()
    service = _service(centre, at)
    customer = _customer(password)
    manager = User.objects.get(email=STAFF[1].email)
    for validation in Validation:
        reference = f"demo-{validation.value}"
        if not Slot.objects.filter(owner=customer, reference=reference).exists():
            slots.credit_slots(
                email=customer.email,
                full_name=customer.full_name,
                centre_id=centre.pk,
                service_id=service.pk,
                validation=validation.value,
                term_days=TERM_DAYS,
                quantity=CREDITED,
                reference=reference,
                operator=manager,
                now=at,
            )


def write_lists(folder: Path, *, at: datetime) -> None:
    """Found a trust scheme, publish its lists in `folder`, and give the customer a qualified signature in it.

    Lists live for months and revocation lists for weeks: what was founded not long ago is left as it is.
    """
    mark = folder / SIGNER_KEY
    if mark.exists() and at.timestamp() - mark.stat().st_mtime < FRESH.total_seconds():
        return
    scheme = trust_scheme.found(at)
    scheme.write(folder, at=at)
    wish = trust_scheme.Wish(CUSTOMER.given_name, CUSTOMER.surname, f"TINIT-{CUSTOMER.tax_code}")
    signer = scheme.signer(wish, at=at)
    key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_private(folder / SIGNER_KEY, key)
    chain = [signer.certificate, scheme.authority.certificate]
    (folder / SIGNER_CERTIFICATE).write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))


@transaction.atomic
def _service(centre: Centre, at: datetime) -> Service:
    types = [type_.value for type_ in SMIME_TYPES]
    # Behind the services of cards in the alphabet: whoever takes the first that is offered finds renewals there.
    values = {"name": "S/MIME", "flow": Flow.SMIME, "types": types}
    service, _ = Service.objects.get_or_create(code=SERVICE, defaults=values)
    Agreement.objects.get_or_create(centre=centre, service=service, defaults={"approval": ApprovalMode.AUTOMATIC})
    for type_ in types:
        stock.purchase(
            centre_id=centre.pk,
            service_id=service.pk,
            type_=type_,
            quantity=UNITS,
            reference=f"demo-{SERVICE}-{type_}",
            actor=IMPORTER,
            at=at - STOCKED_BEFORE,
        )
    return service


@transaction.atomic
def _customer(password: str) -> User:
    user = User.objects.filter(email=CUSTOMER.email).first()
    if user is None:
        user = User.objects.create_user(CUSTOMER.email, password, full_name=CUSTOMER.full_name)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
