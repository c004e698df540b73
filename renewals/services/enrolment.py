"""The holder's first steps: diagnosis and contacts. Every step can be repeated."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from cms.actors import holder_at_client
from cms.contacts import Contacts
from cms.errors import StockEmpty
from cms.services import holders, stock
from cms.states import Outcome
from notifications.catalog import Message
from renewals import errors, policy
from renewals.flows import POLICIES, terms_of
from renewals.models import MailboxConfirmation, RenewalCase
from renewals.services import eligibility, notices
from renewals.services.cases import locked, record
from renewals.states import CaseState, Step
from runtime.transactions import use_case


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the client found on the card; it decides nothing, the verdict is the server's."""

    pin_locked: bool
    puk_locked: bool
    login_key_matches: bool
    sign_key_matches: bool
    certificates_readable: bool
    can_generate: bool
    atr: str
    driver: str


def locked_for_step(case_id: int, *, now: datetime) -> RenewalCase:
    """Lock an open case whose old certificates are still alive: asked again at every step (REG-6.3.7-03)."""
    case = locked(case_id)
    require_step(case, now=now)
    return case


def require_step(case: RenewalCase, *, now: datetime) -> None:
    """Raise unless the locked case is open and its old certificates are still alive."""
    if not case.is_open:
        raise errors.CaseEnded
    policy.require_alive(case.old_halves, now)


def diagnose(case_id: int, diagnosis: Diagnosis, *, now: datetime) -> RenewalCase:
    """Decide whether this card can be renewed, before anything is asked of the holder; zero stock already refuses."""
    try:
        return _diagnose(case_id, diagnosis, now=now)
    except (errors.NotRenewable, StockEmpty) as refusal:
        _remember_refusal(case_id, refusal.reason_code, now=now)
        raise


@use_case
def _diagnose(case_id: int, diagnosis: Diagnosis, *, now: datetime) -> RenewalCase:
    case = locked_for_step(case_id, now=now)
    _require_fit(diagnosis)
    _require_still_renewable(case, now)
    if case.state == CaseState.NOTIFIED:
        stock.require_available(centre_id=case.centre_id, service_id=case.issuing_service_id, types=case.types)
    if case.diagnosed_at is None:
        case.diagnosed_at = now
        case.save(update_fields=["diagnosed_at"])
        facts = {"atr": diagnosis.atr, "driver": diagnosis.driver}
        record("case.diagnosed", case, actor=holder_at_client(case.holder_id), at=now, facts=facts)
    return case


def _require_still_renewable(case: RenewalCase, now: datetime) -> None:
    """The device's dates and the family's limits once more; the case has passed its window."""
    pair = case.old_pair
    pair.card = case.card
    done = eligibility.renewals_done(case.card)
    policy.require_device_lives(pair, case.old_halves, terms_of(case), done=done, now=now)


def _require_fit(diagnosis: Diagnosis) -> None:
    if diagnosis.puk_locked:
        raise errors.PukLocked
    if diagnosis.pin_locked:
        raise errors.PinLocked
    readable = diagnosis.certificates_readable and diagnosis.login_key_matches and diagnosis.sign_key_matches
    if not (readable and diagnosis.can_generate):
        raise errors.CardUnfit


@use_case
def _remember_refusal(case_id: int, code: str, *, now: datetime) -> None:
    """The refusal outlives the rolled-back step: operators see it; out of stock also tells the centre, once a day."""
    case = locked(case_id)
    actor = holder_at_client(case.holder_id)
    record("case.diagnosis-failed", case, actor=actor, at=now, outcome=Outcome.REFUSED, reason=code)
    if code == StockEmpty.code:
        tell_stock_empty(case_id, now=now)


@use_case
def tell_stock_empty(case_id: int, *, now: datetime) -> None:
    """Alert the centre that a holder was turned away for want of certificates."""
    case = locked(case_id)
    record("stock.empty", case, actor=holder_at_client(case.holder_id), at=now, outcome=Outcome.REFUSED)
    notices.tell(case, Message.STOCK_EMPTY, at=now, to=case.centre.email, suffix=f"{now:%Y-%m-%d}")


