"""The invented people of the demo: a centre with two services, an operator, holders with cards about to expire."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from cms import ca
from cms.actors import IMPORTER
from cms.contacts import Contacts, parse_contacts
from cms.models import Agreement, Card, CardFamily, Centre, Holder, Membership, Pair, Service, User
from cms.services import holders, registration, stock
from cms.services.certificates import PROFILE_OF
from cms.services.registration import CardData
from cms.states import ApprovalMode, CertificateType, Flow
from config.demo.cards import FIRST_TAX_CODE
from config.demo.staff import Colleague
from pki.gateway import IssueRequest, Subject, Validity

ROME = ZoneInfo("Europe/Rome")
REQUESTS = uuid.UUID("6d1f7b0e-0f0a-4f5c-9f52-0d0c5b6a4e11")
TERM_YEARS = 3
UNITS = 50
TYPES = [CertificateType.AUTHENTICATION.value, CertificateType.SIGNATURE.value]


@dataclass(frozen=True, slots=True)
class Person:
    """An invented holder. The pair expires `days` after the seeding; who is not `reachable` has left no contacts."""

    given_name: str
    surname: str
    tax_code: str
    days: int
    service: str
    family: str = "ACe 2021"
    reachable: bool = True


AUTHORISED, AUTOMATIC = "firma-cns", "firma-cns-automatica"
WEBRA, EIDAS = "firma-cns-webra", "firma-cns-eidas"  # what is renewed under WebRA is issued under its successor
# The first two own the simulated cards.
PEOPLE = (
    Person("Marina", "Conti", FIRST_TAX_CODE, 25, AUTHORISED),
    Person("Davide", "Ferri", "FRRDVD79C12H501H", 40, AUTHORISED),
    Person("Giulia", "Moretti", "MRTGLI90A41A944X", 6, AUTHORISED),
    Person("Paolo", "Serra", "SRRPLA68M03B354W", 14, AUTHORISED),
    Person("Chiara", "Valenti", "VLNCHR83L55C351F", 29, AUTOMATIC),
    Person("Enrico", "Bassi", "BSSNRC75D20L736B", 52, AUTOMATIC),
    Person("Teresa", "Amato", "MTATRS71R64F839Q", 75, AUTHORISED),
    Person("Luca", "Pagani", "PGNLCU88E11D612W", 300, AUTHORISED),
    Person("Pietro", "Longo", "LNGPTR65L30A944K", 33, WEBRA),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A service of the centre. `units` of each type are bought where it issues; few of one type make a shelf low."""

    code: str
    name: str
    approval: ApprovalMode = ApprovalMode.AUTHORISATION
    successor: str = ""
    units: tuple[int, ...] = (UNITS, UNITS)


# A successor comes before what it succeeds.
OFFERS = (
    Offer(AUTHORISED, "Firma digitale e CNS", units=(12, UNITS)),
    Offer(AUTOMATIC, "Firma digitale e CNS, rinnovo automatico", ApprovalMode.AUTOMATIC),
    Offer(EIDAS, "Firma digitale e CNS eIDAS"),
    Offer(WEBRA, "Firma digitale e CNS WebRA", successor=EIDAS, units=()),
)
STOCKED_BEFORE = timedelta(days=30)


def settle(*, serials: tuple[str, ...], csrs: Mapping[tuple[str, str], bytes], at: datetime) -> dict[str, Agreement]:
    """Bring everybody into the register, and return the agreements by service; who is there already stays as he is.

    `csrs` holds the requests (DER) of the simulated cards by serial and type; other cards get keys that nobody keeps.
    """
    for issuer in ca.card_issuers():
        registration.pin_issuer(issuer)
    agreements = _agreements(at)
    numbered = [*serials, *(f"74300000000001{number:02d}" for number in range(len(PEOPLE) - len(serials)))]
    for number, (person, serial) in enumerate(zip(PEOPLE, numbered, strict=True)):
        if not Card.objects.filter(serial=serial).exists():
            settle_person(person, number, serial, agreements[person.service], csrs, at, now=at)
    return agreements


