"""Mails of a case, once more: a new message with the same content, for a holder who has not received the first."""

from __future__ import annotations

import uuid
from datetime import datetime

from cms import policy as register
from cms.actors import operator as operator_actor
from cms.models import User
from notifications import queries as outbox
from notifications import services as notifications
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxMessage
from notifications.states import MessageState
from renewals import errors
from renewals.models import RenewalCase
from renewals.services.cases import locked, record
from runtime.transactions import use_case

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
        raise errors.MailboxMissing
    key = f"{outbox.root_key(first)}{outbox.AGAIN}{copies + 1}"
    again = OutboxMessage.objects.filter(key=key).first()
    if again is not None:
        return again
    return _posted(first, case, key=key, address=address, operator=operator, now=now)


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
        centre_id=case.centre_id,
        service_id=case.service_id,
    )
    record("case.letter-resent", case, actor=operator_actor(operator), at=now, facts={"message": first.kind})
    return again
