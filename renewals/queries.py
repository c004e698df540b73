"""Named reads of renewals, for screens, API and sweeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from cms.models import Campaign, CampaignEntry, CaRequest, Certificate, Hold, Pair
from cms.policy import ONE_SECOND
from cms.scope import Scope
from cms.services.certificates import WITHOUT_EFFECT
from cms.states import CertificateStatus, HoldCause, RequestKind
from renewals.models import RenewalCase, RevocationStop
from renewals.states import OPEN_STATES, SIGNED_STATES, UNAUTHORISED, Authorisation, CaseState, Due, Notice

# What a round of the clock reads beside the rows that are due.
CASE_IN_ROUND = ("holder", "card", "centre", "service", "issuing_service")
PAIR_IN_ROUND = ("card__family", "holder", "centre", "service__successor")
HOLD_IN_ROUND = tuple(f"certificate__pair__{name}" for name in ("holder", "card", "centre", "service"))


def in_scope(scope: Scope) -> QuerySet[RenewalCase]:
    """Cases that an operator may see: his centres, the chosen service by the *old* certificate (rules.md R14)."""
    return RenewalCase.objects.filter(centre_id__in=scope.centre_ids, service_id__in=scope.service_ids)


def waiting_for_decision(scope: Scope) -> QuerySet[RenewalCase]:
    """Cases that a person must decide, first the ones that would be suspended first."""
    waiting = in_scope(scope).filter(authorisation=Authorisation.PENDING, state__in=SIGNED_STATES)
    return waiting.order_by("old_not_after", "id")


def open_case_of(pair: Pair) -> RenewalCase | None:
    """The one open case of a pair."""
    return RenewalCase.objects.filter(old_pair=pair, state__in=OPEN_STATES).first()


def last_case_of(pair: Pair) -> RenewalCase | None:
    """The newest case of a pair."""
    return RenewalCase.objects.filter(old_pair=pair).order_by("-id").first()


def cases_of(pair: Pair) -> list[RenewalCase]:
    """Every case of a pair, newest first."""
    return list(RenewalCase.objects.filter(old_pair=pair).order_by("-id"))


def is_renewed(pair: Pair) -> bool:
    """Whether a renewal of this pair was completed (also one that lapsed on day 121: it cannot be repeated)."""
    return RenewalCase.objects.filter(old_pair=pair, completed_at__isnull=False).exists()


def is_closed(pair: Pair) -> bool:
    """Whether the pair's last case was refused or cancelled: neither sweep nor client reopens it."""
    last = last_case_of(pair)
    return last is not None and last.state == CaseState.CANCELLED


def halves(pair: Pair) -> list[Certificate]:
    """Certificates of a pair, authentication first."""
    return list(pair.certificates.order_by("type"))


def campaigns_for(pair: Pair) -> QuerySet[Campaign]:
    """Campaigns of a pair's service, those with a list only where it names the holder or the card."""
    named = Q(tax_code=pair.holder.tax_code) | Q(card_serial=pair.card.serial if pair.card else "")
    listed = Exists(CampaignEntry.objects.filter(named, campaign=OuterRef("pk")))
    offered = Campaign.objects.filter(Q(is_listed=False) | listed, service_id=pair.service_id)
    return offered.select_related("issuing_service").prefetch_related("families")


def renewals_of(card_ids: Collection[int]) -> dict[int, int]:
    """How many renewals and extensions of each card were completed."""
    done = RenewalCase.objects.filter(card_id__in=card_ids, completed_at__isnull=False)
    return dict(done.order_by().values_list("card_id").annotate(Count("pk")))


def cases_of_campaigns(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """How many extensions of each campaign were completed and how many are under way, over all centres."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign, completed, running FROM campaign_cases(%s)", [list(ids)])
        return {campaign: (completed, running) for campaign, completed, running in cursor.fetchall()}


def campaign_left(campaign_id: int, now: datetime, most: int) -> int:
    """How many cards a campaign could still extend at this instant, counted up to `most`, over all centres."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_left(%s, %s, %s)", [campaign_id, now, most])
        return int(cursor.fetchone()[0])


def issue_requests(case: RenewalCase) -> list[CaRequest]:
    """What the case asked of the CA, authentication first."""
    if case.new_pair_id is None:
        return []
    return list(CaRequest.objects.filter(pair_id=case.new_pair_id, kind=RequestKind.ISSUE).order_by("type"))


def due_cases(kind: Due, now: datetime) -> QuerySet[RenewalCase]:
    """Cases whose next automatic action is of this kind and due; reads the partial index only."""
    return RenewalCase.objects.filter(due_kind=kind, due_at__lte=now).order_by("due_at")


def windows_to_open(now: datetime) -> QuerySet[Pair]:
    """Pairs whose renewal window has opened and which nobody has looked at since."""
    return Pair.objects.filter(window_opens_at__lte=now).order_by("window_opens_at")


def cases_to_expire(now: datetime) -> QuerySet[RenewalCase]:
    """Open cases whose old certificate has expired."""
    return due_cases(Due.EXPIRE, now)


def unsigned() -> Q:
    """Open cases that have reserved and asked nothing yet."""
    return Q(state=CaseState.NOTIFIED)


def cases_to_suspend(now: datetime) -> QuerySet[RenewalCase]:
    """Completed cases that nobody approved by the old expiry."""
    return due_cases(Due.SUSPEND, now).filter(unauthorised(), suspended_at__isnull=True)


def cases_to_lapse(now: datetime) -> QuerySet[RenewalCase]:
    """Suspended cases that have reached day 121; none while a stop of revocations is in force."""
    return due_cases(Due.REVOKE, now).filter(unauthorised(), ~Exists(stops_in_force(now)))


