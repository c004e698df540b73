"""Mails of S/MIME, one function each, posted in the transaction of the fact that causes them.

`link` is always a whole address. Links, codes and passwords travel under `secrets`: sealed until the mail server has
the mail, and nowhere else. A mail that told a fact already is not stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from cms.models import Centre, User
from notifications import services as outbox
from notifications.catalog import Message
from smime import policy_issuance, policy_links, policy_signature
from smime.models import Check, Consent, KeyBundle, Order, Slot, SmimeCertificate
from smime.policy_letters import Addressee, Reader, addressees, readers_of
from smime.states import CertificateStatus, CheckKind, ConsentDecision, LinkPurpose, RevocationGround, Validation


@sensitive_variables("link")
def post_verify_mailbox(order: Order, link: str, *, at: datetime) -> None:
    """Ask the recipient to confirm his mailbox; the link lives `mailbox_link_hours`, and nobody else gets it."""
    _post(order, Message.SMIME_VERIFY_MAILBOX, at, secrets={"mailed_url": link}, **_until(LinkPurpose.MAILBOX, at))


@sensitive_variables("link")
def post_consent(order: Order, link: str, *, at: datetime) -> None:
    """Ask the recipient whether his biometric data may be processed."""
    _post(order, Message.SMIME_CONSENT, at, secrets={"mailed_url": link}, **_until(LinkPurpose.CONSENT, at))


@sensitive_variables("link")
def post_identification(order: Order, link: str, expires: datetime, *, at: datetime) -> None:
    """Send the recipient to the start of his identification."""
    context: dict[str, Any] = {"expires_at": expires.isoformat(), "session_minutes": _session_minutes()}
    _post(order, Message.SMIME_IDENTIFICATION, at, secrets={"mailed_url": link}, **context)


def post_identification_passed(order: Order, *, at: datetime) -> None:
    """Tell the recipient that he is identified."""
    _post(order, Message.SMIME_IDENTIFICATION_PASSED, at)


@sensitive_variables("link")
def post_identification_failed(order: Order, link: str, left: int, expires: datetime, *, at: datetime) -> None:
    """Tell the recipient that an attempt failed, and send him to the next; `left` of them remain, at least one."""
    context: dict[str, Any] = {"expires_at": expires.isoformat(), "session_minutes": _session_minutes(), "left": left}
    _post(order, Message.SMIME_IDENTIFICATION_FAILED, at, secrets={"mailed_url": link}, **context)


@sensitive_variables("link")
def post_alternative(order: Order, link: str, *, at: datetime) -> None:
    """Offer the recipient identification by qualified signature, and say what has closed the other way."""
    answer = Consent.objects.filter(order=order).order_by("-id").values_list("decision", flat=True).first()
    because = "" if answer in {None, ConsentDecision.GIVEN} else "consent-refused"
    context: dict[str, Any] = {**_until(LinkPurpose.ALTERNATIVE, at), "because": because}
    _post(order, Message.SMIME_ALTERNATIVE, at, secrets={"mailed_url": link}, **context)


def post_form_received(order: Order, *, at: datetime) -> None:
    """Tell the recipient that his signed form has arrived, and by which day he is answered at the latest."""
    _, latest = policy_signature.answer_expected(at)
    _post(order, Message.SMIME_FORM_RECEIVED, at, answer_by=latest.isoformat())


def post_organisation_check(order: Order, *, passed: bool, at: datetime) -> None:
    """Tell the organisational contact that his organisation is being verified, or that it was."""
    context: dict[str, Any] = {"stage": "passed" if passed else "begun", "applicant_name": _recipient_name(order)}
    _post(order, Message.SMIME_ORGANISATION_CHECK, at, **context)


def post_papers_missing(order: Order, check: Check, reason: str, *, at: datetime, link: str = "") -> None:
    """Say what is missing for a check, in the officer's words, and where to send it (`link`, or the area)."""
    context: dict[str, Any] = {
        "check": str(CheckKind(check.kind).label),
        "reason": reason,
        "area_url": link or area_of(order),
    }
    _post(order, Message.SMIME_PAPERS_MISSING, at, check_kind=check.kind, **context)


