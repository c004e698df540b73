"""Where the wizard leads: to the first empty step, on to the next, and back to the status once checks run."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from smime import errors, policy_steps
from smime.models import Order
from smime.policy_steps import Step
from smime.states import OrderState

WORDS = {
    Step.RECIPIENT: gettext_noop("Destinatario"),
    Step.CONFIRMATION: gettext_noop("Conferma dei dati"),
    Step.TECHNICAL: gettext_noop("Contatto tecnico"),
    Step.CONTACT: gettext_noop("Contatto organizzativo"),
    Step.ORGANISATION: gettext_noop("Organizzazione"),
    Step.ATTESTATION: gettext_noop("Attestazione"),
    Step.SUMMARY: gettext_noop("Riepilogo"),
}
AFTER_SUBMISSION = frozenset({Step.RECIPIENT, Step.TECHNICAL, Step.CONTACT, Step.ORGANISATION, Step.ATTESTATION})
"""Steps whose data can be corrected while checks run."""


def address_of(order: Order, step: Step) -> str:
    """The address of an order's step."""
    return reverse(f"smime:{step.value}", kwargs={"uid": order.uid})


def status_address(order: Order) -> str:
    """The address of an order's status."""
    return reverse("smime:order", kwargs={"uid": order.uid})


def require_open(order: Order, step: Step) -> None:
    """Raise `OrderClosed` where a step has nothing to say (any more) in the order's state or type."""
    if step not in policy_steps.steps_of(order.validation):
        raise errors.OrderUnknown
    is_correction = order.state == OrderState.CHECKING and step in AFTER_SUBMISSION
    if order.state != OrderState.DRAFT and not is_correction:
        raise errors.OrderClosed


def require_key_open(order: Order) -> None:
    """Raise `OrderClosed` where the choice of key cannot be changed any more: the CA may have been asked already."""
    if order.state not in {OrderState.DRAFT, OrderState.CHECKING}:
        raise errors.OrderClosed


def way_before(order: Order, step: Step) -> str | None:
    """Where a step cannot be shown yet: the address of the one that is missing; None where it can."""
    if order.state != OrderState.DRAFT and step not in AFTER_SUBMISSION:
        return status_address(order)
    require_open(order, step)
    sequence = policy_steps.steps_of(order.validation)
    earlier = sequence[: sequence.index(step)]
    empty = next((each for each in earlier if not policy_steps.is_done(order, each)), None)
    return address_of(order, empty) if empty is not None else None


def way_after(order: Order, step: Step) -> str:
    """Where to go once a step is stored: the first empty one, else the summary; the status once checks run."""
    del step
    missing = policy_steps.next_step(order)
    return status_address(order) if missing is None else address_of(order, missing)


def stepper(order: Order, step: Step) -> dict[str, Any]:
    """What the drawing of the steps needs: their words and the place of this one; nothing after submission."""
    if order.state != OrderState.DRAFT:
        return {"words": [], "at": 0, "back": status_address(order)}
    sequence = [each for each in policy_steps.steps_of(order.validation) if each != Step.CONFIRMATION]
    here = Step.RECIPIENT if step == Step.CONFIRMATION else step
    at = sequence.index(here) + 1
    before = address_of(order, sequence[at - 2]) if at > 1 else reverse("smime:dashboard")
    if step == Step.CONFIRMATION:
        before = address_of(order, Step.RECIPIENT)
    return {"words": [_(WORDS[each]) for each in sequence], "at": at, "back": before}


def sequence_of(order: Order) -> tuple[Step, ...]:
    """The steps of the order's type."""
    return policy_steps.steps_of(order.validation)
