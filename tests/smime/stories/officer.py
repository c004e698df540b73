"""What officers do with an order: one looks things up and calls back, another says the last word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smime.models import Check, IdentificationAttempt
from smime.policy_desk import COMPARED, LETTER_FIELDS, Call, Document, Found, Registered
from smime.services import desk
from smime.states import AttemptState, CheckKind
from tests.smime.stories.customer import COMPANY_NUMBER
from tests.smime.stories.stage import Stage

COMPANY = "Azienda di Esempio S.r.l."
DOCUMENT_NUMBER = "CA12345XY"


def verify_organisation(stage: Stage) -> None:
    """Find the organisation in the register, then call a contact that stands there."""
    registered = Registered(
        source="business-register",
        reference=f"visura {COMPANY_NUMBER}",
        is_active=True,
        legal_name=COMPANY,
        identifier=f"VATIT-{COMPANY_NUMBER}",
    )
    _accept(stage, CheckKind.ORGANISATION, Found(registered=registered))
    _accept(stage, CheckKind.AUTHORITY, Found(call=_call()))


def accept_letter(stage: Stage) -> None:
    """Tick each field against the letter, and call back."""
    stage.work()  # the scanner looks at it first
    _accept(stage, CheckKind.ATTESTATION, Found(call=_call(), ticked=LETTER_FIELDS))


def compare_face(stage: Stage) -> None:
    """Compare what the provider has collected with the typed data."""
    for _ in range(5):
        stage.work()
        attempt = IdentificationAttempt.objects.latest("pk")
        if attempt.state == AttemptState.APPROVED:
            break
    stage.work()  # the scanner looks at the photos first
    document = Document("identity-card", DOCUMENT_NUMBER, "Comune di Milano", _now().date() + timedelta(days=900))
    desk.decide_identification(
        attempt.pk, outcome="accepted", document=document, ticked=COMPARED, operator=stage.officer, now=_now()
    )


def approve(stage: Stage) -> None:
    """The manager, who has decided nothing, approves."""
    desk.approve_order(stage.order().uid, operator=stage.manager, now=_now())


def _accept(stage: Stage, kind: CheckKind, found: Found) -> None:
    check = Check.objects.get(order=stage.order(), kind=kind)
    desk.record_finding(
        check.pk, outcome="accepted", seen_round=check.round, found=found, operator=stage.officer, now=_now()
    )


def _call() -> Call:
    return Call("+39 02 5550 0199", "register", _now(), "Centralino, signora Verdi", "confirmed")


def _now() -> datetime:
    return datetime.now(UTC)
