"""Rules of renewals. Doors and sweeps ask the same functions; they raise, or compute; they never write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from cms import policy as register
from cms.models import Campaign, Card, CardFamily, Certificate, Pair, User
from cms.states import ApprovalMode, CertificateStatus, CertificateType, Flow, Medium
from pki import keys
from pki.errors import PkiError
from renewals import errors
from renewals.flows import POLICIES, Terms, last_second
from renewals.models import RenewalCase, RevocationStop
from renewals.states import SIGNED_STATES, UNAUTHORISED, Authorisation, CaseState, Due, Notice

LONGEST_STOP_DAYS = 30

# What `.update(...)` stores on cases that nothing awaits any more: neither the clock nor a notice.
NOTHING_PLANNED = {"due_kind": "", "due_at": None, "notice_kind": "", "notice_at": None}

ONE_URGE = timedelta(hours=24)


def next_automatic(case: RenewalCase) -> tuple[str, datetime | None]:
    """What the clock does next to this case, and when; ("", None) for nothing. Depends on the row's own facts only."""
    if case.is_open:
        return Due.EXPIRE, register.expires_at(case.old_not_after)
    if not case.waits_for_approval or case.withdrawn_at is not None:
        # With every new certificate revoked for another cause, no further deadline runs (rules.md R2).
        return "", None
    if case.suspended_at is not None:
        return Due.REVOKE, register.hold_lapses_at(case.suspended_at, settings.CMS.hold_days)
    if case.authorisation == Authorisation.REFUSED and case.refusal_suspends_at_once and case.decided_at is not None:
        return Due.SUSPEND, case.decided_at
    return Due.SUSPEND, register.expires_at(case.old_not_after)


@dataclass(frozen=True, slots=True)
class Countdown:
    """What the holder is warned of, threshold by threshold: told of it `since`, it ends at `end`, nothing after it."""

    kind: Notice
    since: datetime
    end: datetime
    over_at: datetime


def countdown(case: RenewalCase) -> Countdown | None:
    """What this case counts down to; None where the holder has nothing to do or to fear (rules.md R23)."""
    last = case.old_not_after
    if case.flow == Flow.EXTEND:
        # Done in minutes by who has begun it, and nobody has to authorise (rules.md R29).
        return None
    if case.is_open:
        return Countdown(Notice.RENEWAL, _told(case, case.opened_at), last, register.expires_at(last))
    if not case.waits_for_approval or case.withdrawn_at is not None or case.completed_at is None:
        return None
    if case.suspended_at is not None:
        lapses_at = register.hold_lapses_at(case.suspended_at, settings.CMS.hold_days)
        return Countdown(Notice.REVOCATION, _told(case, case.suspended_at), lapses_at, lapses_at)
    if case.authorisation == Authorisation.REFUSED and case.refusal_suspends_at_once:
        return None
    return Countdown(Notice.SUSPENSION, _told(case, case.completed_at), last, register.expires_at(last))


def _told(case: RenewalCase, since: datetime) -> datetime:
    return max(since, case.noticed_at or since)


def next_notice(case: RenewalCase) -> tuple[str, datetime | None]:
    """Which reminder or warning is next, and when; ("", None) for none. Depends on the row's own facts only.

    The mail sent when the case was opened, completed or suspended has told of the end; the thresholds after it count.
    """
    counted = countdown(case)
    if counted is None:
        return "", None
    at = register.next_threshold(counted.end, settings.CMS.notice_days, since=counted.since)
    return (counted.kind, at) if at is not None else ("", None)


def passed_notice(case: RenewalCase, now: datetime) -> int | None:
    """The threshold (days) to be told now: the nearest that was passed and not told; None: nothing is to be told."""
    counted = countdown(case)
    if counted is None or now >= counted.over_at:
        return None
    return register.passed_threshold(counted.end, settings.CMS.notice_days, since=counted.since, now=now)


def old_not_after(certificates: Sequence[Certificate]) -> datetime:
    """Deadlines follow the half that expires first (rules.md R6)."""
    return min(certificate.not_after for certificate in certificates)


def login_certificate(certificates: Sequence[Certificate]) -> Certificate:
    """The half whose key logs in: authentication, or signature where the card has no other."""
    return min(certificates, key=lambda half: half.type != CertificateType.AUTHENTICATION)


def signing_certificate(certificates: Sequence[Certificate]) -> Certificate | None:
    """The half that signs the form, if the card has one."""
    return next((half for half in certificates if half.type == CertificateType.SIGNATURE), None)


