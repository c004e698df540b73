"""What the worker does for the window, without Qt: open the card once, scan, run the flow for one wish.

The flow, which draws in the libraries for certificates and forms, is loaded at the first scan, in the worker.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cardclient.contract import Capabilities, SupportReceipt, SupportRequest
from cardclient.errors import AnotherCard, ClientError, ClientOutdated, OfficeRefusal, OfficeUnreachable
from cardclient.ports import Card, CardView, Office, Screen
from cardclient.scanned import Scanned

if TYPE_CHECKING:
    from cardclient.flow import Outcome

LOG = logging.getLogger("cardclient.ui.work")


@dataclass(frozen=True, slots=True)
class Found:
    """The cards and what the office says of each; whether a completed renewal has left something to take away.

    `newer` names a version above ours and where it is; nobody has to take it.
    """

    scanned: tuple[Scanned, ...]
    removal_left: bool
    newer: Capabilities | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The cards were read, but the office did not answer for them."""

    views: tuple[CardView, ...]
    problem: ClientError


@dataclass(frozen=True, slots=True)
class Target:
    """Which renewal was chosen: card by serial, offer by its login certificate. None finishes a removal."""

    serial: str
    login_with: str


class Work:
    """Jobs for the worker's thread; nothing here is called from the window's."""

    def __init__(
        self, open_card: Callable[[], Card], make_office: Callable[[], Office], clock: Callable[[], datetime]
    ) -> None:
        """Keep how card and office are opened; nothing is opened yet."""
        self._open_card, self._make_office, self._clock = open_card, make_office, clock
        self._card: Card | None = None
        self._kept: Office | None = None

    def card(self) -> Card:
        """Return the one card layer, opened at the first call."""
        if self._card is None:
            self._card = self._open_card()
        return self._card

    def close(self) -> None:
        """Let card and reader go, and forget the session of a run that failed."""
        self.forget_session()
        if self._card is not None:
            with contextlib.suppress(ClientError):
                self._card.close()

    def scan(self, screen: Screen) -> Found | Unanswered:
        """Read the cards and ask the office about each; raises what `flow.scan` raises about the cards."""
        from cardclient import admission, flow  # noqa: PLC0415 - in the worker, when the window is painted

        card = self.card()
        try:
            with contextlib.closing(self._make_office()) as office:
                scanned = flow.scan(flow.Desk(card, screen, office, self._clock()))
                newer = None
                with contextlib.suppress(ClientError):
                    newer = admission.newer_version(office)
                return Found(scanned, bool(admission.leftovers(scanned)), newer)
        except (OfficeUnreachable, OfficeRefusal, ClientOutdated) as problem:
            return Unanswered(card.scan(), problem)

    def renew(self, screen: Screen, target: Target | None) -> Outcome:
        """Scan anew, because counters and verdicts grow old, and renew what was chosen."""
        from cardclient import flow  # noqa: PLC0415 - loaded by the scan before

        card, office = self.card(), self._make_office()
        desk = flow.Desk(card, screen, office, self._clock())
        try:
            scanned = flow.scan(desk)
            outcome = flow.renew_scanned(desk, chosen_of(scanned, target) if target else scanned)
        except BaseException:
            self._keep(office)
            raise
        else:
            office.close()
            return outcome
        finally:
            with contextlib.suppress(ClientError):
                card.close()  # log out: whoever comes next gives his PIN

    def ask_for_help(self, request: SupportRequest) -> SupportReceipt:
        """Send a request within the session of the run that failed, which proves who asks; else in a new conversation.

        The session stays until the next run, so that a request that arrived nowhere goes again with the same proof.
        """
        if self._kept is not None:
            return self._kept.open_support_request(request)
        with contextlib.closing(self._make_office()) as office:
            return office.open_support_request(request)

    def forget_session(self) -> None:
        """Let go of the conversation of a run that failed: it would still go the way of the settings before."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _keep(self, office: Office) -> None:
        self.forget_session()
        self._kept = office


def chosen_of(scanned: Sequence[Scanned], target: Target) -> tuple[Scanned, ...]:
    """Leave only the renewal chosen on the start page; raises AnotherCard when its card is not there.

    A renewal that is no longer offered leaves the card as it is: the flow finishes what is left of it, or says why not.
    """
    mine = [each for each in scanned if each.view.serial == target.serial]
    if not mine:
        raise AnotherCard(operation="scan")
    for each in mine:
        offers = tuple(offer for offer in each.offers if offer.login_with == target.login_with)
        if offers:
            return (replace(each, answer=replace(each.answer, offers=offers)),)
    return tuple(mine)
