"""Rules right before and after a signature: what is asked of the CA, and what is stored of its answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from pki.gateway import Profile, Subject, Validity
from pki.smime_profiles import term
from pki.smime_subject import Organisation, Person, subject_for
from pki.x509 import CertificateFacts
from smime.models import CaOrder, Order, SmimeCertificate
from smime.policy import WITH_ORGANISATION, WITH_PERSON
from smime.states import CertificateStatus

LONGEST_BACKDATING = timedelta(hours=1)
CAA_RETRY = timedelta(hours=1)
"""A domain that forbids us is asked again so often: its owner may change the record meanwhile."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one edition of an order asks for, as the CA is told it."""

    profile: Profile
    subject: Subject


def wanted(order: Order) -> Wanted:
    """Read the subject out of verified facts alone; `MalformedInput` where they cannot stand in a certificate."""
    profile = Profile(f"smime-{order.validation}-{order.generation}")
    person = Person(order.given_name, order.surname, order.role_title) if order.validation in WITH_PERSON else None
    organisation = (
        Organisation(order.organisation_name, order.organisation_identifier, order.country)
        if order.validation in WITH_ORGANISATION
        else None
    )
    return Wanted(profile, subject_for(profile, mailbox=order.mailbox, person=person, organisation=organisation))


def life_of(order: Order, now: datetime) -> Validity:
    """The certificate's life: the whole term at first; a reissue ends with the certificate that it replaces.

    A lost password is no way to renew for nothing.
    """
    whole = term(now, order.term_days)
    newest = handed_over(order).order_by("-edition").first()
    return whole if newest is None else Validity(whole.not_before, min(whole.not_after, newest.not_after))


def may_follow(order: Order) -> bool:
    """Whether another certificate may be issued beside those that the order has: none was suspended or revoked."""
    newest = handed_over(order).order_by("-edition").first()
    return newest is None or newest.status == CertificateStatus.ACTIVE


def handed_over(order: Order) -> QuerySet[SmimeCertificate]:
    """The order's certificates without those that the CA made otherwise than asked, which nobody was given."""
    return order.certificates.handed_over()


def is_outdated(row: CaOrder, now: datetime) -> bool:
    """Whether a request that the CA never carried out is too old to be sent as it is: it would be back-dated."""
    return row.not_before is None or now - row.not_before >= LONGEST_BACKDATING


def next_edition(order: Order) -> int:
    """The number of the next certificate of the order; the first is 1."""
    newest = order.certificates.order_by("-edition").values_list("edition", flat=True).first()
    return (newest or 0) + 1


def retry_at(attempts: int, at: datetime) -> datetime:
    """When the CA is asked again after so many attempts."""
    waits = settings.SMIME.ca_retry_seconds
    return at + timedelta(seconds=waits[min(max(attempts, 1), len(waits)) - 1])


def is_as_asked(row: CaOrder, facts: CertificateFacts, spki_sha256: str) -> bool:
    """Whether the CA's certificate is the one that was asked for: key, life, and common name."""
    said: dict[str, Any] = row.subject
    is_ours = facts.spki_sha256.hex() == spki_sha256 and facts.not_after == row.not_after
    return is_ours and facts.subject_cn == said["common_name"]


def reminder_after(not_after: datetime, now: datetime) -> datetime | None:
    """When the next reminder of an end is due: the farthest threshold still ahead; None when all have passed."""
    ahead = [not_after - timedelta(days=days) for days in settings.SMIME.reminder_days]
    return min((instant for instant in ahead if instant > now), default=None)