def in_renewal(pair: Pair, certificates: Sequence[Certificate]) -> list[Certificate]:
    """Those halves of a pair that its flow renews; an extension leaves the signature half alone (rules.md R18)."""
    return [half for half in certificates if half.type in POLICIES[pair.service.flow].types]


def require_present(pair: Pair, certificates: Sequence[Certificate], *, renewed: bool, now: datetime) -> None:
    """Refuse a pair that nothing renews any more. The first reason in the order of rules.md R16 is the one told."""
    require_on_card(pair)
    if renewed:
        raise errors.CertificateRenewed
    if not certificates:
        raise errors.CertificateUnknown
    require_alive(certificates, now)
    if pair.card is not None:
        _require_family(pair.card.family, today=register.rome_date(now))


def require_in_terms(
    pair: Pair, certificates: Sequence[Certificate], terms: Terms, *, done: int, now: datetime
) -> None:
    """Refuse what the window, the card or its family stand against; `done`: completed renewals of the card."""
    require_in_window(pair, certificates, now)
    require_device_lives(pair, certificates, terms, done=done, now=now)


def require_on_card(pair: Pair) -> None:
    """Remote-signature certificates have their own way."""
    if pair.medium == Medium.REMOTE:
        raise errors.CertificateRemote


def require_alive(certificates: Sequence[Certificate], now: datetime) -> None:
    """Neither expired, nor revoked, nor held: asked again at every step, under lock (REG-6.3.7-03)."""
    if any(register.is_expired(half.not_after, now) for half in certificates):
        raise errors.CertificateExpired
    if any(half.status == CertificateStatus.REVOKED for half in certificates):
        raise errors.CertificateWithdrawn
    if any(half.status == CertificateStatus.HELD for half in certificates):
        raise errors.CertificateHeld


def require_in_window(pair: Pair, certificates: Sequence[Certificate], now: datetime) -> None:
    """The window of the pair's flow must be open."""
    opens_at = window_opens_at(pair, certificates)
    if opens_at is not None and now < opens_at:
        raise errors.WindowNotOpen


def window_opens_at(pair: Pair, certificates: Sequence[Certificate]) -> datetime | None:
    """From when on the pair may be renewed, by its service as it is set now; None: at any time."""
    return POLICIES[pair.service.flow].opens_at(old_not_after(certificates), pair.service)


def require_device_lives(
    pair: Pair, certificates: Sequence[Certificate], terms: Terms, *, done: int, now: datetime
) -> None:
    """The card is activated, its family still renewed, and the new certificate does not outlive the device."""
    card = pair.card
    if card is None:
        raise errors.CertificateRemote
    if card.activated_on is None or card.activated_on > register.rome_date(now):
        raise errors.NotActivated
    _require_family(card.family, today=register.rome_date(now))
    flow = POLICIES[pair.service.flow]
    last = max(register.rome_date(flow.new_not_after(half.not_after, terms)) for half in certificates)
    if flow.ends_with_device:
        _require_device(card, last, done=done)


def _require_family(family: CardFamily, *, today: date) -> None:
    """What is known of the card's family, whatever its flow (rules.md R30)."""
    if not family.renewable:
        raise errors.FamilyRefused(family.refusal or None)
    if family.renewable_until is not None and today > family.renewable_until:
        raise errors.DeviceEndOfLife


def _require_device(card: Card, last: date, *, done: int) -> None:
    """The new expiry may not pass the device's end of life: whole days, in Italy, `>` and not `>=` (rules.md R7)."""
    if card.family.max_renewals is not None and done >= card.family.max_renewals:
        raise errors.RenewalsExhausted
    if last > register.day_years_after(card.first_issued_on, settings.RENEWALS.device_years):
        raise errors.DeviceEndOfLife
    if card.family.certified_until is not None and last > card.family.certified_until:
        raise errors.DeviceEndOfLife


def campaign_for(
    pair: Pair, certificates: Sequence[Certificate], offered: Iterable[Campaign], *, now: datetime
) -> Campaign:
    """The campaign that extends this pair now: the one that reaches furthest, of those that cover the card.

    Refused where none does. A certificate that an extension has made and none reaches beyond is said to be renewed.
    """
    covering = [campaign for campaign in offered if covers(campaign, pair, now)]
    furthest = max(covering, key=lambda campaign: (campaign.target_on, campaign.pk), default=None)
    if furthest is not None and last_second(furthest) > old_not_after(certificates):
        return furthest
    if pair.predecessor_id is not None:
        raise errors.CertificateRenewed
    raise errors.CampaignOver


