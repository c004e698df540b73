"""Under which terms a pair can be renewed now: asked by scan, login and reopening alike."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cms.models import Card, Certificate, Pair
from cms.states import Flow
from renewals import errors, policy, queries
from renewals.flows import Terms, terms_of
from renewals.models import RenewalCase


def require_renewable(
    pair: Pair, halves: list[Certificate], *, past: Collection[RenewalCase], now: datetime
) -> tuple[Terms, RenewalCase | None]:
    """Refuse a pair that cannot be renewed now; return the terms, and the open case that has fixed them, if any.

    `past`: every case of the pair.
    """
    renewed = any(case.completed_at is not None for case in past)
    policy.require_present(pair, halves, renewed=renewed, now=now)
    case = next((case for case in past if case.is_open), None)
    terms = terms_of(case) if case else new_terms(pair, halves, now)
    policy.require_in_terms(pair, halves, terms, done=renewals_done(pair.card), now=now)
    return terms, case


def new_terms(pair: Pair, halves: list[Certificate], now: datetime) -> Terms:
    """The terms of a case that would be opened now; raises `CampaignOver` where no campaign extends the card."""
    if pair.service.flow == Flow.ENROLL:
        return Terms(pair.service.issuing)
    campaign = policy.campaign_for(pair, halves, queries.campaigns_for(pair), now=now)
    return Terms(campaign.issuing_service, campaign)


def require_reopenable(case: RenewalCase, *, renewed: bool, now: datetime) -> Terms:
    """Refuse where the pair of a cancelled case cannot be renewed any more; return the terms of a new one.

    An extension stays in its campaign: who was on its list need not be found there again.
    """
    pair, halves = case.old_pair, case.old_halves
    policy.require_present(pair, halves, renewed=renewed, now=now)
    if case.campaign is not None and not policy.covers(case.campaign, pair, now):
        raise errors.CampaignOver
    terms = terms_of(case) if case.campaign is not None else Terms(pair.service.issuing)
    policy.require_in_terms(pair, halves, terms, done=renewals_done(pair.card), now=now)
    return terms


def renewals_done(card: Card | None) -> int:
    """Completed renewals of a card, counted only where its family limits them."""
    if card is None or card.family.max_renewals is None:
        return 0
    return queries.renewals_of([card.pk]).get(card.pk, 0)
