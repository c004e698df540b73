"""A small town of rows for the panel: centre, services, operators, holders, and cases in every state.

Cases move through the product's own transitions and stock services; no card and no CA are needed to look at them.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import unicodedata
from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.db.models import F

from cms.actors import SYSTEM, holder_at_client
from cms.models import (
    Agreement,
    Card,
    CardFamily,
    Centre,
    Certificate,
    Hold,
    Holder,
    Membership,
    Pair,
    Registration,
    Service,
    User,
)
from cms.policy import hold_lapses_at, years_after
from cms.services import stock
from cms.states import ApprovalMode, HoldCause, Role
from notifications.catalog import Attachment, Message
from notifications.models import OutboxMessage
from pki.tax_code import check_letter
from renewals.codes import ALPHABET, check_character, parse_code
from renewals.models import Acceptance, RenewalCase, RenewalForm
from renewals.services import notices
from renewals.services.cases import built, plan, record

PASSWORD = "una-frase-lunga-di-prova"
TYPES = ("authentication", "signature")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def tax_code(letters: str, number: int) -> str:
    """A well-formed codice fiscale of nobody in particular."""
    body = f"{letters}85T10A{number % 1000:03d}"
    return body + check_letter(body)


class Town:
    """Builds what operators look at; `at` is the instant at which everything is seen. The same town every time."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at
        self.numbers = itertools.count(100)
        self.serials = itertools.count(7_430_010_000_000_041)
        self.random = random.Random(20260302)
        self.centre = self.found("cdrl-arezzo", "Ordine degli Ingegneri di Esempio")
        self.eidas = self.offer("cns-eidas-firma", "CNS – eIDAS Firma Digitale")
        self.service = self.offer("cns-firma-3-anni", "CNS - Firma 3 anni", successor=self.eidas)
        self.other_service = self.offer("cns-like-3-anni", "CNS Like - Firma 3 anni")
        self.family, _ = CardFamily.objects.get_or_create(code="ACe 2021", defaults={"name": "IDEMIA 2021"})
        self.buy(self.centre, self.eidas, 42)
        self.operator = self.employ("sara.galli@cdrl.example.org", "Sara Galli")

    def found(self, code: str, name: str) -> Centre:
        return Centre.objects.create(
            code=code,
            name=name,
            email=f"{code}@cdrl.example.org",
            phone="+39 0575 000000",
            purchase_url="https://acquisti.example.org/",
        )

    def offer(self, code: str, name: str, successor: Service | None = None, centre: Centre | None = None) -> Service:
        service, _ = Service.objects.get_or_create(
            code=code, defaults={"name": name, "types": list(TYPES), "successor": successor}
        )
        Agreement.objects.get_or_create(
            centre=centre or self.centre, service=service, defaults={"approval": ApprovalMode.AUTHORISATION}
        )
        return service

    def buy(self, centre: Centre, service: Service, quantity: int) -> None:
        for type_ in TYPES:
            reference = f"ordine-{next(self.numbers)}"
            stock.purchase(
                centre_id=centre.pk,
                service_id=service.pk,
                type_=type_,
                quantity=quantity,
                reference=reference,
                actor=SYSTEM,
                at=self.at - timedelta(days=40),
            )

    def employ(
        self,
        email: str,
        full_name: str = "Operatore di prova",
        centre: Centre | None = None,
        role: str = Role.OPERATOR,
        code: str | None = None,
    ) -> User:
        user = User.objects.create_user(email, PASSWORD, full_name=full_name, tax_code=code, is_staff=True)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        Membership.objects.create(user=user, centre=centre or self.centre, role=role)
        return user

    @staticmethod
    def give_totp(user: User, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> str:
        """An authenticator app; returns its secret."""
        TOTP.activate(user, secret)
        return secret

    def person(self, surname: str = "Rossi", given_name: str = "Mario", code: str | None = None) -> Holder:
        letters = "".join((name.replace(" ", "") + "XXX")[:3].upper() for name in (surname, given_name))
        name = f"{given_name}.{surname}.{next(self.numbers)}".lower().replace(" ", "")
        name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        return Holder.objects.create(
            tax_code=code or tax_code(letters, next(self.numbers)),
            given_name=given_name,
            surname=surname,
            email=f"{name}@posta.example.org",
            email_key=f"{name}@posta.example.org",
            mobile=f"+39347{next(self.serials) % 10_000_000:07d}",
        )

    def case(
        self,
        holder: Holder | None = None,
        *,
        days_left: float = 12,
        centre: Centre | None = None,
        service: Service | None = None,
    ) -> RenewalCase:
        """A case in Comunicato whose certificates expire in so many days."""
        centre, service = centre or self.centre, service or self.service
        not_after = (self.at + timedelta(days=days_left)).replace(microsecond=0)
        holder = holder or self.person()
        Registration.objects.get_or_create(holder=holder, centre=centre, defaults={"created_at": self.at})
        card = Card.objects.create(
            serial=str(next(self.serials)),
            family=self.family,
            holder=holder,
            first_issued_on=(not_after - timedelta(days=3 * 365)).date(),
            activated_on=(not_after - timedelta(days=3 * 365)).date(),
        )
        agreement = Agreement.objects.get(centre=centre, service=service)
        pair = self._pair(card, agreement, not_after - timedelta(days=3 * 365 + 1), not_after, proven=True)
        issuing = Agreement.objects.get(centre=centre, service=service.issuing)
        opened = min(self.at, not_after) - timedelta(days=max(1, 60 - days_left))
        case = built(pair, list(pair.certificates.order_by("type")), issuing, at=opened)
        body = "R" + "".join(self.random.choices(ALPHABET, k=9))
        case.code = parse_code(body + check_character(body))
        case.save()
        record("case.opened", case, actor=SYSTEM, at=opened)
        notices.tell_window_open(case, at=opened)
        return case

    def signed(self, case: RenewalCase, mode: str = ApprovalMode.AUTHORISATION, days_ago: float = 2) -> RenewalCase:
        """In attesa emissione."""
        at = max(case.opened_at, min(self.at, case.old_not_after) - timedelta(days=days_ago))
        case.sign(at=at, mode=mode, refusal_suspends_at_once=False)
        if mode == ApprovalMode.AUTHORISATION:
            case.ask_authorisation()
        else:
            case.skip_authorisation()
        plan(case)
        case.save()
        holder = holder_at_client(case.holder_id)
        ledger = {"centre_id": case.centre_id, "service_id": case.issuing_service_id, "case_code": case.code}
        stock.reserve(types=TYPES, actor=holder, at=at, **ledger)
        for kind in ("contract", "clauses", "privacy", "encryption-warning"):
            Acceptance.objects.create(case=case, kind=kind, version="2026-01", sha256="0" * 64, accepted_at=at)
        pdf = b"%PDF-1.7\n% modulo di prova\n%%EOF\n"
        RenewalForm.objects.create(
            case=case,
            content_sha256="0" * 64,
            document_sha256=hashlib.sha256(pdf).hexdigest(),
            prepared_pdf=pdf,
            signed_attributes=b"",
            signing_state={},
            rendered_at=at,
            signed_pdf=pdf,
        )
        for verb in ("case.terms-accepted", "case.form-rendered", "case.signed"):
            record(verb, case, actor=holder, at=at)
        form = Attachment("modulo.pdf", "application/pdf", pdf)
        notices.tell(case, Message.SIGNED_FORM, at=at, attachments=[form])
        return case

    def completed(self, case: RenewalCase, mode: str = ApprovalMode.AUTHORISATION, days_ago: float = 2) -> RenewalCase:
        """Completato, with active certificates."""
        self.signed(case, mode, days_ago)
        at = case.signed_at + timedelta(minutes=7)
        new = self._pair(
            case.card,
            case.agreement,
            at,
            years_after(case.old_not_after, 3),
            proven=True,
            predecessor=case.old_pair,
        )
        case.new_pair = new
        case.complete(at=at)
        plan(case)
        case.save()
        holder = holder_at_client(case.holder_id)
        ledger = {"centre_id": case.centre_id, "service_id": case.issuing_service_id, "case_code": case.code}
        stock.debit(types=TYPES, actor=holder, at=at, **ledger)
        for half in new.certificates.all():
            record("certificate.issued", case, actor=SYSTEM, at=at, certificate_id=half.pk)
        record("case.completed", case, actor=holder, at=at, new_not_after=years_after(case.old_not_after, 3))
        return case

    def suspended(self, case: RenewalCase, days_ago: float = 5) -> RenewalCase:
        """A completed case that nobody approved: its new certificates are held."""
        at = max(case.completed_at, self.at - timedelta(days=days_ago))
        for half in case.new_pair.certificates.all():
            half.hold(at=at)
            half.save()
            Hold.objects.create(
                certificate=half,
                cause=HoldCause.MISSING_APPROVAL,
                placed_at=at,
                lapses_at=hold_lapses_at(at, 120),
            )
            record("certificate.held", case, actor=SYSTEM, at=at, certificate_id=half.pk)
        case.suspended_at = at
        plan(case)
        case.save()
        return case

    def _pair(
        self,
        card: Card,
        agreement: Agreement,
        not_before: datetime,
        not_after: datetime,
        *,
        proven: bool,
        predecessor: Pair | None = None,
    ) -> Pair:
        pair = Pair.objects.create(
            card=card,
            holder=card.holder,
            agreement=agreement,
            centre=agreement.centre,
            service=agreement.service,
            predecessor=predecessor,
            created_at=not_before,
        )
        for type_ in TYPES:
            half = Certificate(
                pair=pair,
                type=type_,
                serial=self.random.randbytes(16).hex(),
                issuer_key_id=hashlib.sha256(type_.encode()).hexdigest()[:40],
                fingerprint=self.random.randbytes(32).hex(),
                spki_sha256=self.random.randbytes(32).hex(),
                key_kind="rsa",
                key_bits=2048,
                not_before=not_before,
                not_after=not_after,
            )
            half.save()
            if proven:
                half.activate(at=not_before)
                half.save()
        return pair


def crowd(town: Town) -> list[RenewalCase]:
    """Cases in every state, as a Monday morning finds them."""
    named = iter(
        [
            ("Bianchi", "Lucia"), ("Ferrari", "Paolo"), ("Esposito", "Anna Maria"), ("Romano", "Davide"),
            ("Colombo", "Elena"), ("Ricci", "Stefano"), ("Marino", "Chiara"), ("Greco", "Antonio"),
            ("De Luca", "Francesca"), ("Conti", "Giorgio"), ("Costa", "Silvia"), ("Mancini", "Roberto"),
        ]
    )  # fmt: skip

    def person() -> Holder:
        surname, given_name = next(named)
        return town.person(surname, given_name)

    automatic = ApprovalMode.AUTOMATIC
    cases = [
        town.completed(town.case(person(), days_left=12), days_ago=4),
        town.completed(town.case(person(), days_left=2), days_ago=9),
        town.suspended(town.completed(town.case(person(), days_left=-5), days_ago=20)),
        town.completed(town.case(person(), days_left=27), days_ago=1),
        town.signed(town.case(person(), days_left=9), days_ago=0.2),
        town.case(person(), days_left=58),
        town.case(person(), days_left=31),
        town.completed(town.case(person(), days_left=21), automatic, days_ago=3),
        town.case(person(), days_left=6.5),
        town.signed(town.case(person(), days_left=40), automatic, days_ago=0.1),
    ]
    from renewals.services import decisions
    from renewals.services.cases import cancel_case, expire_case

    approved = town.completed(town.case(person(), days_left=17), days_ago=6)
    decisions.approve_renewal(approved.pk, operator=town.operator, now=town.at - timedelta(days=5))
    expired = town.case(person(), days_left=-3)
    expire_case(expired.pk, now=town.at - timedelta(days=2))
    cancelled = town.case(town.person("Gallo", "Marta"), days_left=33)
    cancel_case(cancelled.pk, reason="data-incorrect", actor=SYSTEM, at=town.at - timedelta(days=1))
    OutboxMessage.objects.update(
        state="sent", sent_at=F("created_at") + timedelta(seconds=4), next_attempt_at=None, sealed_context=None
    )
    return [*cases, approved, expired, cancelled]