def covers(campaign: Campaign, pair: Pair, now: datetime) -> bool:
    """Whether the campaign is open today and meant for such a card: cut-off and days inclusive (rules.md R18)."""
    today, card = register.rome_date(now), pair.card
    if card is None or card.expires_on is None or card.expires_on > campaign.cutoff_on:
        return False
    families = {family.pk for family in campaign.families.all()}
    last = min(campaign.closes_on or campaign.target_on, campaign.target_on)
    return campaign.opens_on <= today <= last and (not families or card.family_id in families)


def replaces_keys(pair: Pair) -> bool:
    """Whether a renewal deletes the old keys: as the card's family says, or else its flow (rules.md R30)."""
    said = pair.card.family.replaces if pair.card else None
    return POLICIES[pair.service.flow].replaces if said is None else said


def require_sound_old_key(spki_der: bytes, smallest_rsa: int) -> None:
    """A factorable old key lets a thief forge the challenge; its size alone does not (ADR 10)."""
    try:
        keys.require_sound_key(spki_der, smallest_rsa=smallest_rsa)
    except PkiError as error:
        raise errors.OldKeyWeak from error


def require_decidable(case: RenewalCase) -> None:
    """Decisions are possible on signed cases in authorisation mode, until revocation (rules.md R2)."""
    if case.approval_mode != ApprovalMode.AUTHORISATION or case.state not in SIGNED_STATES:
        raise errors.NotAuthorisable


def require_not_holder(case: RenewalCase, operator: User) -> None:
    """The approver is never the holder of the case."""
    if operator.tax_code and operator.tax_code == case.holder.tax_code:
        raise errors.HolderDecides


def require_certificates_left(certificates: Sequence[Certificate], leaving: Collection[int]) -> None:
    """With every new certificate revoked, or about to be (`leaving`, their ids), nothing is left to authorise."""
    gone = [half.status == CertificateStatus.REVOKED or half.pk in leaving for half in certificates]
    if gone and all(gone):
        raise errors.CertificatesGone


def must_be_suspended(case: RenewalCase, now: datetime) -> bool:
    """The rule behind the sweep: completed, unauthorised, past its due instant, not yet suspended."""
    due_kind, due_at = next_automatic(case)
    return due_kind == Due.SUSPEND and due_at is not None and now >= due_at


def authorise_by(case: RenewalCase) -> datetime | None:
    """Until when (inclusive) the centre must authorise so that nothing is suspended; None where nobody must."""
    if case.approval_mode != ApprovalMode.AUTHORISATION or case.authorisation not in UNAUTHORISED:
        return None
    return case.old_not_after if case.state in (*SIGNED_STATES, CaseState.NOTIFIED) else None


def require_stop_span(ends_at: datetime, now: datetime) -> None:
    """A stop of revocations ends by itself, at the latest when thirty days are over in Italy (rules.md R22)."""
    if not now < ends_at <= register.hold_lapses_at(now, LONGEST_STOP_DAYS):
        raise errors.StopTooLong


def require_stop_open(stop: RevocationStop, now: datetime) -> None:
    """What is over is neither confirmed nor ended again."""
    if stop.closed_at is not None or now >= stop.ends_at:
        raise errors.StopClosed


def require_other_administrator(stop: RevocationStop, operator: User) -> None:
    """Four eyes: who asks does not confirm."""
    if stop.asked_by == operator.pk:
        raise errors.StopSamePerson


def may_be_urged(case: RenewalCase) -> bool:
    """Whether the holder can urge the centre: it has to decide, has not, and something is left to authorise."""
    is_waiting = case.authorisation == Authorisation.PENDING and case.state in SIGNED_STATES
    return is_waiting and case.withdrawn_at is None


def urge_again_at(case: RenewalCase, now: datetime) -> datetime | None:
    """From when on the holder may urge again, 24 hours after the last time; None if he may now (rules.md R28)."""
    if case.urged_at is None or now >= case.urged_at + ONE_URGE:
        return None
    return case.urged_at + ONE_URGE


def require_urgeable(case: RenewalCase, now: datetime) -> None:
    """Refuse where nobody has to decide any more, and a second time within 24 hours."""
    if not may_be_urged(case):
        raise errors.NotUrgeable
    if urge_again_at(case, now) is not None:
        raise errors.UrgedAlready
