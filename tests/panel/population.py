"""A town with one of everything that pages show: jobs, proposals, purchases, accounts in every role, failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cms.models import CaRequest, Job, JobRow, PurchaseRequest, RevocationProposal, User
from cms.states import JobKind, JobRowState, JobState, RequestState, Role
from notifications.models import OutboxMessage
from renewals.models import RenewalCase
from tests.panel.town import NOW, Town, crowd


def populated() -> Town:
    """A Monday morning in March: something stands on every list."""
    town = Town()
    town.cases = crowd(town)  # type: ignore[attr-defined]
    _people(town)
    _failures(town)
    _waiting(town)
    _job(town)
    return town


def known_of(town: Any) -> dict[str, Any]:
    """Values for the parameters of routes: what pages are about."""
    case = town.cases[0]
    half = case.new_pair.certificates.order_by("pk").first()
    return {
        "code": case.code,
        "job:uid": town.job.uid,
        "message_id": OutboxMessage.objects.filter(case_code=case.code).values_list("pk", flat=True).first(),
        "token": "x" * 32,
        "pk": 1,
        "half": half.pk,
    }


def _people(town: Any) -> None:
    town.manager = town.employ("anna.conti@cdrl.example.org", "Anna Conti", role=Role.MANAGER)
    town.auditor = town.employ("ugo.fabbri@cdrl.example.org", "Ugo Fabbri", role=Role.AUDITOR)
    town.administrator = town.employ("pia.serra@fornitore.example.org", "Pia Serra")
    town.administrator.memberships.all().delete()
    User.objects.filter(pk=town.administrator.pk).update(is_administrator=True)
    town.administrator.refresh_from_db()
    for user in (town.operator, town.manager, town.auditor, town.administrator):
        town.secret = town.give_totp(user)


def _failures(town: Any) -> None:
    urged, refused = town.cases[3], town.cases[7]
    RenewalCase.objects.filter(pk=urged.pk).update(urged_at=NOW - timedelta(hours=3))
    message = OutboxMessage.objects.filter(case_code=town.cases[5].code).first()
    if message is not None:
        failed = {"state": "failed", "sent_at": None, "last_error": "mailbox-unknown"}
        OutboxMessage.objects.filter(pk=message.pk).update(**failed)
    at = NOW - timedelta(hours=20)
    CaRequest.objects.create(
        natural_key="hold:refused",
        kind="hold",
        state=RequestState.REFUSED,
        centre=refused.centre,
        service=refused.issuing_service,
        pair=refused.new_pair,
        certificate=refused.new_pair.certificates.first(),
        case_code=refused.code,
        asked_at=at,
        settled_at=at,
        last_error="ca-refused",
    )


def _waiting(town: Any) -> None:
    pair = town.cases[10].new_pair
    town.proposal = RevocationProposal.objects.create(
        pair=pair,
        centre=pair.centre,
        service=pair.service,
        certificate_ids=list(pair.certificates.values_list("pk", flat=True)),
        cause="holder-request",
        note="Ha smarrito la carta",
        proposed_by=town.operator.pk,
        proposed_at=NOW - timedelta(days=1),
    )
    town.purchase = PurchaseRequest.objects.create(
        number="RA-2026-0007",
        centre=town.centre,
        service=town.eidas,
        types=town.eidas.types,
        quantity=50,
        order_reference="ordine 118/2026",
        requested_by=town.manager.pk,
        requested_at=NOW - timedelta(days=2),
    )


def _job(town: Any) -> None:
    at = NOW - timedelta(minutes=20)
    town.job = Job.objects.create(
        kind=JobKind.APPROVE,
        state=JobState.DONE,
        centre=town.centre,
        service=town.service,
        started_by=town.operator,
        created_at=at,
        finished_at=at + timedelta(seconds=9),
        total=3,
        done=2,
        refused=1,
    )
    for position, case in enumerate(town.cases[:3], 1):
        is_refused = position == 3
        JobRow.objects.create(
            job=town.job,
            position=position,
            subject_id=case.pk,
            payload={"case": case.code},
            state=JobRowState.REFUSED if is_refused else JobRowState.DONE,
            code="decision-made" if is_refused else "",
            text="Il rinnovo è già stato respinto." if is_refused else "Rinnovo approvato.",
            settled_at=at,
        )
