"""The wizard's steps: which of them a type has, and which one an order needs next. The row says it, not the session."""

from __future__ import annotations

from enum import StrEnum

from smime import errors, policy
from smime.models import Order
from smime.states import OrderState, Validation


class Step(StrEnum):
    """One page of the wizard; the value stands in its address."""

    RECIPIENT = "destinatario"
    CONFIRMATION = "conferma"
    TECHNICAL = "contatto-tecnico"
    CONTACT = "contatto-organizzativo"
    ORGANISATION = "organizzazione"
    ATTESTATION = "attestazione"
    SUMMARY = "riepilogo"


def steps_of(validation: str) -> tuple[Step, ...]:
    """Steps of a type in their order (the guide, steps 2 to 7)."""
    steps = [Step.RECIPIENT, Step.CONFIRMATION, Step.TECHNICAL]
    if validation in policy.WITH_ORGANISATION:
        steps += [Step.CONTACT, Step.ORGANISATION]
    if validation == Validation.SPONSOR:
        steps.append(Step.ATTESTATION)
    return (*steps, Step.SUMMARY)


def is_done(order: Order, step: Step) -> bool:
    """Whether the step's data are there."""
    return {
        Step.RECIPIENT: order.mailbox != "",
        Step.CONFIRMATION: order.recipient_confirmed_at is not None,
        Step.TECHNICAL: order.technical_email != "",
        Step.CONTACT: order.contact_email != "",
        Step.ORGANISATION: order.vat_number != "",
        Step.ATTESTATION: order.attestation_later or order.attested is not None,
        Step.SUMMARY: order.submitted_at is not None,
    }[step]


def next_step(order: Order) -> Step | None:
    """The first step that is still empty; None once the order was submitted or has ended."""
    if order.state != OrderState.DRAFT:
        return None
    return next(step for step in steps_of(order.validation) if not is_done(order, step))


def require_complete(order: Order) -> None:
    """Raise `StepMissing` unless all steps before the summary are filled in."""
    if next_step(order) not in {None, Step.SUMMARY}:
        raise errors.StepMissing
