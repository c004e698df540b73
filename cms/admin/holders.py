"""What the page of a holder or of one pair shows: halves with their holds, what may be done with them, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from cms import policy
from cms.admin.desk import Desk
from cms.admin.words import Badge
from cms.models import Card, Certificate, Hold, Pair, RevocationProposal
from cms.services import certificates
from cms.services.halves import ELSEWHERE
from cms.services.holds import obstacle_of
from cms.states import CertificateStatus, HoldCause, ProposalState

_LOOKS = {
    CertificateStatus.ISSUED: ("wait", "clock"),
    CertificateStatus.ACTIVE: ("ok", "check-circle"),
    CertificateStatus.HELD: ("danger", "lock"),
    CertificateStatus.REVOKED: ("danger", "ban"),
}
_RELATED = ("card__family", "holder", "service", "centre", "agreement")


def status_badge(certificate: Certificate, *, replaced: bool, now: datetime) -> Badge:
    """Status as people see it: *expired* and *replaced* are computed, a revocation outlives both."""
    status = CertificateStatus(certificate.status)
    if status == CertificateStatus.ACTIVE and replaced:
        return Badge("neutral", "exchange-circle", _("Sostituito"))
    if status != CertificateStatus.REVOKED and policy.is_expired(certificate.not_after, now):
        return Badge("danger", "clock", _("Scaduto"))
    role, icon = _LOOKS[status]
    return Badge(role, icon, str(status.label))


@dataclass(frozen=True, slots=True)
class Half:
    """One certificate: how it stands, and what may be asked for it."""

    certificate: Certificate
    badge: Badge
    holds: list[Hold]
    is_being_revoked: bool
    may_suspend: bool = False
    may_reactivate: bool = False
    may_revoke: bool = False


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair with its halves. `obstacle` says why this operator may do nothing; the use case asks every rule again."""

    pair: Pair
    halves: list[Half]
    proposal: RevocationProposal | None = None
    obstacle: str = ""
    notes: list[str] = field(default_factory=list)

    def eligible(self, action: str) -> list[Half]:
        """Halves for which this action may be asked: suspend, reactivate, revoke."""
        return [] if self.obstacle else [half for half in self.halves if getattr(half, f"may_{action}")]

    @property
    def may_suspend(self) -> bool:
        """Whether the button stands."""
        return bool(self.eligible("suspend"))

    @property
    def may_reactivate(self) -> bool:
        """Whether the button stands."""
        return bool(self.eligible("reactivate"))

    @property
    def may_revoke(self) -> bool:
        """Whether the button stands."""
        return bool(self.eligible("revoke")) and self.proposal is None


@dataclass(frozen=True, slots=True)
class CardView:
    """A card, or None for a remote signature, with its pairs, the newest first."""

    card: Card | None
    pairs: list[PairView]


def pairs_of(desk: Desk, pairs: Iterable[Pair], ours: frozenset[str] = frozenset()) -> list[PairView]:
    """Read halves, holds, wishes and proposals of some pairs of the scope: a fixed number of statements.

    `ours` are the key ids of our CA's issuers, where they are known: it cannot be asked about another CA's certificate.
    """
    wanted = [pair.pk for pair in pairs]
    proven = Certificate.objects.filter(pair__predecessor=OuterRef("pk"), proven_at__isnull=False)
    rows = Pair.objects.filter(pk__in=wanted).select_related(*_RELATED).annotate(replaced=Exists(proven))
    found = list(rows.order_by("-pk"))
    halves = list(Certificate.objects.filter(pair_id__in=wanted).order_by("type"))
    standing = Hold.objects.filter(certificate__in=halves, lifted_at__isnull=True, ended_at__isnull=True)
    holds = list(standing.order_by("lapses_at"))
    revoking = certificates.revocations_standing([half.pk for half in halves])
    waiting = {
        proposal.pair_id: proposal
        for proposal in RevocationProposal.objects.filter(pair_id__in=wanted, state=ProposalState.WAITING)
    }
    return [
        _pair_view(desk, pair, [half for half in halves if half.pair_id == pair.pk], holds, revoking, waiting, ours)
        for pair in found
    ]


def cards_of(views: list[PairView]) -> list[CardView]:
    """Group pairs by card, the card with the newest pair first."""
    by_card: dict[int, list[PairView]] = {}
    for view in views:
        by_card.setdefault(view.pair.card_id or 0, []).append(view)
    return [CardView(group[0].pair.card, group) for group in by_card.values()]


def _pair_view(
    desk: Desk,
    pair: Pair,
    halves: list[Certificate],
    holds: list[Hold],
    revoking: set[int],
    waiting: dict[int, RevocationProposal],
    ours: frozenset[str],
) -> PairView:
    replaced: bool = pair.replaced  # type: ignore[attr-defined] # annotated above
    built = [
        _half(half, [hold for hold in holds if hold.certificate_id == half.pk], desk.now, revoking, replaced=replaced)
        for half in halves
    ]
    kept = [hold for half in built for hold in half.holds if hold.cause not in policy.MAY_LIFT["operator"]]
    return PairView(
        pair=pair,
        halves=built,
        proposal=waiting.get(pair.pk),
        obstacle=_obstacle(desk, pair, halves, ours),
        notes=[obstacle_of(kept)] if kept else [],
    )


def _half(certificate: Certificate, holds: list[Hold], now: datetime, revoking: set[int], *, replaced: bool) -> Half:
    is_being_revoked = certificate.pk in revoking and certificate.status != CertificateStatus.REVOKED
    in_use = certificate.status in {CertificateStatus.ACTIVE, CertificateStatus.HELD} and not is_being_revoked
    in_use = in_use and not policy.is_expired(certificate.not_after, now)
    causes = {hold.cause for hold in holds}
    return Half(
        certificate=certificate,
        badge=status_badge(certificate, replaced=replaced, now=now),
        holds=holds,
        is_being_revoked=is_being_revoked,
        may_suspend=in_use and HoldCause.OPERATOR not in causes,
        may_reactivate=in_use and bool(causes & policy.MAY_LIFT["operator"]),
        may_revoke=in_use,
    )


def _obstacle(desk: Desk, pair: Pair, halves: list[Certificate], ours: frozenset[str]) -> str:
    if pair.centre_id not in desk.roles:
        return _(ELSEWHERE)
    if ours and not all(half.issuer_key_id in ours for half in halves):
        return _("Certificati emessi da un'altra CA: da qui non si possono sospendere, riattivare o revocare.")
    if not desk.may_decide(pair.centre_id):
        return _("Il suo ruolo consente di consultare i certificati, non di sospenderli, riattivarli o revocarli.")
    return ""
