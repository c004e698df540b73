"""Acceptance of the terms: what was shown, in which version, by whom and from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runtime.transactions import use_case
from smime import errors, terms
from smime.models import Order, TermsAcceptance


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a form says was shown when its box was ticked."""

    version: str
    sha256: str


@use_case
def accept_terms(
    order: Order,
    accepted: Accepted | None,
    *,
    role: str,
    address: str | None,
    at: datetime,
    actor_id: int | None = None,
) -> None:
    """Store the acceptance, once per text and role (`buyer` or `recipient`).

    Raises `TermsNotAccepted` without a ticked box, `TermsOutdated` if another version was shown than is in force now.
    """
    if accepted is None:
        raise errors.TermsNotAccepted
    text = terms.in_force()
    if (accepted.version, accepted.sha256) != (text.version, text.sha256):
        raise errors.TermsOutdated
    TermsAcceptance.objects.get_or_create(
        order=order,
        text=text.kind,
        version=text.version,
        role=role,
        defaults={"sha256": text.sha256, "actor_id": actor_id, "address": address, "at": at},
    )