@transaction.atomic
def hire(colleague: Colleague, *, password: str, totp_secret: str) -> None:
    """Create an account of the demo with a verified address and a second factor, once."""
    if User.objects.filter(email=colleague.email).exists():
        return
    user = User.objects.create_user(
        colleague.email,
        password,
        full_name=colleague.full_name,
        tax_code=colleague.tax_code,
        is_staff=True,
        is_administrator=not colleague.role,
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    TOTP.activate(user, totp_secret)
    if colleague.role:
        Membership.objects.create(user=user, centre=demo_centre(), role=colleague.role)


@transaction.atomic
def _agreements(at: datetime) -> dict[str, Agreement]:
    """Make centre, services, agreements and stock; return the agreements by service."""
    centre, made = demo_centre(), {}
    for offer in OFFERS:
        successor = Service.objects.filter(code=offer.successor).first()
        values = {"name": offer.name, "types": TYPES, "successor": successor}
        service, _ = Service.objects.get_or_create(code=offer.code, defaults=values)
        made[offer.code], _ = Agreement.objects.get_or_create(
            centre=centre, service=service, defaults={"approval": offer.approval}
        )
        for type_, quantity in zip(TYPES, offer.units, strict=False):
            stock.purchase(
                centre_id=centre.pk,
                service_id=service.pk,
                type_=type_,
                quantity=quantity,
                reference=f"demo-{offer.code}-{type_}",
                actor=IMPORTER,
                at=at - STOCKED_BEFORE,
            )
    return made


def demo_centre() -> Centre:
    """The one centre of the demo."""
    centre, _ = Centre.objects.get_or_create(
        code="cdrl-demo",
        defaults={
            "name": "CDRL Demo Lombardia",
            "email": "cdrl@example.org",
            "phone": "+39 02 5550 0100",
            "purchase_url": "https://www.example.org/rinnovi/",
        },
    )
    return centre


def settle_person(
    person: Person,
    number: int,
    serial: str,
    agreement: Agreement,
    csrs: Mapping[tuple[str, str], bytes],
    at: datetime,
    *,
    now: datetime,
) -> Pair:
    """Register the holder, have the old certificates issued (outside any transaction of ours), register the card.

    The pair's life is counted from `at`, the seeding; `now` is the instant at which the register takes it.
    """
    holder = holders.register_holder(
        tax_code=person.tax_code,
        given_name=person.given_name,
        surname=person.surname,
        centre=agreement.centre,
        contacts=_contacts(person, number) if person.reachable else None,
        at=now,
    )
    life = _old_life(at, person.days)
    certificates = {
        type_: _old_certificate(type_, holder, agreement.centre, serial, csrs.get((serial, type_)), life, now)
        for type_ in agreement.service.types
    }
    issued_on, expires_on = (end.astimezone(ROME).date() for end in (life.not_before, life.not_after))
    card = CardData(
        serial=serial,
        family=_family(person.family),
        first_issued_on=issued_on,
        activated_on=issued_on,
        expires_on=expires_on if agreement.service.flow == Flow.EXTEND else None,
    )
    return registration.register_card(card, holder=holder, agreement=agreement, certificates=certificates, at=now)


def _old_life(at: datetime, days: int) -> Validity:
    """Three calendar years that end `days` from now."""
    end = at.replace(microsecond=0) + timedelta(days=days)
    day = 28 if (end.month, end.day) == (2, 29) else end.day
    return Validity(end.replace(year=end.year - TERM_YEARS, day=day), end)


def _old_certificate(
    type_: str, holder: Holder, centre: Centre, serial: str, csr: bytes | None, life: Validity, at: datetime
) -> bytes:
    request = IssueRequest(
        id=uuid.uuid5(REQUESTS, f"{serial}:{type_}"),
        csr=csr or _unkept_request(),
        profile=PROFILE_OF[type_],
        subject=_subject(type_, holder, centre, serial),
        validity=life,
    )
    found = ca.gateway().find_issued(request_id=request.id)  # from a seeding that was interrupted
    return (found or ca.gateway().issue(request, at=at)).certificate


def _subject(type_: str, holder: Holder, centre: Centre, serial: str) -> Subject:
    """The subject of first issuance; AgID's CNS form is `<codice fiscale>/<card>.<hash of the holder's data>`."""
    if type_ == CertificateType.AUTHENTICATION:
        digest = hashlib.sha256(f"{holder.tax_code}{serial}".encode()).digest()[:20]
        return Subject(
            common_name=f"{holder.tax_code}/{serial}.{base64.b64encode(digest).decode()}",
            organizational_unit=centre.name,
        )
    return Subject(
        common_name=holder.full_name,
        given_name=holder.given_name,
        surname=holder.surname,
        serial_number=f"TINIT-{holder.tax_code}",
        dn_qualifier=f"SG{holder.pk:010d}",
    )


def _unkept_request() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _contacts(person: Person, number: int) -> Contacts:
    return parse_contacts(
        email=f"{person.given_name}.{person.surname}@example.org".lower(),
        mobile=f"+39 347 55501{number:02d}",
        street="Via delle Prove 1",
        postcode="20121",
        town="Milano",
        province="MI",
    )


def _family(code: str) -> CardFamily:
    family, _ = CardFamily.objects.get_or_create(code=code, defaults={"name": f"Carta {code}"})
    return family
