"""Scan and login: the part of the API that anybody may call."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from cms.models import CardFamily
from renewals import releases
from renewals.api import answers, bodies
from renewals.api import refusals as known
from renewals.api.doors import address, bounded, decoded, texts_shown
from renewals.api.fields import CaseFlow
from renewals.api.refusals import refusing
from renewals.errors import FamilyRefused
from renewals.services import login
from renewals.services.scan import Finding, scan_card
from renewals.services.view import case_view
from runtime import clock

router = Router(tags=["entrance"])


@router.post("/scan", response=answers.ScanOut, summary="Verdict on a card, without login", openapi_extra=refusing())
def scan(request: HttpRequest, body: bodies.ScanIn) -> dict[str, Any]:
    """Say what can be renewed on this card, and with which words a refusal is told."""
    bounded(f"scan:{address(request)}", limit=120)
    result = scan_card(
        serial=body.card.serial,
        atr=body.card.atr or "",
        certificates=[decoded(text) for text in body.certificates],
        now=clock.now(),
    )
    best = result.best
    refusal = best.refusal if best else None
    family = result.family
    return {
        "verdict": best.verdict if best else "not-renewable",
        "code": refusal.reason_code if refusal else None,
        "message": refusal.label if refusal else None,
        "advice": refusal.text if refusal else None,
        "family": family and _family(family),
        "secrets": ["pin", "puk"] if family and family.asks_puk else ["pin"],
        "certificates": [_shown(finding) for finding in result.findings],
        "offers": result.offers,
        "purchase_url": result.purchase_url or None,
    }


@router.get("/texts", response=answers.TextsOut, summary="Texts of a flow, before the login", openapi_extra=refusing())
def show_texts_of_flow(request: HttpRequest, flow: CaseFlow) -> dict[str, Any]:
    """Say what the flow will ask the holder to accept, so that it can be read before any code of the card is asked."""
    bounded(f"texts:{address(request)}", limit=120)
    return texts_shown(flow)


@router.post(
    "/challenges",
    response={201: answers.ChallengeOut},
    summary="A text for the card to sign",
    openapi_extra=refusing(known.CHALLENGE),
)
def begin_login(request: HttpRequest, body: bodies.ChallengeIn) -> Status[Any]:
    """Make a single-use login text, valid five minutes, for the old authentication key."""
    bounded(f"challenge:{address(request)}", limit=120)
    releases.require_served(request.headers.get("Sigillo-Client", ""))
    challenge = login.begin_login(card_serial=body.card_serial, fingerprint=body.certificate, now=clock.now())
    return Status(201, challenge)


@router.post(
    "/sessions",
    response={201: answers.SessionOut},
    summary="Open or resume the case",
    openapi_extra=refusing(known.SESSION),
)
def open_session(request: HttpRequest, body: bodies.SessionIn) -> Status[Any]:
    """Exchange the card's signature for a bearer token bound to one case."""
    bounded(f"session:{address(request)}", limit=120)
    releases.require_served(request.headers.get("Sigillo-Client", ""))
    token, session = login.open_session(body.challenge, decoded(body.signature), now=clock.now())
    return Status(201, {"token": token, "expires_at": session.expires_at, "case": case_view(session.case)})


def _family(family: CardFamily) -> dict[str, Any]:
    return {
        "code": family.code,
        "name": family.name,
        "reinsert_after": family.reinsert_after,
        "replaces": family.replaces,
        "refusal": None if family.renewable else family.refusal or FamilyRefused.detail,
    }


def _shown(finding: Finding) -> dict[str, Any]:
    refusal = finding.refusal
    return {
        "fingerprint": finding.fingerprint,
        "type": finding.certificate.type if finding.certificate else None,
        "verdict": finding.verdict,
        "code": refusal.reason_code if refusal else None,
        "message": refusal.label if refusal else None,
        "not_after": finding.not_after,
    }
