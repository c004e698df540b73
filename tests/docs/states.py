"""`docs/states.md`: the machines as the models declare them, and every closed list of the register."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from django.db import models
from django_fsm import Transition

import authority.states
import cms.states
import notifications.states
import renewals.states
from authority.policy import MOVES
from cms import events
from cms.models import Certificate
from notifications.catalog import CATALOG
from renewals.models import RenewalCase, SupportRequest
from tests.docs.markdown import ROOT, code, head, sentence, table

MACHINES = (
    (RenewalCase, "state", "Renewal case: how far is it"),
    (RenewalCase, "authorisation", "Renewal case: is it authorised"),
    (Certificate, "status", "Certificate in the register"),
    (SupportRequest, "state", "Request for help"),
)
LISTS = (
    ("Renewals", renewals.states),
    ("Register", cms.states),
    ("Outbox", notifications.states),
    ("Embedded CA", authority.states),
)
INTRODUCTION = """\
A state changes through a declared transition only: Python refuses assignment, and a trigger in PostgreSQL refuses every
move that is not in these tables, whoever makes it. Why: [ADR 2](adr/0002-states-in-python-and-in-triggers.md).
"""
CA_LEDGER = """\
What an order does to a certificate in each state. *Already* and *refused* change nothing; a refused order is journalled
all the same.
"""


def document() -> str:
    """Write the whole document."""
    lines = head("States and closed lists")
    lines += [INTRODUCTION]
    for model, field, title in MACHINES:
        lines += _machine(model, field, title)
    lines += ["## Certificate in the CA's own ledger", "", CA_LEDGER]
    lines += table(("Order", "State", "Effect", "State after"), _ledger())
    for title, module in LISTS:
        lines += [f"## Closed lists: {title}", ""]
        for choices in _choices(module):
            lines += [f"### {choices.__name__}", "", sentence(choices), ""]
            lines += table(("Stored", "Label"), ((code(each.value), str(each.label)) for each in choices))
    lines += ["## Events", "", "The closed list of verbs, as stored and as *Ricerca eventi* shows them.", ""]
    lines += table(("Verb", "Label"), ((code(verb), label) for verb, label in events.VERBS.items()))
    lines += [
        "## Mails",
        "",
        "Each has a subject and a body in `templates/mail/`. A secret lies sealed until sent.",
        "",
    ]
    lines += table(("Kind", "Secrets", "Attachments", "Urgent"), _mails())
    return "\n".join(lines).rstrip() + "\n"


def _machine(model: type[models.Model], name: str, title: str) -> list[str]:
    field = model._meta.get_field(name)
    labels = {str(value): str(label) for value, label in field.choices}
    moves = sorted(field.get_all_transitions(model), key=lambda move: _place(move, list(labels)))
    where = f"`{model.__module__}.{model.__name__}.{name}`"
    lines = [f"## {title}", "", f"{where}. Starts as *{labels[str(field.default)]}*.", ""]
    lines += ["```mermaid", "stateDiagram-v2", "    direction LR"]
    lines += [f'    state "{label}" as {_id(value)}' for value, label in labels.items()]
    lines += [f"    [*] --> {_id(str(field.default))}"]
    lines += [f"    {_id(move.source)} --> {_id(move.target)}: {move.name}" for move in moves]
    lines += ["```", ""]
    rows = (
        (code(move.name), labels[str(move.source)], labels[str(move.target)], sentence(getattr(model, move.name)))
        for move in moves
    )
    lines += table(("Stored", "Label"), ((code(value), label) for value, label in labels.items()))
    return lines + table(("Transition", "From", "To", "When"), rows)


def _place(move: Transition, order: list[str]) -> tuple[int, int]:
    return order.index(str(move.source)), order.index(str(move.target))


def _id(value: object) -> str:
    return str(value).replace("-", "_")


def _ledger() -> Iterator[tuple[str, ...]]:
    for (order, state), (effect, after) in MOVES.items():
        yield str(order.label), str(state.label), str(effect.label), str(after.label)


def _choices(module: ModuleType) -> list[type[models.TextChoices]]:
    shown = {type(model._meta.get_field(name).default) for model, name, _ in MACHINES}
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, models.TextChoices)]
    return [each for each in found if each is not models.TextChoices and each not in shown]


def _mails() -> Iterator[tuple[str, ...]]:
    for message, contents in CATALOG.items():
        assert all((ROOT / f"templates/mail/{message}.{part}").exists() for part in ("subject", "body"))
        yield (
            code(message.value),
            ", ".join(map(code, sorted(contents.secrets))),
            "yes" if contents.takes_attachments else "",
            "yes" if contents.is_urgent else "",
        )
