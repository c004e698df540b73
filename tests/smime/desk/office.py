"""Officers of a centre, and what they put on record in tests."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from cms.models import Membership, User
from cms.states import Role
from smime import policy_desk
from smime.models import EvidenceFile, Order
from smime.policy_desk import Call, Document, Found, Registered
from smime.services import attestation, checks, desk, evidence
from smime.services.attestation import Upload
from smime.states import FileKind
from tests.smime.corpus import pdf
from tests.smime.mailed import NOW, check_of, order_of
from tests.smime.test_attestation import FIELDS, Says

LATER = NOW + timedelta(hours=3)
_numbers = itertools.count(1)
COMPANY: dict[str, Any] = {
    "contact_given_name": "Bruno",
    "contact_surname": "Esempio",
    "contact_email": "bruno@azienda.example.org",
    "vat_number": "07643520567",
    "register_number": "07643520567",
    "country": "IT",
}
EXTRACT = Registered(
    source="business-register",
    reference="visura T 123456789",
    is_active=True,
    legal_name="Esempio S.r.l.",
    identifier="VATIT-07643520567",
)
CALL = Call(
    contact="+39 06 1234567",
    contact_source="register",
    called_at=NOW + timedelta(hours=1),
    answered_by="Dora Centralino",
    outcome="confirmed",
)
CARD = Document("identity-card", "CA00000AA", "Comune di Esempio", date(2031, 5, 4))


def officer(order: Order, role: str = Role.OPERATOR, **fields: Any) -> User:
    """An account that works at the order's centre."""
    name = f"ufficio{next(_numbers)}@cdrl.example.org"
    user = User.objects.create_user(name, full_name="Ufficio di prova", is_staff=True, **fields)
    Membership.objects.create(user=user, centre=order.centre, role=role)
    return user


def ordered(validation: str = "ov", **fields: Any) -> Order:
    """A submitted order of an organisation."""
    order = order_of(validation, **COMPANY | fields)
    order.slot.take()
    order.slot.save()
    return order


def record(order: Order, kind: str, by: User, *, outcome: str = "accepted", at=LATER, reason: str = "", **found: Any):
    """Have an officer put a finding on record, whole unless told otherwise."""
    whole = {"registered": EXTRACT, "call": CALL, "ticked": policy_desk.LETTER_FIELDS}
    check = check_of(order, kind)
    return desk.record_finding(
        check.pk,
        outcome=outcome,
        seen_round=check.round,
        found=Found(**whole | found),
        reason=reason,
        operator=by,
        now=at,
    )


def with_letter(order: Order) -> EvidenceFile:
    """The buyer has sent a letter, and the scanner has passed it."""
    upload = Upload("attestazione.pdf", pdf(), "application/pdf")
    attestation.submit_attestation(order.uid, fields=FIELDS, upload=upload, buyer=order.buyer, now=NOW)
    file = EvidenceFile.objects.filter(order=order).latest("pk")
    evidence.scan(file.pk, at=NOW, scanner=Says())
    order.refresh_from_db()
    return file


def prove(order: Order, *kinds: str) -> None:
    """Pass checks that nobody decides."""
    for kind in kinds:
        checks.pass_check(check_of(order, kind), at=NOW, method="prova")


def prove_with_paper(order: Order, *, is_scanned: bool = True) -> EvidenceFile:
    """The office has collected an extract."""
    file = evidence.store_file(
        order, FileKind.OFFICER_EVIDENCE, name="visura.pdf", content=pdf(), by=None, at=order.submitted_at or NOW
    )
    if is_scanned:
        evidence.scan(file.pk, at=order.submitted_at or NOW, scanner=Says())
        file.refresh_from_db()
    return file
