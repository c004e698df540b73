"""Cases at a given stage, made through the use cases but without HTTP, cards or forms; EC keys, so that hundreds are quick."""

from __future__ import annotations

from datetime import date, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from cms.actors import SYSTEM
from cms.models import Pair
from cms.services import certificates, registration, requests, stock
from cms.services.registration import CardData
from cms.states import ApprovalMode
from notifications.catalog import Attachment, Message
from pki.csr import read_request
from renewals.flows import Terms
from renewals.models import RenewalCase
from renewals.services import cases, issuance, notices
from tests.renewals.world import OLD_NOT_AFTER, World

SLOTS = ("authentication", "signature")
FIRST_ISSUED = date(2023, 3, 31)


def ec_csr() -> bytes:
    """A request with a fresh P-256 key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    private = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(private, hashes.SHA256())
    return request.public_bytes(Encoding.DER)


def registered(world: World, number: int, *, not_after: datetime = OLD_NOT_AFTER, first: date = FIRST_ISSUED) -> Pair:
    """Two certificates on a card, whose case nobody has opened yet."""
    holder, serial = world.person(number), f"7{number:014d}"
    old = {
        slot: world.issue(slot, ec.generate_private_key(ec.SECP256R1()), holder, serial, not_after) for slot in SLOTS
    }
    card = CardData(serial, world.family, first, first)
    return registration.register_card(card, holder=holder, agreement=world.agreement, certificates=old, at=world.now)


def opened(world: World, number: int, *, not_after: datetime = OLD_NOT_AFTER) -> RenewalCase:
    """A case in Comunicato."""
    pair = registered(world, number, not_after=not_after)
    with transaction.atomic():
        return cases.open_or_resume(pair, Terms(pair.service.issuing), actor=SYSTEM, at=world.now)


def signed(world: World, number: int, *, not_after: datetime = OLD_NOT_AFTER) -> RenewalCase:
    """A case in In attesa emissione: reserved, nothing asked of the CA yet."""
    return sign(world, opened(world, number, not_after=not_after))


def sign(world: World, case: RenewalCase) -> RenewalCase:
    """The holder of an open case signs now."""
    with transaction.atomic():
        case.sign(at=world.now, mode=ApprovalMode(world.agreement.approval), refusal_suspends_at_once=False)
        case.ask_authorisation()
        cases.plan(case)
        case.save()
        cases.record("case.signed", case, actor=SYSTEM, at=world.now)
        form = Attachment("modulo.pdf", "application/pdf", b"%PDF-1.7")
        notices.tell(case, Message.SIGNED_FORM, at=world.now, attachments=[form])
        stock.reserve(types=SLOTS, actor=SYSTEM, at=world.now, **ledger(case))
    return case


def requested(world: World, number: int, *, not_after: datetime = OLD_NOT_AFTER) -> RenewalCase:
    """The same, with both wishes stored and not yet carried out."""
    return request(world, signed(world, number, not_after=not_after))


def request(world: World, case: RenewalCase) -> RenewalCase:
    """His client asks for both certificates now."""
    with transaction.atomic():
        case.new_pair = Pair.objects.create(
            card_id=case.card_id,
            holder_id=case.holder_id,
            agreement_id=case.agreement_id,
            centre_id=case.centre_id,
            service_id=case.issuing_service_id,
            predecessor_id=case.old_pair_id,
            created_at=world.now,
        )
        case.save(update_fields=["new_pair"])
        for old in case.old_pair.certificates.select_related("body").order_by("type"):
            certificates.request_issue(
                pair=case.new_pair,
                type_=old.type,
                request=read_request(ec_csr()),
                subject=issuance.subject(case, old),
                validity=issuance.validity(case, old, now=world.now),
                case_code=case.code,
                at=world.now,
            )
    return case


def completed(world: World, number: int, *, not_after: datetime = OLD_NOT_AFTER) -> RenewalCase:
    """A case in Completato that waits for its centre."""
    return complete(world, requested(world, number, not_after=not_after))


def complete(world: World, case: RenewalCase) -> RenewalCase:
    """What was requested is issued and proven now."""
    requests.carry_out_due(at=world.now)
    with transaction.atomic():
        halves = list(case.new_pair.certificates.order_by("pk"))
        for half in halves:
            half.activate(at=world.now)
            half.save()
        case.complete(at=world.now)
        cases.plan(case)
        case.save()
        issuance._tell_completed(case, halves, now=world.now)
        stock.debit(types=SLOTS, actor=SYSTEM, at=world.now, **ledger(case))
    return case


def ledger(case: RenewalCase) -> dict[str, object]:
    """Which counters the case moves."""
    return {"centre_id": case.centre_id, "service_id": case.issuing_service_id, "case_code": case.code}
