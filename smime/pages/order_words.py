"""How an order and its checks are said on the pages: state, who must act, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from smime import queries
from smime.models import Check, Order
from smime.states import CertificateStatus, CheckKind, CheckState, OrderState

if TYPE_CHECKING:
    from smime.models import SmimeCertificate

TONES = {
    OrderState.DRAFT: "wait",
    OrderState.CHECKING: "wait",
    OrderState.APPROVED: "neutral",
    OrderState.ISSUED: "ok",
    OrderState.REJECTED: "danger",
    OrderState.CANCELLED: "neutral",
    OrderState.LAPSED: "neutral",
}

# Who acts on a check that waits for the customer: the mailed links go to the recipient, the attestation is the buyer's.
_BUYER_ACTS = gettext_noop("Tocca a Lei")
_RECIPIENT_ACTS = gettext_noop("Tocca al destinatario")
_OFFICE_ACTS = gettext_noop("Tocca al nostro ufficio")
_OTHERS_ACT = gettext_noop("In attesa di una risposta esterna: non deve fare nulla")


@dataclass(frozen=True, slots=True)
class Line:
    """One order in a list: who it is for, its state, who must act and until when."""

    order: Order
    address: str
    state: str
    tone: str
    who: str
    due_at: datetime | None
    certificate: SmimeCertificate | None


def line_of(order: Order, now: datetime) -> Line:
    """Say one order for a list."""
    check = queries.next_to_act(order, now) if order.state == OrderState.CHECKING else None
    certificate = next(iter(order.certificates.all()), None)
    state, tone = _standing(order, certificate, now)
    return Line(
        order=order,
        address=reverse("smime:order", kwargs={"uid": order.uid}),
        state=state,
        tone=tone,
        who=_who_acts(order, check),
        due_at=check.due_at if check else None,
        certificate=certificate,
    )


def actor_of(check: Check) -> str:
    """Say who must act on a check; empty when nobody."""
    if check.state == CheckState.IN_REVIEW:
        return _(_OFFICE_ACTS)
    if check.state == CheckState.WAITING_THIRD_PARTY:
        return _(_OTHERS_ACT)
    if check.state not in {CheckState.WAITING_CUSTOMER, CheckState.FAILED}:
        return ""
    acts_himself = check.kind in BUYERS or check.order.recipient_is_buyer
    return _(_BUYER_ACTS) if acts_himself else _(_RECIPIENT_ACTS)


BUYERS = frozenset({CheckKind.ATTESTATION, CheckKind.ORGANISATION, CheckKind.AUTHORITY})
"""Checks whose papers the buyer provides in the area; the others go by mail to the recipient."""


def _standing(order: Order, certificate: SmimeCertificate | None, now: datetime) -> tuple[str, str]:
    """State and tone: an order that has ended well is told by its certificate, which nobody may take for valid."""
    if order.state == OrderState.ISSUED and certificate is not None:
        if certificate.status == CertificateStatus.REVOKED:
            return _("Revocato"), "danger"
        if certificate.not_after < now:  # its last second counts
            return _("Scaduto"), "neutral"
        if certificate.status == CertificateStatus.HELD:
            return _("Sospeso"), "danger"
    return _(OrderState(order.state).label), TONES[OrderState(order.state)]


def _who_acts(order: Order, check: Check | None) -> str:
    if order.state == OrderState.DRAFT:
        return _("Tocca a Lei: completi i dati")
    if order.state == OrderState.APPROVED:
        return _("Emissione in corso: non deve fare nulla")
    if order.state == OrderState.CHECKING:
        return actor_of(check) if check else _(_OFFICE_ACTS)
    return ""
