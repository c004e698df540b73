"""A small world for renewals: one centre, its services and operator, a holder with a card, and a CA behind the port."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cms.actors import SYSTEM
from cms.contacts import parse_contacts
from cms.models import Agreement, CardFamily, Centre, Holder, Membership, Pair, Service, User
from cms.policy import rome_date
from cms.services import holders, registration, stock
from cms.services.registration import CardData
from cms.states import ApprovalMode, Role
from pki.gateway import CertificateGateway, IssueRequest, Profile, Subject, Validity
from pki.tax_code import check_letter
from pki.x509 import serves_mail_only
from tests.renewals.keys import key

OLD_NOT_AFTER = datetime(2026, 3, 31, 8, 30, 15, tzinfo=UTC)
TYPES = ("authentication", "signature")
_numbers = itertools.count(1)


def tax_code(number: int) -> str:
    """A well-formed codice fiscale of nobody in particular."""
    body = f"RSSMRA85T10A{number % 1000:03d}"
    return body + check_letter(body)


def csr_of(private: rsa.RSAPrivateKey, common_name: str = "chiunque") -> bytes:
    """A PKCS #10 request (DER) for a key; the subject is the requester's fancy."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass
class TestCard:
    """A card that does what it is told: old keys by slot, certificates, and new keys once they are made."""

    __test__ = False

    name: str
    serial: str
    pair: Pair
    certificates: dict[str, bytes]
    keys: dict[str, rsa.RSAPrivateKey]
    new_keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)

    def generate(self, suffix: str = "new") -> dict[str, rsa.RSAPrivateKey]:
        """Make one new key per slot; the same suffix makes the same keys."""
        self.new_keys = {slot: key(f"{self.name}-{slot}-{suffix}") for slot in self.keys}
        return self.new_keys


class World:
    """Builds rows through the product's own use cases."""

    def __init__(self, ca: CertificateGateway, now: datetime) -> None:
        """Found a centre with an old service, its eIDAS successor, an agreement for both, stock, and an operator."""
        self.ca, self.now = ca, now
        for issuer in ca.issuers():
            if not serves_mail_only(issuer):
                registration.pin_issuer(issuer)
        self.centre = self.found_centre("cdrl-esempio", "Ordine di Esempio")
        self.service = Service.objects.create(
            code="cns-firma-3-anni-eidas", name="CNS - eIDAS Firma 3 anni", types=list(TYPES)
        )
        self.agreement = self.agree(self.centre, self.service)
        self.family = CardFamily.objects.create(code="ACe 2021", name="IDEMIA 2021")
        self.operator = self.employ("operatore@cdrl.example.org", self.centre)
        self.buy(10)

    def found_centre(self, code: str, name: str) -> Centre:
        """Another centre."""
        return Centre.objects.create(
            code=code,
            name=name,
            email=f"{code}@cdrl.example.org",
            phone="+390575000000",
            purchase_url="https://acquisti.example.org/",
        )

    def agree(self, centre: Centre, service: Service, approval: str = ApprovalMode.AUTHORISATION) -> Agreement:
        """An agreement, by default with authorisation."""
        return Agreement.objects.create(centre=centre, service=service, approval=approval)

    def employ(self, email: str, centre: Centre, role: str = Role.OPERATOR) -> User:
        """An operator of a centre."""
        user = User.objects.create_user(email, full_name="Operatore di prova", is_staff=True)
        Membership.objects.create(user=user, centre=centre, role=role)
        return user

    def buy(self, quantity: int, service: Service | None = None) -> None:
        """Units of each type for the centre."""
        for type_ in TYPES:
            stock.purchase(
                centre_id=self.centre.pk,
                service_id=(service or self.service).pk,
                type_=type_,
                quantity=quantity,
                reference=f"ordine-{next(_numbers)}",
                actor=SYSTEM,
                at=self.now,
            )

    def person(self, number: int, email: str | None = None, mobile: str | None = None) -> Holder:
        """A holder with confirmed contacts."""
        contacts = parse_contacts(
            email=email or f"titolare{number}@posta.example.org", mobile=mobile or f"+3934712{number:05d}"
        )
        return holders.register_holder(
            tax_code=tax_code(number),
            given_name="Mario",
            surname="Rossi",
            centre=self.centre,
            contacts=contacts,
            at=self.now,
        )

    def card(
        self,
        number: int = 1,
        *,
        not_after: datetime = OLD_NOT_AFTER,
        agreement: Agreement | None = None,
        family: CardFamily | None = None,
        types: tuple[str, ...] = TYPES,
        first_issued_on: date | None = None,
        activated: bool = True,
        expires_on: date | None = None,
        holder: Holder | None = None,
    ) -> TestCard:
        """A holder's card with certificates that the CA issued three years before they expire."""
        holder = holder or self.person(number)
        name, serial = f"card-{number}", f"6090010{number:09d}"
        keys = {slot: key(f"{name}-{slot}") for slot in types}
        certificates = {slot: self.issue(slot, keys[slot], holder, serial, not_after) for slot in types}
        first_issued_on = first_issued_on or rome_date(not_after - timedelta(days=3 * 365 + 1))
        pair = registration.register_card(
            CardData(
                serial=serial,
                family=family or self.family,
                first_issued_on=first_issued_on,
                activated_on=first_issued_on if activated else None,
                expires_on=expires_on,
            ),
            holder=holder,
            agreement=agreement or self.agreement,
            certificates=certificates,
            at=self.now,
        )
        return TestCard(name, serial, pair, certificates, keys)

    def issue(self, slot: str, private: rsa.RSAPrivateKey, holder: Holder, serial: str, not_after: datetime) -> bytes:
        """An old certificate from this world's CA, for a key that we have."""
        return self.certify(slot, csr_of(private), holder, serial, not_after)

    def certify(self, slot: str, csr: bytes, holder: Holder, serial: str, not_after: datetime) -> bytes:
        """The same for a key that only asks, as one on a card does."""
        not_before = not_after - timedelta(days=3 * 365 + 1)
        if slot == "authentication":
            profile = Profile.CNS_AUTHENTICATION
            subject = Subject(
                common_name=f"{holder.tax_code}/{serial}.MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
                organizational_unit=self.centre.name,
            )
        else:
            profile = Profile.QUALIFIED_SIGNATURE
            subject = Subject(
                common_name=holder.full_name,
                given_name=holder.given_name,
                surname=holder.surname,
                serial_number=f"TINIT-{holder.tax_code}",
                dn_qualifier=f"SG{holder.pk:010d}",
            )
        request = IssueRequest(uuid4(), csr, profile, subject, Validity(not_before, not_after))
        return self.ca.issue(request, at=not_before).certificate
