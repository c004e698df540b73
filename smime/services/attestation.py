"""The attestation of a recipient's role: fields and letter, sent by the buyer now or later, looked at by an officer.

Until the scanner has called the letter clean nobody of the office is asked to look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_noop as _

from cms import events
from cms.actors import customer
from cms.models import User
from cms.policy import rome_date
from runtime.transactions import use_case
from smime import attestation_letter, policy_attestation, queries
from smime.models import Check, EvidenceFile, Order
from smime.services import checks, evidence, letters
from smime.services.evidence import Examined
from smime.services.orders import locked_order
from smime.states import CheckKind, CheckState, FileKind, ScanState

UNFIT = {
    ScanState.INFECTED: _("Il file caricato contiene un virus e non è stato aperto: lo sostituisca con uno pulito."),
    ScanState.QUARANTINED: _(
        "Il file caricato contiene azioni automatiche o allegati e non è stato aperto: "
        "lo stampi in un nuovo PDF, o ne carichi una scansione."
    ),
}
"""What the customer reads about a letter that nobody will look at."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser sends it."""

    name: str
    content: bytes = field(repr=False)
    sent_as: str = ""


def begin(order: Order, check: Check, *, at: datetime) -> None:
    """Ask for what is missing: the buyer, the scanner, or the officer."""
    _advance(order, check, at)


def submit_attestation(
    order_uid: UUID, *, fields: Mapping[str, str], upload: Upload | None, buyer: User, now: datetime
) -> Order:
    """Store what the letter says, and the letter. Without it (*Carica e invia dopo*) the fields are kept as typed.

    Raises what is wrong with fields or file; a letter that is infected or puts itself in quarantine is stored, and the
    check says so. Opens the file before the transaction: that takes a process of its own, and up to a second.
    """
    order = queries.order_of(order_uid, buyer)
    policy_attestation.require_replaceable(order, queries.check_of(order, CheckKind.ATTESTATION))
    if upload is None:
        return _store_for_later(order_uid, policy_attestation.tidy(fields), buyer=buyer, now=now)
    facts = policy_attestation.checked(fields, order, today=rome_date(now))
    examined = evidence.examine(FileKind.ATTESTATION, name=upload.name, content=upload.content, sent_as=upload.sent_as)
    return _store(order_uid, facts, examined, buyer=buyer, now=now)


def render_letter(order_uid: UUID, *, fields: Mapping[str, str], buyer: User, now: datetime) -> bytes:
    """Write the letter for the referee to sign (PDF), with what was typed so far, which is kept for the upload."""
    order = submit_attestation(order_uid, fields=fields, upload=None, buyer=buyer, now=now)
    return attestation_letter.render(order, policy_attestation.tidy(fields))


def go_on_with(file: EvidenceFile, *, at: datetime) -> None:
    """The scanner has spoken: the check goes on, if this letter is still the one that counts."""
    check = Check.objects.select_for_update().filter(order=file.order, kind=CheckKind.ATTESTATION).first()
    newest = newest_letter(file.order, check)
    if check is not None and newest == file and check.state == CheckState.WAITING_THIRD_PARTY:
        _advance(file.order, check, at)


def newest_letter(order: Order, check: Check | None) -> EvidenceFile | None:
    """The letter that counts: the last one sent since the data that it is about changed."""
    sent = EvidenceFile.objects.filter(order=order, kind=FileKind.ATTESTATION, erased_at__isnull=True)
    return sent.filter(round=check.round if check else 1).order_by("-pk").first()


@use_case
def _store_for_later(order_uid: UUID, typed: dict[str, str], *, buyer: User, now: datetime) -> Order:
    del now
    order = locked_order(order_uid, buyer)
    check = _locked_check(order)
    policy_attestation.require_replaceable(order, check)
    # A letter that was sent already stays sent, with the fields that were judged beside it.
    if newest_letter(order, check) is None:
        order.attestation_later = True
        order.attested = typed if any(typed.values()) else None
        order.save(update_fields=["attestation_later", "attested"])
    return order


@use_case
def _store(order_uid: UUID, facts: dict[str, str], examined: Examined, *, buyer: User, now: datetime) -> Order:
    order = locked_order(order_uid, buyer)
    check = _locked_check(order)
    policy_attestation.require_replaceable(order, check)
    order.attested, order.attestation_later = facts, False
    order.save(update_fields=["attested", "attestation_later"])
    file = evidence.keep(order, FileKind.ATTESTATION, examined, by=buyer.pk, at=now)
    events.record(
        "smime.attestation-sent",
        actor=customer(buyer),
        at=now,
        facts={"file": file.pk},
        **checks.scope(order),
    )
    if check is not None:
        _advance(order, check, now)
    return order


def _advance(order: Order, check: Check, at: datetime) -> None:
    letter = newest_letter(order, check)
    check.reason = ""
    if letter is None:
        check.ask_customer(at=at)
    elif letter.scan == ScanState.CLEAN:
        check.review(at=at)
    elif letter.scan == ScanState.PENDING:
        check.ask_third_party(at=at)
    else:
        reason = UNFIT[ScanState(letter.scan)]
        check.ask_customer(at=at, reason=reason)
        letters.post_papers_missing(order, check, reason, at=at)
    check.save()


def _locked_check(order: Order) -> Check | None:
    return Check.objects.select_for_update().filter(order=order, kind=CheckKind.ATTESTATION).first()
