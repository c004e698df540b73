"""Campaigns of extension, as the provider's administrators open and change them, or load them from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from cms import events, policy
from cms.actors import operator as operator_actor
from cms.errors import CampaignBegun, CampaignDatesInvalid, CampaignServiceInvalid, CodeTaken, NotFound
from cms.models import Campaign, CardFamily, Service, User
from cms.states import CertificateType, Flow
from runtime.transactions import use_case

FILE = Path(__file__).resolve().parent.parent / "campaigns.toml"
# What cases stand on: with it, they would move.
FIXED_ONCE_BEGUN = frozenset({"service_id", "issuing_service_id", "opens_on", "target_on"})
DATES = ("opens_on", "closes_on", "cutoff_on", "target_on")


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign as it is asked for; days count in Italy, families empty means every one."""

    name: str
    service_id: int
    issuing_service_id: int
    opens_on: date
    closes_on: date | None
    cutoff_on: date
    target_on: date
    is_listed: bool = False
    families: frozenset[int] = frozenset()

    @property
    def columns(self) -> dict[str, Any]:
        """What the campaign's own row holds."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "families"}


@use_case
def open_campaign(code: str, draft: Draft, *, operator: User, now: datetime) -> Campaign:
    """Open a campaign. It can be used by centres that have an agreement for both of its services."""
    policy.require_administrator(operator)
    _require_sound(draft)
    if draft.target_on < policy.rome_date(now):
        raise CampaignDatesInvalid
    campaign = _stored(Campaign(code=code, **draft.columns))
    campaign.families.set(draft.families)
    _note("campaign.opened", campaign, operator, now, {"campaign": campaign.code})
    return campaign


@use_case
def change_campaign(campaign_id: int, draft: Draft, *, operator: User, now: datetime) -> Campaign:
    """Change a campaign; one that has begun keeps what its cases stand on, and is closed no earlier than today.

    Open cases keep the campaign that they were opened under, whatever its days, list and families become.
    """
    policy.require_administrator(operator)
    _require_sound(draft)
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound
    changed = {name: value for name, value in draft.columns.items() if getattr(campaign, name) != value}
    _require_forward(campaign, changed, policy.rome_date(now))
    former = set(campaign.families.values_list("pk", flat=True))
    told = {name: [_told(getattr(campaign, name)), _told(value)] for name, value in changed.items()}
    for name, value in changed.items():
        setattr(campaign, name, value)
    if draft.families != former:
        told["families"] = [_codes(former), _codes(draft.families)]
        campaign.families.set(draft.families)
    if told:
        _stored(campaign)
        _note("campaign.changed", campaign, operator, now, {"campaign": campaign.code, "changed": told})
    return campaign


def has_begun(campaign: Campaign, today: date) -> bool:
    """Whether cases may stand on it."""
    return campaign.opens_on <= today


def _require_forward(campaign: Campaign, changed: Mapping[str, Any], today: date) -> None:
    if not has_begun(campaign, today):
        return
    if FIXED_ONCE_BEGUN & set(changed):
        raise CampaignBegun
    closes_on = changed.get("closes_on")
    if closes_on is not None and closes_on < today:
        raise CampaignDatesInvalid


def _require_sound(draft: Draft) -> None:
    if draft.closes_on is not None and not draft.opens_on <= draft.closes_on <= draft.target_on:
        raise CampaignDatesInvalid
    if draft.target_on < draft.opens_on:
        raise CampaignDatesInvalid
    services = Service.objects.in_bulk({draft.service_id, draft.issuing_service_id})
    extended, issuing = services.get(draft.service_id), services.get(draft.issuing_service_id)
    if extended is None or issuing is None or {extended.flow, issuing.flow} != {Flow.EXTEND}:
        raise CampaignServiceInvalid
    if CertificateType.AUTHENTICATION not in extended.types or issuing.types != [CertificateType.AUTHENTICATION]:
        raise CampaignServiceInvalid


def _stored(campaign: Campaign) -> Campaign:
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as clash:
        raise CodeTaken from clash
    return campaign


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _codes(ids: set[int] | frozenset[int]) -> list[str]:
    return sorted(CardFamily.objects.filter(pk__in=ids).values_list("code", flat=True))


def _note(verb: str, campaign: Campaign, operator: User, now: datetime, facts: dict[str, Any]) -> None:
    events.record(verb, actor=operator_actor(operator), at=now, service_id=campaign.issuing_service_id, facts=facts)


@use_case
def load_campaigns(text: str) -> list[str]:
    """Add the campaigns of a text like `campaigns.toml` whose code the register lacks, with their services.

    Their families must be known (`families.load_families`); `NotFound` otherwise, and nothing is added. What is there
    stays as it is. Returns the codes that were added.
    """
    wanted = [each for each in tomllib.loads(text)["campaigns"] if not _is_known(each["code"])]
    for each in wanted:
        _load(each)
    return [each["code"] for each in wanted]


def _is_known(code: str) -> bool:
    return Campaign.objects.filter(code=code).exists()


def _load(said: Mapping[str, Any]) -> None:
    families = dict(CardFamily.objects.filter(code__in=said["families"]).values_list("code", "pk"))
    if set(families) != set(said["families"]):
        raise NotFound
    draft = Draft(
        name=said["name"],
        service_id=_service(said["service"]).pk,
        issuing_service_id=_service(said["issuing_service"]).pk,
        opens_on=said["opens_on"],
        closes_on=said.get("closes_on"),
        cutoff_on=said["cutoff_on"],
        target_on=said["target_on"],
        is_listed=said.get("is_listed", False),
    )
    _require_sound(draft)
    _stored(Campaign(code=said["code"], **draft.columns)).families.set(families.values())


def _service(said: Mapping[str, Any]) -> Service:
    types = [CertificateType.AUTHENTICATION.value]
    defaults = {"name": said["name"], "flow": Flow.EXTEND, "types": types}
    service, _ = Service.objects.get_or_create(code=said["code"], defaults=defaults)
    return service