def post_refused(order: Order, reason: str, *, at: datetime) -> None:
    """Tell the recipient that the order was refused for good, and why."""
    _post(order, Message.SMIME_REFUSED, at, fact="refused", reason=reason)


def post_reissue_refused(order: Order, reason: str, *, at: datetime) -> None:
    """Tell the recipient that no new certificate is issued, why, and until when the one that he has stays valid."""
    present = policy_issuance.handed_over(order).latest("edition")
    is_valid = present.status == CertificateStatus.ACTIVE and at <= present.not_after
    kept_until = present.not_after.isoformat() if is_valid else ""
    _post(order, Message.SMIME_REFUSED, at, reason=reason, kept_until=kept_until)


@sensitive_variables("password")
def post_issued(order: Order, password: str, certificate: SmimeCertificate, *, at: datetime) -> None:
    """Tell recipient and technical contact of a certificate; the password (empty: own key) goes to the recipient only.

    With a password, `certificate.bundle` must be stored already.
    """
    fact = str(certificate.edition)
    common: dict[str, Any] = {"new_not_after": certificate.not_after.isoformat(), "edition": certificate.edition}
    if password:
        bundle = certificate.bundle
        context: dict[str, Any] = {
            "area_url": area_of(order) if order.recipient_is_buyer else "",
            "download_until": bundle.expires_at.isoformat(),
            "downloads": bundle.most_downloads,
        }
        secrets = {"p12_password": password}
        _post(order, Message.SMIME_ISSUED, at, fact=fact, secrets=secrets, **common, **context)
    else:
        _post(order, Message.SMIME_ISSUED_OWN_KEY, at, fact=fact, **common, area_url=area_of(order))
    if order.technical_email.lower() != order.mailbox.lower():
        _post(order, Message.SMIME_ISSUED_NOTICE, at, fact=fact, **common)


def post_expiring(order: Order, days: int, *, at: datetime) -> None:
    """Remind of the end of the newest certificate; once for each threshold of `reminder_days`."""
    certificate = order.certificates.handed_over().latest("edition")
    context: dict[str, Any] = {
        "days": days,
        "new_not_after": certificate.not_after.isoformat(),
        "area_url": area_of(order),
    }
    _post(order, Message.SMIME_EXPIRING, at, fact=f"{certificate.edition}:{days}", **context)


def post_revoked(certificate: SmimeCertificate, *, at: datetime) -> None:
    """Tell recipient and technical contact that a certificate was revoked, and on which ground."""
    when = certificate.revoked_at or at
    context: dict[str, Any] = {
        "reason": str(RevocationGround(certificate.ground).label),
        "revoked_at": when.isoformat(),
    }
    _post(certificate.order, Message.SMIME_REVOKED, at, fact=str(certificate.edition), **context)


@sensitive_variables("url")
def post_slots_credited(user: User, slots: Sequence[Slot], url: str, *, at: datetime, language: str = "it") -> None:
    """Tell a customer what he can activate; `url` leads into the area, or sets the password of a new account first."""
    first = slots[0]
    with translation.override(language):
        kinds = [gettext(str(kind.label)) for kind in Validation for slot in slots if slot.validation == kind]
    lines = [f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds)]
    buyer = Addressee(Reader.BUYER, user.full_name or user.email, user.email)
    draft = outbox.Draft(
        key=f"{Message.SMIME_SLOTS_CREDITED}:{first.code}",
        message=Message.SMIME_SLOTS_CREDITED,
        to=buyer.address,
        context={**_sender(first.centre, buyer), "slots": lines, "count": len(slots)},
        secrets={"account_url": url},
        language=language,
        centre_id=first.centre_id,
        service_id=first.service_id,
    )
    outbox.post_all([draft], at=at)


