"""Beside a renewal: what this server offers, and the holder's request for help. Anybody may call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status

from cms.contacts import parse_email
from renewals import releases
from renewals.api import refusals as known
from renewals.api.doors import address, bounded
from renewals.api.refusals import refusing
from renewals.api.support_shapes import CapabilitiesOut, SupportRequestIn, SupportRequestOut
from renewals.errors import Unauthenticated
from renewals.models import EnrolmentSession
from renewals.services import login, support
from runtime import clock

router = Router(tags=["support"])

# Of the whole installation: what strangers can store is bounded however many addresses they have.
MOST_UNPROVEN_AN_HOUR = 300


@router.get("/capabilities", response=CapabilitiesOut, summary="What this server offers", openapi_extra=refusing())
def show_capabilities(request: HttpRequest) -> dict[str, Any]:
    """Tell the time, which clients are served, where the newest one is, and which hosts must be reachable."""
    bounded(f"capabilities:{address(request)}", limit=120)
    client = {
        "minimum": settings.RENEWALS.client_minimum,
        "current": releases.current_version(),
        "download": releases.download_page(),
    }
    return {"now": clock.now(), "client": client, "hosts": releases.hosts(), "support": True}


@router.post(
    "/support-requests",
    response={201: SupportRequestOut},
    summary="A request for help",
    openapi_extra=refusing(known.SUPPORT),
)
def ask_for_help(request: HttpRequest, body: SupportRequestIn) -> Status[Any]:
    """Put the request into the centre's queue and say its number. With the bearer token of a case, about that case.

    Without one, or with one that has ended, the card's serial tells whose queue; the answer does not say which.
    """
    bounded(f"support:{address(request)}", limit=30, seconds=600)
    session = _session(request)
    # A serial that anybody can name is counted per address: nobody locks a holder out of asking for help.
    subject = f"case:{session.case_id}" if session else f"card:{body.card.serial or ''}:{address(request)}"
    bounded(f"support-of:{subject}", limit=20, seconds=3600)
    if session is None:
        bounded("support-unproven", limit=MOST_UNPROVEN_AN_HOUR, seconds=3600)
    asked = support.Asked(
        request_id=UUID(body.request_id),
        code=body.code,
        step=body.step or "",
        message=body.message,
        email=parse_email(body.email) if body.email else "",
        language=body.language,
        client=body.client,
        system=body.system,
        card_serial=body.card.serial or "",
        family=body.card.family,
        reader=body.card.reader,
        driver=body.card.driver,
        log=body.log or "",
    )
    opened = support.open_request(asked, case_id=session.case_id if session else None, now=clock.now())
    return Status(201, {"number": opened.number, "answer_to": support.masked_mailbox(opened) or None})


def _session(request: HttpRequest) -> EnrolmentSession | None:
    """The case's session, if a good token came along. A holder whose session has ended is helped all the same."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    try:
        return login.session_of(token.strip(), now=clock.now())
    except Unauthenticated:
        bounded(f"wrong-token:{address(request)}", limit=60)
        return None
