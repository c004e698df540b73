"""What the mails of a case say: contexts in one place, posted in the transaction that causes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from cms import policy as register
from cms.models import Certificate, Hold, Service
from cms.services import deadlines, halves
from cms.services.certificates import Announcement
from cms.services.halves import Chosen
from cms.states import CertificateType, Flow, HoldCause
from notifications import services as outbox
from notifications import withdrawal
from notifications.catalog import CATALOG, Attachment, Message
from notifications.services import Draft
from renewals import policy, releases
from renewals.models import RenewalCase
from renewals.states import Authorisation, Notice

# Message ids: each is translated when its mail is rendered, in the holder's language.
REASONS = {
    "data-incorrect": _("I dati della pratica non sono corretti."),
    "holder-data-wrong": _("I dati del titolare non sono corretti."),
    "holder-declines": _("Il titolare ha scelto di non proseguire."),
    "missing-approval": _("Il rinnovo non è stato autorizzato dal CDRL entro la scadenza dei certificati precedenti."),
    "approval-lapsed": _("Il rinnovo non è stato autorizzato dal CDRL entro 120 giorni dalla sospensione."),
    "hold-lapsed": _("La sospensione è durata oltre 120 giorni."),
    "old-certificate-revoked": _("I certificati da rinnovare sono stati revocati."),
    "approved": _("Il CDRL ha autorizzato il rinnovo."),
}
REASON_OF_HOLD = {
    HoldCause.HOLDER: _("La sospensione è stata chiesta dal titolare."),
    HoldCause.OPERATOR: _("La sospensione è stata disposta dal CDRL."),
    HoldCause.AUTHORITY: _("La sospensione è stata disposta dall'autorità."),
}
UNTOLD_OF_EXTENSIONS = frozenset({Message.RENEWAL_NOTICE, Message.RENEWAL_REMINDER, Message.CASE_EXPIRED})
MESSAGE_OF = {
    Notice.RENEWAL: Message.RENEWAL_REMINDER,
    Notice.SUSPENSION: Message.SUSPENSION_WARNING,
    Notice.REVOCATION: Message.REVOCATION_WARNING,
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
        "certificate_types": types_of(case.issuing_service),
    }


def types_of(service: Service) -> str:
    """Name the types of a service's certificates in a line."""
    return ", ".join(CertificateType(type_).label for type_ in service.types)


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
    if not address or is_untold(case, message):
        return
    draft = Draft(
        key=":".join(part for part in (message.value, case.code, suffix) if part),
        message=message,
        to=address,
        context=context(case, message, **more),
        secrets=secrets or {},
        attachments=attachments,
        case_code=case.code,
        holder_id=case.holder_id,
        language=case.holder.language,
        centre_id=case.centre_id,
        service_id=case.service_id,
    )
    # What must reach its reader, a code or a form, is no fact without its letter; any other fact stands without it.
    post = outbox.post_all if secrets or attachments else outbox.post_each
    post([draft], at=at)


def is_untold(case: RenewalCase, message: Message) -> bool:
    """Whether the flow leaves this mail out: an extension invites nobody, and ends with no new purchase (R29)."""
    return case.flow == Flow.EXTEND and message in UNTOLD_OF_EXTENSIONS


def window_open() -> dict[str, Any]:
    """What the first notice says besides the facts of the case."""
    return {"client_url": releases.download_page()}


def data_reported(case: RenewalCase) -> dict[str, Any]:
    """What the centre is told of a holder who calls his data wrong: where to read it, nothing of the person."""
    return {"panel_url": f"{settings.BASE_URL}{reverse('admin:case', args=[case.code])}"}


def tell_window_open(case: RenewalCase, *, at: datetime) -> None:
    """First notice: how to renew, until when, and what encryption users should know."""
    tell(case, Message.RENEWAL_NOTICE, at=at, **window_open())


def announcement(case: RenewalCase, message: Message, *, suffix: str = "", **more: Any) -> Announcement | None:
    """A mail that leaves only once the CA has acted."""
    if not case.holder.email or is_untold(case, message):
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
        case,
        Message.SUSPENDED,
        suspended_at=at.isoformat(),
        revoke_on=lapses_at.isoformat(),
        reason="missing-approval",
        entries=deadlines.entry(HoldCause.MISSING_APPROVAL, lapses_at),
    )


def revocation(case: RenewalCase, *, at: datetime) -> Announcement | None:
    """Day 121 has come: revoked for good, and why."""
    return announcement(case, Message.REVOKED, reason="approval-lapsed", revoked_at=at.isoformat())


