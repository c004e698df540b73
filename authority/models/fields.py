"""Column types that the framework lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.expressions import Func

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SERIAL_BITS = 159  # RFC 5280 §4.1.2.2: at most 20 octets and positive, so the topmost bit stays clear.


class SerialNumberField(models.Field[int, int]):
    """A certificate serial number: an exact integer of up to 159 bits."""

    description = "certificate serial number"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 (PostgreSQL only)
        """Keep it readable in SQL: 48 digits hold 159 bits."""
        return "numeric(48, 0)"

    def from_db_value(self, value: object, expression: object, connection: object) -> int | None:  # noqa: ARG002
        """Return a plain integer."""
        return None if value is None else int(str(value))

    def to_python(self, value: object) -> int | None:
        """Accept integers and their decimal text."""
        if value is None or isinstance(value, int):
            return value
        return int(str(value))

    def get_prep_value(self, value: object) -> int | None:
        """Send a plain integer."""
        return self.to_python(value)


def octets(column: str) -> Func:
    """Length of a bytea column, for check constraints."""
    return Func(column, function="octet_length", output_field=models.IntegerField())