@use_case
def submit_contacts(case_id: int, contacts: Contacts, *, now: datetime) -> RenewalCase:
    """Take the holder's contacts; a changed mailbox waits for the code mailed to it, and both addresses are told.

    Contacts that already wait are replaced and their code is worth nothing more: the mailbox may have been mistyped.
    """
    case = locked_for_step(case_id, now=now)
    if case.diagnosed_at is None or Step.CONTACTS not in POLICIES[case.flow].steps:
        raise errors.StepNotOpen
    if case.state != CaseState.NOTIFIED:
        return case
    holders.require_contacts_free(contacts, holder_id=case.holder_id)
    if contacts.email_key == case.holder.email_key:
        _store_contacts(case, contacts, now=now)
        return case
    case.pending_contacts, case.contacts_confirmed_at = asdict(contacts), None
    case.save(update_fields=["pending_contacts", "contacts_confirmed_at"])
    _mail_code(case, contacts, now=now)
    return case


def confirm_mailbox(case_id: int, code: str, *, now: datetime) -> RenewalCase:
    """Compare the mailed code; the right one makes the pending contacts the holder's. Five tries, one hour."""
    case, is_right = _compare_code(case_id, code, now=now)
    if not is_right:
        # Raised outside the transaction, so that the counted try is committed.
        raise errors.ConfirmationInvalid
    return case


@use_case
def _compare_code(case_id: int, code: str, *, now: datetime) -> tuple[RenewalCase, bool]:
    case = locked_for_step(case_id, now=now)
    confirmation = MailboxConfirmation.objects.filter(case=case).first()
    if case.contacts_confirmed_at is not None and case.pending_contacts is None:
        return case, True
    if case.pending_contacts is None or confirmation is None:
        raise errors.StepNotOpen
    if now >= confirmation.expires_at or confirmation.tries >= settings.RENEWALS.confirmation_tries:
        raise errors.ConfirmationExpired
    if not constant_time_compare(confirmation.code_mac, _code_mac(case, code)):
        MailboxConfirmation.objects.filter(pk=confirmation.pk).update(tries=F("tries") + 1)
        return case, False
    _store_contacts(case, Contacts(**case.pending_contacts), now=now)
    record("case.mailbox-confirmed", case, actor=holder_at_client(case.holder_id), at=now)
    return case, True


def _store_contacts(case: RenewalCase, contacts: Contacts, *, now: datetime) -> None:
    before = case.holder
    changed = holders.changed_fields(before, contacts)
    old_mailbox = before.email
    holders.change_contacts(case.holder_id, contacts)
    case.pending_contacts, case.contacts_confirmed_at = None, now
    case.save(update_fields=["pending_contacts", "contacts_confirmed_at"])
    case.holder.refresh_from_db()
    record("case.contacts-changed", case, actor=holder_at_client(case.holder_id), at=now)
    _tell_changed(case, changed, old_mailbox, now=now)


def _tell_changed(case: RenewalCase, changed: list[str], old_mailbox: str | None, *, now: datetime) -> None:
    """Name what has changed, never the data. The mailbox that is left is told too, unless only itself has changed."""
    if not changed:
        return
    said, moment = "\n".join(changed), f"{now:%Y%m%dT%H%M%S%f}"
    notices.tell(case, Message.DATA_CHANGED, at=now, suffix=moment, changed=said)
    if old_mailbox and old_mailbox != case.holder.email and changed != [holders.FIELD_NAMES["email"]]:
        notices.tell(case, Message.DATA_CHANGED, at=now, to=old_mailbox, suffix=f"{moment}:left", changed=said)


def _mail_code(case: RenewalCase, contacts: Contacts, *, now: datetime) -> None:
    code = f"{secrets.randbelow(1_000_000):06d}"
    expires_at = now + timedelta(seconds=settings.RENEWALS.confirmation_seconds)
    confirmation, created = MailboxConfirmation.objects.get_or_create(
        case=case, defaults={"code_mac": _code_mac(case, code), "expires_at": expires_at}
    )
    if not created:
        confirmation.code_mac, confirmation.tries, confirmation.expires_at = _code_mac(case, code), 0, expires_at
        confirmation.sequence += 1
        confirmation.save()
    suffix = str(confirmation.sequence)
    secret = {"confirmation_code": code}
    notices.tell(case, Message.CONTACT_CONFIRMATION, at=now, to=contacts.email, suffix=suffix, secrets=secret)
    if case.holder.email:
        notices.tell(case, Message.CONTACT_CHANGED, at=now, suffix=suffix)


def _code_mac(case: RenewalCase, code: str) -> str:
    return salted_hmac("renewals.mailbox-confirmation", f"{case.code}:{code}", algorithm="sha256").hexdigest()
