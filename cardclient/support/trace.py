"""The detailed log of a card: each call by name, how long it took, how it ended; never what was given or returned."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, cast

from cardclient.errors import ClientError
from cardclient.ports import Card, CardView

LOG = logging.getLogger("cardclient.card")


def traced(card: Card, *, clock: Callable[[], float] = time.monotonic) -> Card:
    """Return the card as it is, its calls written to the log while the switch for details is on."""
    return cast("Card", _Traced(card, clock))


class _Traced:
    """Passes every name on to the card; whoever knows more than the port (`ReaderCards.unread`) finds it too."""

    def __init__(self, card: Card, clock: Callable[[], float]) -> None:
        self._card = card
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._card, name)
        return self._watched(name, found) if callable(found) else found

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            began, outcome = self._clock(), "failed"
            try:
                answer = call(*arguments, **named)
                outcome = "done"
            except ClientError as problem:
                outcome = f"{problem.code} {problem.operation}".strip()
                raise
            finally:
                LOG.debug("%s: %s, %d ms", name, outcome, (self._clock() - began) * 1000)
            if name == "scan":
                for view in answer:
                    LOG.debug("found %s", _shown(view))
            return answer

        return watched


def _shown(view: CardView) -> str:
    """Return what a support desk needs to know of a card, all of it readable without PIN and none of it personal."""
    facts = {
        "reader": view.reader,
        "atr": view.atr.hex().upper() if view.atr else None,
        "family": view.family,
        "driver": view.driver,
        "pin": view.pin,
        "puk": view.puk,
        "certificates": len(view.certificates),
        "final": view.final,
    }
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None and value != "")
