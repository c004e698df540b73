"""What the mails of a case say: contexts in one place, posted in the transaction that causes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from cms import policy as register
from cms.services.certificates import Announcement
from cms.states import CertificateType
from notifications import services as outbox
from notifications.catalog import CATALOG, Attachment, Message
from renewals.models import RenewalCase

REASONS = {
    "data-incorrect": "I dati della pratica non sono corretti.",
    "holder-declines": "Il titolare ha scelto di non proseguire.",
    "missing-approval": "Il rinnovo non è stato autorizzato dal CDRL entro la scadenza dei certificati precedenti.",
    "approval-lapsed": "Il rinnovo non è stato autorizzato dal CDRL entro 120 giorni dalla sospensione.",
    "hold-lapsed": "La sospensione è durata oltre 120 giorni.",
    "old-certificate-revoked": "I certificati da rinnovare sono stati revocati.",
    "approved": "Il CDRL ha autorizzato il rinnovo.",
}


def context(case: RenewalCase, message: Message, **more: Any) -> dict[str, Any]:
    """Facts that this kind of mail carries; instants as ISO 8601 UTC, reasons in Italian."""
    if "reason" in more:
        more["reason"] = REASONS.get(more["reason"], more["reason"])
    known = _facts(case)
    return {name: known[name] for name in CATALOG[message].shapes if name in known} | more


def _facts(case: RenewalCase) -> dict[str, Any]:
    centre = case.centre
    return {
        "holder_name": case.holder.full_name,
        "case_code": case.code,
        "centre_name": centre.name,
        "centre_email": centre.email,
        "centre_phone": centre.phone,
        "purchase_url": centre.purchase_url,
        "service_name": case.service.name,
        "card_serial": case.card.serial,
        "old_not_after": case.old_not_after.isoformat(),
        "certificate_types": ", ".join(CertificateType(type_).label for type_ in case.issuing_service.types),
    }


def tell(
    case: RenewalCase,
    message: Message,
    *,
    at: datetime,
    to: str | None = None,
    suffix: str = "",
    secrets: dict[str, str] | None = None,
    attachments: Sequence[Attachment] = (),
    **more: Any,
) -> None:
    """Post one mail of this case; a holder without a mailbox gets none. Key: message, case, suffix if repeatable."""
    address = to or case.holder.email
    if not address:
        return
    outbox.post(
        key=":".join(part for part in (message.value, case.code, suffix) if part),
        message=message,
        to=address,
        context=context(case, message, **more),
        at=at,
        secrets=secrets,
        attachments=attachments,
        case_code=case.code,
        holder_id=case.holder_id,
        centre_id=case.centre_id,
        service_id=case.service_id,
        language=case.holder.language,
    )


def window_open() -> dict[str, Any]:
    """What the first notice says besides the facts of the case."""
    return {"client_url": settings.RENEWALS.client_url}


def tell_window_open(case: RenewalCase, *, at: datetime) -> None:
    """First notice: how to renew, until when, and what encryption users should know."""
    tell(case, Message.RENEWAL_NOTICE, at=at, **window_open())


def announcement(case: RenewalCase, message: Message, *, suffix: str = "", **more: Any) -> Announcement | None:
    """A mail that leaves only once the CA has acted."""
    if not case.holder.email:
        return None
    return Announcement(
        key=":".join(part for part in (message.value, case.code, suffix) if part),
        message=message.value,
        to=case.holder.email,
        context=context(case, message, **more),
        holder_id=case.holder_id,
        centre_id=case.centre_id,
        service_id=case.service_id,
        language=case.holder.language,
    )


def suspension(case: RenewalCase, *, at: datetime) -> Announcement | None:
    """Suspended for missing approval: since when, and the day from which revocation is final."""
    lapses_at = register.hold_lapses_at(at, settings.CMS.hold_days)
    return announcement(
        case, Message.SUSPENDED, suspended_at=at.isoformat(), revoke_on=lapses_at.isoformat(), reason="missing-approval"
    )


def revocation(case: RenewalCase, *, at: datetime) -> Announcement | None:
    """Day 121 has come: revoked for good, and why."""
    return announcement(case, Message.REVOKED, reason="approval-lapsed", revoked_at=at.isoformat())
