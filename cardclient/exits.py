"""Exit statuses of `sigillo-card`; documented in README.md, stable across versions."""

from __future__ import annotations

import enum

from cardclient import errors


class Exit(enum.IntEnum):
    """One status per kind of ending; the code in the JSON says more."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    NO_CARD = 10
    NOT_RENEWABLE = 11
    WRONG_PIN = 12
    PIN_LOCKED = 13
    CARD_ACCESS = 14
    CARD_UPDATE = 15
    CONNECTION = 16
    REFUSED = 17
    CARD_REMOVED = 18
    CARD_CHANGED = 19
    PUK = 20
    INPUT_NEEDED = 21
    DECLINED = 22
    DISTRUSTED = 23
    PENDING = 24
    UNVERIFIED = 25


# Most specific first: the first class an error belongs to decides.
_BY_KIND: tuple[tuple[type[errors.ClientError], Exit], ...] = (
    (errors.NoCard, Exit.NO_CARD),
    (errors.CardRemoved, Exit.CARD_REMOVED),
    (errors.AnotherCard, Exit.CARD_CHANGED),
    (errors.WrongPin, Exit.WRONG_PIN),
    (errors.PinLength, Exit.WRONG_PIN),
    (errors.PinLocked, Exit.PIN_LOCKED),
    (errors.WrongPuk, Exit.PUK),
    (errors.PukLocked, Exit.PUK),
    (errors.CardUpdateError, Exit.CARD_UPDATE),
    (errors.CardError, Exit.CARD_ACCESS),
    (errors.ClientOutdated, Exit.REFUSED),
    (errors.OfficeUnreachable, Exit.CONNECTION),
    (errors.OfficeRefusal, Exit.REFUSED),
    (errors.Distrusted, Exit.DISTRUSTED),
    (errors.NotRenewable, Exit.NOT_RENEWABLE),
    (errors.Declined, Exit.DECLINED),
    (errors.InputNeeded, Exit.INPUT_NEEDED),
    (errors.StillPending, Exit.PENDING),
)


def exit_for(problem: errors.ClientError) -> Exit:
    """Return the status for an error; a card that the office says is another one counts as changed."""
    if problem.code == "card-mismatch":
        return Exit.CARD_CHANGED
    return exit_of(type(problem))


def exit_of(kind: type[errors.ClientError]) -> Exit:
    """Return the status for a class of errors."""
    return next((status for base, status in _BY_KIND if issubclass(kind, base)), Exit.INTERNAL)