def holds_to_lapse(now: datetime) -> QuerySet[Hold]:
    """Holds of any cause but the missing approval, whose 120 days are over; none while a stop is in force.

    Those of expired certificates are among them and end without a revocation, which a stop has no reason to hold back.
    """
    standing = Hold.objects.filter(lapses_at__lte=now, lifted_at__isnull=True, ended_at__isnull=True)
    due = standing.exclude(cause=HoldCause.MISSING_APPROVAL)
    return due.filter(~Exists(stops_in_force(now)) | ~unexpired(now)).order_by("lapses_at")


def holds_to_revoke(now: datetime) -> QuerySet[Hold]:
    """Those of them whose certificate is revoked for it: it has not expired (rules.md R9)."""
    return holds_to_lapse(now).filter(unexpired(now))


def unexpired(now: datetime) -> Q:
    """Holds whose certificate has not expired, by the predicate of `cms.policy.is_expired`."""
    return Q(certificate__not_after__gt=now - ONE_SECOND)


def notices_due(now: datetime) -> QuerySet[RenewalCase]:
    """Cases whose next reminder or warning has come; reads the partial index only."""
    return RenewalCase.objects.filter(notice_at__lte=now).order_by("notice_at", "pk")


def warnings_due(now: datetime) -> QuerySet[Hold]:
    """Standing holds whose next warning has come; reads the partial index only."""
    return standing_holds().filter(notice_at__lte=now).order_by("notice_at", "pk")


def late_notices(late: datetime, now: datetime) -> QuerySet[RenewalCase]:
    """Cases whose reminder or warning came before `late`, and would still reach somebody before the end it tells of."""
    goes_on = Q(old_not_after__gt=now - ONE_SECOND) | Q(notice_kind=Notice.REVOCATION, due_at__gt=now)
    return notices_due(late).filter(goes_on, holder__email__gt="")


def late_warnings(late: datetime, now: datetime) -> QuerySet[Hold]:
    """The same of standing holds: what is revoked, or expires before it would be, threatens nobody."""
    outlives = Q(lapses_at__gt=now, certificate__not_after__gt=F("lapses_at") - ONE_SECOND)
    threatened = warnings_due(late).filter(outlives, certificate__pair__holder__email__gt="")
    return threatened.exclude(certificate__status=CertificateStatus.REVOKED)


def standing_holds() -> QuerySet[Hold]:
    """Holds that count today."""
    return Hold.objects.filter(lifted_at__isnull=True, ended_at__isnull=True)


def new_certificates(cases: Iterable[RenewalCase], statuses: Iterable[str]) -> QuerySet[Certificate]:
    """New halves of these cases that stand in one of these statuses."""
    pairs = [case.new_pair_id for case in cases if case.new_pair_id is not None]
    return Certificate.objects.filter(pair_id__in=pairs, status__in=list(statuses)).select_related("pair")


def left_without_certificates(pair_ids: set[int], also_revoked: Q | None = None) -> QuerySet[RenewalCase]:
    """Cases waiting for approval whose new certificates are all revoked, being revoked, or named by `also_revoked`."""
    # A revocation that the CA has refused is none: its certificate works on, and so does the clock.
    wishes = CaRequest.objects.filter(certificate=OuterRef("pk"), kind=RequestKind.REVOKE)
    revoked = Q(Exists(wishes.exclude(state__in=WITHOUT_EFFECT)))
    alive = Certificate.objects.filter(pair=OuterRef("new_pair")).exclude(status=CertificateStatus.REVOKED)
    cases = RenewalCase.objects.filter(unauthorised(), new_pair_id__in=pair_ids, withdrawn_at__isnull=True)
    return cases.filter(~Exists(alive.exclude(revoked | also_revoked if also_revoked is not None else revoked)))


def withdrawn_and_alive() -> QuerySet[RenewalCase]:
    """Cases whose clock was stopped for revocations that the CA has then refused: a certificate works on unwatched."""
    wishes = CaRequest.objects.filter(certificate=OuterRef("pk"), kind=RequestKind.REVOKE)
    alive = Certificate.objects.filter(pair=OuterRef("new_pair")).exclude(status=CertificateStatus.REVOKED)
    unwatched = alive.exclude(Exists(wishes.exclude(state__in=WITHOUT_EFFECT)))
    return RenewalCase.objects.filter(unauthorised(), withdrawn_at__isnull=False).filter(Exists(unwatched))


def unauthorised() -> Q:
    """Completed and neither approved nor automatic."""
    return Q(state=CaseState.COMPLETED, authorisation__in=UNAUTHORISED)


def stop_in_force(now: datetime) -> RevocationStop | None:
    """The stop that keeps the clock from revoking at this instant, the one that ends last; None where it may."""
    return stops_in_force(now).order_by("-ends_at").first()


def stops_in_force(now: datetime) -> QuerySet[RevocationStop]:
    """Every stop that keeps the clock from revoking at this instant; sweeps ask in the statement that picks rows."""
    unlifted = Q(closed_at__isnull=True) | Q(closed_at__gt=now)
    return RevocationStop.objects.filter(unlifted, confirmed_at__lte=now, ends_at__gt=now)


def waiting_stop(now: datetime) -> RevocationStop | None:
    """The stop that was asked for and waits for a second administrator."""
    asked = RevocationStop.objects.filter(confirmed_at__isnull=True, closed_at__isnull=True, ends_at__gt=now)
    return asked.order_by("-pk").first()


def stopped_revocations(now: datetime, most: int) -> int:
    """How many automatic revocations are due at this instant, counted up to `most`, across all centres.

    The database counts outside the panel's fence: a number is nobody's secret, and a stop is for all centres.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_revocations(%s, %s)", [now, most])
        return int(cursor.fetchone()[0])
