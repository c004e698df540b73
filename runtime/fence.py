"""Behind which fence a connection works: its database role, and the settings that row policies read.

Remembered beside the connection, not in it: one that breaks and is made anew in the middle of a request stands behind
the same fence before its first statement. What cannot be put behind its fence is closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_KEPT_AS = "sigillo_fence"
# One SELECT: role and settings change together or not at all. NULL brings back what the connection started with.
_PUT = "SELECT set_config('role', %s, false)" + "".join(
    f", set_config('sigillo.{name}', %s, false)" for name in ("centres", "services", "operator")
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A role, and the ids that its row policies let through. `operator` is the account that works behind it."""

    role: str
    centre_ids: frozenset[int] = frozenset()
    service_ids: frozenset[int] = frozenset()
    operator_id: int | None = None

    @property
    def values(self) -> list[str | None]:
        """Parameters of the statement that puts it up."""
        account = "" if self.operator_id is None else str(self.operator_id)
        return [self.role, _array(self.centre_ids), _array(self.service_ids), account]


def stand_behind(fence: Fence) -> None:
    """Put this thread's connection behind the fence, now and after every reconnect, until it is told otherwise."""
    setattr(connection, _KEPT_AS, fence)
    _put(fence.values)


def standing() -> Fence | None:
    """Return the fence that this thread's connection stands behind; None in the open."""
    return _kept(connection)


def stand_in_the_open() -> None:
    """Let this thread's connection work as the role it logs in with; no statement when it does already."""
    before = _kept(connection)
    setattr(connection, _KEPT_AS, None)
    if before is not None:
        _put([None, "", "", ""])


def _put(values: Iterable[str | None]) -> None:
    """Change an open connection; one that is closed, or broken, is placed when it is made."""
    if connection.connection is None:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_PUT, list(values))
    except (OperationalError, InterfaceError):
        connection.close()


def _place(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Put a new connection behind its fence before anybody uses it; without fence there is no connection."""
    fence = _kept(connection)
    if fence is None:
        return
    try:
        connection.connection.execute(_PUT, fence.values)
    except BaseException:
        connection.close()
        raise


def _kept(connection: Any) -> Fence | None:
    kept: Fence | None = getattr(connection, _KEPT_AS, None)
    return kept


def _array(ids: Collection[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


connection_created.connect(_place, dispatch_uid="runtime.fence")
