"""What operators do with requests for help: take, hand over, answer by mail, close, open again; and the logs' end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import operator as operator_actor
from cms.errors import Forbidden, NotFound
from cms.fsm import refusing_illegal_moves
from cms.models import User
from notifications import envelope
from notifications import services as outbox
from notifications.catalog import Message
from renewals import errors
from renewals.models import SupportAnswer, SupportLog, SupportRequest
from renewals.services.support import mailbox_of
from renewals.states import SupportState
from renewals.support_policy import require_caretaker, require_open
from runtime.scrubbing import seen
from runtime.transactions import use_case

LONGEST_ANSWER = 4_000
_BATCH = 500


@use_case
def assign_request(number: str, to: int, *, operator: User, now: datetime) -> SupportRequest:
    """Give the request to somebody who may look after it, mostly oneself. Twice is once."""
    request = _locked(number)
    require_caretaker(request, operator)
    require_open(request)
    taker = User.objects.filter(pk=to, is_active=True).first()
    if taker is None:
        raise errors.SupportAssigneeUnfit
    _require_fit(request, taker, operator)
    if request.state == SupportState.ASSIGNED and request.assigned_to == to:
        return request
    _give(request, taker, operator, now)
    return request


@use_case
@sensitive_variables("text")
def answer_request(number: str, uid: uuid.UUID, text: str, *, to: str, operator: User, now: datetime) -> SupportAnswer:
    """Store the answer and mail it, once per `uid`: two clicks send one mail. Whoever answers has the request.

    `to` is the mailbox that the operator was shown. Raises `SupportMailboxMissing`, `SupportAnswerAddressChanged`.
    """
    request = _locked(number)
    require_caretaker(request, operator)
    known = SupportAnswer.objects.filter(uid=uid, request=request).first()
    if known is not None:
        return known
    require_open(request)
    said = seen(text).strip()[:LONGEST_ANSWER]
    if not said:
        raise errors.SupportAnswerEmpty
    address, is_registered = mailbox_of(request)
    if not address:
        raise errors.SupportMailboxMissing
    if address != to:
        raise errors.SupportAnswerAddressChanged
    answer = SupportAnswer.objects.create(uid=uid, request=request, author_id=operator.pk, text=said, at=now)
    if request.state == SupportState.OPEN:
        _give(request, operator, operator, now)
    request.answered_at = now
    request.save(update_fields=["answered_at"])
    _post(request, answer, address, is_registered=is_registered)
    _record("support.answered", request, operator, now)
    return answer


@use_case
def close_request(number: str, *, operator: User, now: datetime) -> SupportRequest:
    """Nothing is left to do. Twice is once."""
    request = _locked(number)
    require_caretaker(request, operator)
    if not request.is_open:
        return request
    with refusing_illegal_moves():
        request.close(by=operator.pk, at=now)
    request.save(update_fields=["state", "closed_by", "closed_at"])
    _record("support.closed", request, operator, now)
    return request


@use_case
def reopen_request(number: str, *, operator: User, now: datetime) -> SupportRequest:
    """It was not over: whoever opens it again has it. Twice is once."""
    request = _locked(number)
    require_caretaker(request, operator)
    if request.is_open:
        return request
    with refusing_illegal_moves():
        request.reopen(by=operator.pk, at=now)
    request.save(update_fields=["state", "closed_by", "closed_at", "assigned_to", "assigned_at"])
    _record("support.reopened", request, operator, now)
    return request


def forget_logs(*, now: datetime) -> int:
    """Delete old logs (`support_log_days`): of requests closed so long ago, and of open ones that nobody has proven.

    The requests stay. Returns how many logs went.
    """
    before = now - timedelta(days=settings.RENEWALS.support_log_days)
    closed = Q(request__state=SupportState.CLOSED, request__closed_at__lte=before)
    hearsay = Q(request__is_proven=False, request__opened_at__lte=before)
    old = SupportLog.objects.filter(closed | hearsay)
    forgotten, _ = SupportLog.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_BATCH])).delete()
    return forgotten


def _require_fit(request: SupportRequest, taker: User, operator: User) -> None:
    """The operator has been asked already; of somebody else the refusal says that it is about him."""
    if taker.pk == operator.pk:
        return
    try:
        require_caretaker(request, taker)
    except Forbidden as refusal:
        raise errors.SupportAssigneeUnfit from refusal


def _locked(number: str) -> SupportRequest:
    rows = SupportRequest.objects.select_for_update(of=("self",), no_key=True)
    request = rows.select_related("holder", "centre", "case").filter(number=number).first()
    if request is None:
        raise NotFound
    return request


def _give(request: SupportRequest, taker: User, operator: User, now: datetime) -> None:
    if request.state == SupportState.OPEN:
        with refusing_illegal_moves():
            request.assign(to=taker.pk, at=now)
    else:
        request.assigned_to, request.assigned_at = taker.pk, now
    request.save(update_fields=["state", "assigned_to", "assigned_at"])
    _record("support.assigned", request, operator, now, to=taker.pk)


def _post(request: SupportRequest, answer: SupportAnswer, address: str, *, is_registered: bool) -> None:
    """Mail it; by name only to the mailbox that the register knows as the holder's."""
    centre = request.centre
    outbox.post(
        key=f"{Message.SUPPORT_ANSWER.value}:{answer.uid}",
        message=Message.SUPPORT_ANSWER,
        to=address,
        context={
            "number": request.number,
            "answer": answer.text,
            "opened_at": request.opened_at.isoformat(),
            "centre_name": centre.name if centre else "Sigillo",
            "centre_email": centre.email if centre else envelope.sender(),
            "centre_phone": centre.phone if centre else "",
            "holder_name": request.holder.full_name if is_registered and request.holder else "",
        },
        at=answer.at,
        case_code=request.case.code if is_registered and request.case else "",
        holder_id=request.holder_id if is_registered else None,
        language=request.language,
        centre_id=request.centre_id,
        service_id=request.service_id,
    )


def _record(verb: str, request: SupportRequest, operator: User, now: datetime, **facts: int) -> None:
    case = request.case
    events.record(
        verb,
        actor=operator_actor(operator),
        at=now,
        centre_id=request.centre_id,
        service_id=case.issuing_service_id if case else request.service_id,
        case_code=case.code if case else "",
        holder_id=request.holder_id,
        facts={"request": request.number, **facts},
    )