def warning(case: RenewalCase, days: int) -> Draft | None:
    """The reminder or warning that is due at this threshold, not yet stored; None for a holder without a mailbox."""
    counted = policy.countdown(case)
    if counted is None or not case.holder.email:
        return None
    message = MESSAGE_OF[counted.kind]
    return Draft(
        key=f"{message.value}:{case.code}:{days}",
        message=message,
        to=case.holder.email,
        context=context(case, message, days=days, **_WARNED[counted.kind](case)),
        case_code=case.code,
        holder_id=case.holder_id,
        language=case.holder.language,
        centre_id=case.centre_id,
        service_id=case.service_id,
    )


def _to_be_suspended(case: RenewalCase) -> dict[str, Any]:
    """Until when the centre must authorise, what follows, and what it said where it has refused."""
    said = {"reason": case.decision_reason} if case.authorisation == Authorisation.REFUSED else {}
    return {
        "authorise_by": case.old_not_after.isoformat(),
        "suspend_at": register.expires_at(case.old_not_after).isoformat(),
        "recoverable_days": settings.CMS.hold_days,
        **said,
    }


def _to_be_revoked(case: RenewalCase) -> dict[str, Any]:
    suspended_at = case.suspended_at or case.old_not_after
    lapses_at = register.hold_lapses_at(suspended_at, settings.CMS.hold_days)
    return {
        "suspended_at": suspended_at.isoformat(),
        "revoke_on": lapses_at.isoformat(),
        "reason": "missing-approval",
        "entries": deadlines.entry(HoldCause.MISSING_APPROVAL, lapses_at),
    }


_WARNED: dict[str, Callable[[RenewalCase], dict[str, Any]]] = {
    Notice.RENEWAL: lambda _case: window_open(),
    Notice.SUSPENSION: _to_be_suspended,
    Notice.REVOCATION: _to_be_revoked,
}


def warning_of_hold(hold: Hold, together: Sequence[Certificate], days: int) -> Draft | None:
    """One mail for the halves of a pair that are revoked on the same day; None for a holder without a mailbox."""
    told = halves.letter(
        Chosen(hold.certificate.pair, list(together), ""),
        Message.REVOCATION_WARNING,
        at=hold.placed_at,
        reason=REASON_OF_HOLD[HoldCause(hold.cause)],
        suspended_at=hold.placed_at.isoformat(),
        revoke_on=hold.lapses_at.isoformat(),
        days=days,
        entries=deadlines.entries([hold]),
    )
    if told is None:
        return None
    return Draft(
        key=f"{told.message}:{day_of(hold)}:{days}",
        message=Message.REVOCATION_WARNING,
        to=told.to,
        context=told.context,
        holder_id=told.holder_id,
        language=told.language,
        centre_id=told.centre_id,
        service_id=told.service_id,
    )


def lapse_of_holds(hold: Hold, together: Sequence[Certificate]) -> Announcement | None:
    """The 120 days of a hold are over: revoked for good; one mail for the halves that it happens to on one day."""
    chosen = Chosen(hold.certificate.pair, list(together), "")
    told = halves.letter(chosen, Message.REVOKED, at=hold.lapses_at, reason=REASONS["hold-lapsed"])
    return replace(told, key=f"{told.message}:{day_of(hold)}") if told else None


def day_of(hold: Hold) -> str:
    """Which pair is revoked, and on which day: what one mail tells."""
    return day_of_pair(hold.certificate.pair_id, hold.lapses_at)


def day_of_pair(pair_id: int, lapses_at: datetime) -> str:
    """The same from its parts; stands in the keys of these mails."""
    return f"pair-{pair_id}:{register.rome_date(lapses_at):%Y%m%d}"


def pair_of(key: str) -> int:
    """Pair that the key of such a mail names."""
    return int(key.partition(":pair-")[2].partition(":")[0])


def outlived(keys: Iterable[str], standing: Collection[str]) -> list[str]:
    """Those of the keys whose pair and day (`day_of`) no longer stand; one look at each, since thousands may wait."""
    return [key for key in keys if key.partition(":")[2].rpartition(":")[0] not in standing]


def withdraw_every_warning(cases: Collection[RenewalCase]) -> None:
    """Take back whatever of these cases, which are over, is still queued to remind or to warn."""
    told = [case.code for case in cases if case.noticed_at is not None]
    withdrawal.withdraw_of_cases(told, list(MESSAGE_OF.values()))


def withdraw_warnings(case: RenewalCase) -> None:
    """Take back the reminders and warnings that are still queued and that the case, as it now stands, has outlived."""
    if case.noticed_at is None:
        return
    counted = policy.countdown(case)
    outlived = [message for kind, message in MESSAGE_OF.items() if counted is None or counted.kind != kind]
    withdrawal.withdraw_of_cases([case.code], outlived)
