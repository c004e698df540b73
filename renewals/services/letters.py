"""Mails of a case once they are posted: sent again, issued anew where they carried a code, returned by the mailbox."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from cms import policy as register
from cms.actors import SYSTEM
from cms.actors import operator as operator_actor
from cms.errors import MailboxMissing
from cms.models import User
from cms.services import codes
from cms.states import Outcome
from notifications import bounces
from notifications import queries as outbox
from notifications import services as notifications
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from notifications.states import MessageState
from renewals import errors
from renewals.models import RenewalCase
from renewals.services.cases import locked, record
from runtime.transactions import use_case

MOST_COPIES_A_DAY = 5
MOST_CODES_AN_HOUR = 3
BRINGS_A_CODE = frozenset({Message.RENEWAL_DONE, Message.RENEWAL_DONE_TO_AUTHORISE, Message.USER_CODE})
"""What an operator issues anew: the holder's *codice utente*. The other secrets are asked for by whoever needs them."""
_TO_THE_OLD_MAILBOX = {Message.CONTACT_CHANGED}


@use_case
def resend_letter(message_id: uuid.UUID, *, operator: User, copies: int, now: datetime) -> OutboxMessage:
    """Post a mail again, to the holder's present mailbox, and record who asked. Returns the new message.

    `copies` is how many times it had been sent again when the operator was asked: two clicks make one message. A mail
    that carried a secret is refused: the secret is gone, it would have to be issued anew.
    """
    first = OutboxMessage.objects.get(pk=message_id)
    case = locked(RenewalCase.objects.values_list("pk", flat=True).get(code=first.case_code))
    register.require_member(operator, case.centre_id, register.DECIDING_ROLES)
    kind = Message(first.kind)
    if CATALOG[kind].secrets:
        raise errors.LetterSecret
    if first.state == MessageState.QUEUED:
        raise errors.LetterWaits
    address = first.recipient if kind in _TO_THE_OLD_MAILBOX else case.holder.email
    if not address:
        raise MailboxMissing
    key = f"{outbox.root_key(first)}{outbox.AGAIN}{copies + 1}"
    again = OutboxMessage.objects.filter(key=key).first()
    if again is not None:
        return again
    if outbox.copies_since(first, now - timedelta(days=1)) >= MOST_COPIES_A_DAY:
        raise errors.LetterSentOften
    return _posted(first, case, key=key, address=address, operator=operator, now=now)


@use_case
def reissue_user_code(message_id: uuid.UUID, *, operator: User, now: datetime) -> bool:
    """Give the holder of a completed renewal a new *codice utente* in a new mail; the former one is dead.

    False if one was issued less than a minute ago: a second click sends nothing. Counted for the case, in the database.
    """
    message = OutboxMessage.objects.only("kind", "case_code", "state").get(pk=message_id)
    case = locked(RenewalCase.objects.values_list("pk", flat=True).get(code=message.case_code))
    register.require_member(operator, case.centre_id, register.DECIDING_ROLES)
    if message.kind not in BRINGS_A_CODE:
        raise errors.CodeNotGiven
    if message.state == MessageState.QUEUED:
        raise errors.LetterWaits
    codes_sent = outbox.of_case(case.code).filter(kind=Message.USER_CODE, created_at__gt=now - timedelta(hours=1))
    if codes_sent.count() >= MOST_CODES_AN_HOUR:
        raise errors.CodeSentOften
    return codes.reissue_code(case.holder_id, centre_id=case.centre_id, operator=operator, now=now, case_code=case.code)


@use_case
def settle_bounces(*, now: datetime) -> int:
    """Write the mails that came back into their messages, and into the trail of their cases; return how many."""
    returned = bounces.settle_returns(at=now)
    codes_of_cases = {report.message.case_code for report in returned if report.message}
    cases = {case.code: case for case in RenewalCase.objects.filter(code__in=codes_of_cases)}
    for report in returned:
        case = cases.get(report.message.case_code) if report.message else None
        if case is not None and report.message:
            facts = {"message": report.message.kind, "status": report.status}
            record("case.letter-bounced", case, actor=SYSTEM, at=now, outcome=Outcome.FAILED, facts=facts)
    return len(returned)


def _posted(
    first: OutboxMessage, case: RenewalCase, *, key: str, address: str, operator: User, now: datetime
) -> OutboxMessage:
    files = [
        notifications.Attachment(file.name, file.media_type, bytes(file.content))
        for file in first.attachments.order_by("position")
    ]
    again = notifications.post(
        key=key,
        message=Message(first.kind),
        to=address,
        context=first.context,
        at=now,
        attachments=files,
        case_code=case.code,
        holder_id=case.holder_id,
        language=first.language,
        centre_id=case.centre_id,
        service_id=case.service_id,
    )
    record("case.letter-resent", case, actor=operator_actor(operator), at=now, facts={"message": first.kind})
    return again
