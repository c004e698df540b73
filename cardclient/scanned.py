"""A card as it was read, with what the office says of it; what is said where nothing on it can be renewed.

Nothing here parses a certificate: the window's first page is painted before the libraries for that are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cardclient.acceptance import ENROLL
from cardclient.contract import Offer, ScanAnswer, Verdict
from cardclient.errors import NotRenewable
from cardclient.ports import CardView

FAMILY_REFUSED = "family-refused"


@dataclass(frozen=True, slots=True)
class Scanned:
    """A card and what the office says of it."""

    view: CardView
    answer: ScanAnswer

    @property
    def final(self) -> str | None:
        """Code of a verdict that no PIN can change: the card's own, or the office's on its whole family."""
        return self.view.final or (FAMILY_REFUSED if self.answer.refusal else None)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What can be renewed on it; nothing on a card that is lost, so that nobody is asked for its codes."""
        return () if self.final else self.answer.offers

    def replaces(self, offer: Offer) -> bool:
        """Whether the old pair goes: the card's own setting, else the offer's, else the family's, else the flow's."""
        told = (self.view.replaces, offer.replaces, self.answer.family_replaces)
        return next((each for each in told if each is not None), offer.flow == ENROLL)


def not_renewable(scanned: Sequence[Scanned]) -> NotRenewable:
    """Speak of the card that comes nearest: already renewed, then expired, then the rest; a lost one is called lost."""
    order = [Verdict.RENEWABLE, Verdict.ALREADY_RENEWED, Verdict.EXPIRED, Verdict.NOT_RENEWABLE]
    nearest = min(scanned, key=lambda each: order.index(each.answer.verdict))
    answer = nearest.answer
    if nearest.final:
        return NotRenewable(nearest.final, advice=answer.refusal)
    verdict = Verdict.NOT_RENEWABLE if answer.verdict is Verdict.RENEWABLE else answer.verdict
    return NotRenewable(answer.code or verdict.value, message=answer.message, advice=answer.advice)