@sensitive_variables("link")
def post_own_mailbox(slot: Slot, address: str, link: str, *, expires: datetime, at: datetime) -> None:
    """Ask the owner of an activation, at another address of his, to confirm that he reads it; written by its centre."""
    buyer = Addressee(Reader.BUYER, slot.owner.full_name or address, address)
    context = {"mailbox": address, "account": slot.owner.email, "expires_at": expires.isoformat()}
    draft = outbox.Draft(
        key=f"{Message.SMIME_OWN_MAILBOX}:{slot.owner_id}:{at.isoformat()}",
        message=Message.SMIME_OWN_MAILBOX,
        to=address,
        context={**_sender(slot.centre, buyer), **context},
        secrets={"mailed_url": link},
        language=slot.owner.language,
        centre_id=slot.centre_id,
        service_id=slot.service_id,
    )
    outbox.post_all([draft], at=at)


@sensitive_variables("code")
def post_download_code(order: Order, code: str, *, expires: datetime, at: datetime) -> None:
    """Send the buyer the digits that stand for his second element."""
    _post(order, Message.SMIME_DOWNLOAD_CODE, at, secrets={"download_code": code}, expires_at=expires.isoformat())


@sensitive_variables("link")
def post_download_link(order: Order, link: str, *, at: datetime) -> None:
    """Send a recipient who is not the buyer the link that downloads his file."""
    _post(order, Message.SMIME_DOWNLOAD_LINK, at, secrets={"mailed_url": link}, **_until(LinkPurpose.DOWNLOAD, at))


def post_downloaded(order: Order, bundle: KeyBundle, *, at: datetime) -> None:
    """Tell the recipient that his file was downloaded just now, and how often it still can be."""
    context: dict[str, Any] = {"downloaded_at": at.isoformat(), "left": bundle.most_downloads - bundle.downloads}
    _post(order, Message.SMIME_DOWNLOADED, at, **context)


def area_of(order: Order) -> str:
    """Address at which the buyer finds the order; nothing about a person stands in it."""
    return f"{settings.BASE_URL}{settings.CUSTOMER_PATH}pratiche/{order.uid}/"


@sensitive_variables("secrets")
def _post(
    order: Order,
    message: Message,
    at: datetime,
    *,
    fact: str = "",
    secrets: Mapping[str, str] | None = None,
    check_kind: str = "",
    **context: Any,
) -> None:
    """Store one mail per reader. `fact` tells it apart from others of its kind; without one, the instant does."""
    told = fact or at.isoformat()
    drafts = [
        outbox.Draft(
            key=f"{message}:{order.code}:{told}:{reader.reader.value}",
            message=message,
            to=reader.address,
            context={**_about(order, reader), **context},
            secrets=secrets or {},
            case_code=order.code,
            language=order.language,
            centre_id=order.centre_id,
            service_id=order.service_id,
        )
        for reader in addressees(order, readers_of(message, check_kind))
    ]
    outbox.post_all(drafts, at=at)


def _about(order: Order, reader: Addressee) -> dict[str, str]:
    kind = str(Validation(order.validation).label)
    return {
        **_sender(order.centre, reader),
        "case_code": order.code,
        "certificate_kind": kind,
        "mailbox": order.mailbox,
    }


def _sender(centre: Centre, reader: Addressee) -> dict[str, str]:
    return {
        "recipient_name": reader.name,
        "centre_name": centre.name,
        "centre_email": centre.email,
        "centre_phone": centre.phone,
    }


def _recipient_name(order: Order) -> str:
    return f"{order.given_name} {order.surname}".strip()


def _until(purpose: LinkPurpose, at: datetime) -> dict[str, Any]:
    return {"expires_at": policy_links.link_expires_at(purpose, at).isoformat()}


def _session_minutes() -> int:
    return int(settings.SMIME.identification_session_seconds) // 60
