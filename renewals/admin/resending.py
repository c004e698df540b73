"""Sending a mail of a case again: what it was, where it will go, why some are not; a new code where it held one."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from cms.admin.desk import at
from cms.admin.paging import number
from cms.errors import DomainError
from notifications import queries as outbox
from notifications.catalog import Message
from notifications.models import OutboxMessage
from renewals.admin.answers import refused, told
from renewals.admin.letters import brings_code, obstacle, title_of
from renewals.models import RenewalCase
from renewals.services import letters


def question_of(case: RenewalCase, message_id: uuid.UUID) -> dict[str, Any]:
    """What the confirmation page says. `copies` fixes what is asked for: two clicks send one mail."""
    message = _of_case(case, message_id)
    return {
        "message": message,
        "message_title": title_of(message.kind),
        "recipient": message.recipient if message.kind == Message.CONTACT_CHANGED else case.holder.email,
        "copies": outbox.copies_of(message),
        "obstacle": obstacle(message),
        "brings_code": brings_code(message),
        "title": _("Invia un nuovo codice utente") if brings_code(message) else _("Invia di nuovo il messaggio"),
    }


def send_again(request: HttpRequest, case: RenewalCase, message_id: uuid.UUID) -> HttpResponse:
    """Post the mail again, or a new code in its stead, and go back to the case."""
    desk, message = at(request), _of_case(case, message_id)
    if brings_code(message):
        return _send_new_code(request, case, message)
    copies = number(request.POST.get("copies"))
    copies = outbox.copies_of(message) if copies is None else copies
    try:
        again = letters.resend_letter(message.pk, operator=desk.operator, copies=copies, now=desk.now)
    except (DomainError, OperationalError) as refusal:
        return refused(request, case, refusal)
    news = again.created_at == desk.now
    told(request, _("Messaggio messo in coda."), _("Il messaggio era già stato inviato di nuovo."), news=news)
    return redirect("admin:case", case.code)


def _send_new_code(request: HttpRequest, case: RenewalCase, message: OutboxMessage) -> HttpResponse:
    desk = at(request)
    try:
        news = letters.reissue_user_code(message.pk, operator=desk.operator, now=desk.now)
    except (DomainError, OperationalError) as refusal:
        return refused(request, case, refusal)
    done = _("Nuovo codice utente messo in coda: il codice precedente non vale più.")
    told(request, done, _("Un nuovo codice è stato inviato meno di un minuto fa: vale quello."), news=news)
    return redirect("admin:case", case.code)


def _of_case(case: RenewalCase, message_id: uuid.UUID) -> OutboxMessage:
    message = outbox.of_case(case.code).filter(pk=message_id).first()
    if message is None:
        raise Http404
    return message
