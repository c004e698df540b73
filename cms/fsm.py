"""State fields whose only way to change is a declared transition.

`django-fsm-2`'s own model mixin switches protection off for the whole process when a refreshed row is missing, and
races between threads; so the flag that lets a row be re-read lives on the instance here (ADR 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pgtrigger
from django.db import models
from django_fsm import FSMField, FSMFieldDescriptor, TransitionNotAllowed

from cms.errors import IllegalMove

_REREADING = "_rereading_state"


class ProtectedDescriptor(FSMFieldDescriptor):
    """Refuses assignment, except while this very instance is being re-read from the database."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Set the first value of an instance or a re-read one; anything else is an AttributeError."""
        if self.field.name in instance.__dict__ and not instance.__dict__.get(_REREADING):
            message = f"{self.field.name} changes through its transitions only"
            raise AttributeError(message)
        self.field.set_state(instance, value)


class StateField(FSMField):
    """A state field; each of its transitions also stands in the table's trigger (`transition_trigger`)."""

    descriptor_class = ProtectedDescriptor


class StatefulModel(models.Model):
    """Base of rows with state fields: re-reading works, assignment does not."""

    class Meta:
        abstract = True

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        """Re-read the row; protection of other instances is untouched, and comes back even if the row is gone."""
        self.__dict__[_REREADING] = True
        try:
            super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        finally:
            self.__dict__.pop(_REREADING, None)


def transition_trigger(name: str, field: str, moves: Iterable[tuple[str, str]]) -> pgtrigger.FSM:
    """Build the trigger that refuses every move of `field` not in `moves`; idle when the field does not change."""
    return pgtrigger.FSM(
        name=name,
        field=field,
        transitions=sorted(moves),
        condition=pgtrigger.AnyChange(field),
    )


def append_only(prefix: str) -> list[pgtrigger.Trigger]:
    """Build the trigger of a table whose rows are never changed or deleted."""
    return [pgtrigger.Protect(name=f"{prefix}_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


@contextmanager
def refusing_illegal_moves() -> Iterator[None]:
    """Turn the library's exception into our refusal, so that only models and services know the library."""
    try:
        yield
    except TransitionNotAllowed as move:
        raise IllegalMove from move
