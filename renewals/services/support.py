"""A holder could not go on and asks for help: stored once, put into the right queue, and the queue's owner is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from cms import events
from cms.actors import UNKNOWN_AT_CLIENT, holder_at_client
from cms.models import Card, Pair, User
from notifications import services as outbox
from notifications.catalog import Message
from notifications.services import Draft
from renewals import errors
from renewals.codes import new_number
from renewals.models import RenewalCase, SupportLog, SupportRequest
from runtime.scrubbing import scrub_report
from runtime.transactions import use_case

MOST_UNPROVEN_LOG = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client sent: facts of card and failure, the holder's words, perhaps the log. All of it is hearsay."""

    request_id: UUID
    code: str
    step: str
    message: str
    email: str
    language: str
    client: str
    system: str
    card_serial: str
    family: str
    reader: str
    driver: str
    log: str

    @property
    def digest(self) -> str:
        """SHA-256 over everything but the id: the same request sent again has the same one."""
        said = {name: value for name, value in asdict(self).items() if name != "request_id"}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@use_case
def open_request(asked: Asked, *, case_id: int | None, now: datetime) -> SupportRequest:
    """Store the request, once per id, with its event and a word to whoever looks after it.

    `case_id`: the case whose session the caller has, which proves who asks. Raises `SupportRequestChanged` if the id is
    known with other contents.
    """
    known = _known(asked)
    if known is not None:
        return known
    request = _built(asked, case_id, now)
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:
        # The same request at the same moment: the first one stands. A number that is taken, once in a billion, is not.
        known = _known(asked)
        if known is None:
            raise
        return known
    if asked.log:
        SupportLog.objects.create(request=request, text=_kept_of(asked.log, is_proven=request.is_proven))
    _record_opening(request, now)
    outbox.post_each(_alerts(request, now), at=now)
    return request


def mailbox_of(request: SupportRequest) -> tuple[str, bool]:
    """Where an answer goes, and whether that mailbox is known to be the holder's.

    The registered one only where the card has proven who asks; else what was typed, which anybody could have done.
    """
    registered = request.holder.email if request.is_proven and request.holder else None
    return (registered, True) if registered else (request.email, False)


def masked_mailbox(request: SupportRequest) -> str:
    """The same as its owner recognises it and nobody else learns it: `a…@example.org`."""
    name, _, domain = mailbox_of(request)[0].rpartition("@")
    return f"{name[:1]}…@{domain}" if name else ""


def _kept_of(log: str, *, is_proven: bool) -> str:
    """The log without secrets; of who has proven nothing the end only, where it went wrong, and a line that says so."""
    scrubbed = scrub_report(log)
    if is_proven or len(scrubbed) <= MOST_UNPROVEN_LOG:
        return scrubbed
    cut = len(scrubbed) - MOST_UNPROVEN_LOG
    return f"[{cut} caratteri tolti: richiesta aperta senza la carta]\n{scrubbed[cut:]}"


def _known(asked: Asked) -> SupportRequest | None:
    request = SupportRequest.objects.select_related("holder").filter(request_id=asked.request_id).first()
    if request is not None and request.content_sha256 != asked.digest:
        raise errors.SupportRequestChanged
    return request


def _built(asked: Asked, case_id: int | None, now: datetime) -> SupportRequest:
    request = SupportRequest(
        number=new_number(),
        request_id=asked.request_id,
        content_sha256=asked.digest,
        code=asked.code,
        step=asked.step[:32],
        message=scrub_report(asked.message),
        email=asked.email,
        language=asked.language,
        card_serial=asked.card_serial,
        opened_at=now,
    )
    for name in ("family", "client", "system", "reader", "driver"):
        longest = getattr(SupportRequest._meta.get_field(name), "max_length", None)
        setattr(request, name, scrub_report(getattr(asked, name))[:longest])
    return _placed(request, case_id)


def _placed(request: SupportRequest, case_id: int | None) -> SupportRequest:
    """Say whose request it is: the case's, else the card's as the register knows it, else the provider's."""
    if case_id is not None:
        case = RenewalCase.objects.select_related("holder", "centre", "card").get(pk=case_id)
        request.case, request.is_proven = case, True
        request.holder, request.centre, request.service_id = case.holder, case.centre, case.service_id
        request.card_serial = request.card_serial or case.card.serial
        return request
    pairs = Pair.objects.select_related("holder", "centre").filter(card__serial=request.card_serial)
    pair = pairs.order_by("-id").first() if request.card_serial else None
    if pair is not None:
        request.holder, request.centre, request.service_id = pair.holder, pair.centre, pair.service_id
    return request


def _record_opening(request: SupportRequest, now: datetime) -> None:
    case = request.case
    events.record(
        "support.opened",
        actor=holder_at_client(case.holder_id) if case else UNKNOWN_AT_CLIENT,
        at=now,
        reason=request.code,
        centre_id=request.centre_id,
        service_id=case.issuing_service_id if case else request.service_id,
        case_code=case.code if case else "",
        holder_id=request.holder_id,
        card_id=case.card_id if case else _card_id(request),
        facts={"request": request.number},
    )


def _card_id(request: SupportRequest) -> int | None:
    if request.holder_id is None:
        return None
    cards = Card.objects.filter(serial=request.card_serial, holder_id=request.holder_id)
    return cards.values_list("pk", flat=True).first()


def _alerts(request: SupportRequest, now: datetime) -> Iterator[Draft]:
    """One mail to the centre, or to each administrator of the provider, without a word about the person.

    What nobody has proven can be sent by anybody, so those share one mail an hour; the digest counts all of them.
    """
    key = request.number if request.is_proven else f"unproven:{request.centre_id or 0}:{now:%Y%m%d%H}"
    context = {
        "number": request.number,
        "code": request.code,
        "opened_at": now.isoformat(),
        "panel_url": f"{settings.BASE_URL}{reverse('admin:support')}",
        "centre_name": request.centre.name if request.centre else "",
    }
    for name, address in _recipients(request):
        yield Draft(
            key=f"{Message.SUPPORT_OPENED.value}:{key}{name}",
            message=Message.SUPPORT_OPENED,
            to=address,
            context=context,
            centre_id=request.centre_id,
            service_id=request.service_id,
        )


def _recipients(request: SupportRequest) -> list[tuple[str, str]]:
    if request.centre is not None:
        return [("", request.centre.email)]
    administrators = User.objects.filter(is_administrator=True, is_active=True)
    return [(f":{user.pk}", user.email) for user in administrators.order_by("pk")]
