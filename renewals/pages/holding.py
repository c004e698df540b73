"""What the page of a holder's certificates shows: cards, halves with their state in words, and what he may ask now."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from cms import policy
from cms.admin.holders import status_badge
from cms.admin.words import Badge
from cms.models import CaRequest, Certificate, Event, Hold, HolderVisit, Pair
from cms.services import certificates
from cms.services.standing import our_issuers
from cms.states import CertificateStatus, Channel, HoldCause, RequestKind, RequestState, VisitKind
from renewals.services.self_service import obstacle_of

MOST_PAIRS = 50
_OPEN = (RequestState.PLANNED, RequestState.SENT)
_IN_USE = frozenset({CertificateStatus.ACTIVE, CertificateStatus.HELD})


@dataclass(frozen=True, slots=True)
class Half:
    """One certificate: its state, who holds it and until when, what this visit may ask for it."""

    certificate: Certificate
    badge: Badge
    holds: list[tuple[str, Hold]]
    is_over: bool
    may_suspend: bool
    may_reactivate: bool
    may_revoke: bool


@dataclass(frozen=True, slots=True)
class PairCard:
    """A pair: what both halves share once, then the halves. `notes` say why something cannot be done here."""

    pair: Pair
    halves: list[Half]
    notes: list[str]

    def eligible(self, action: str) -> list[Half]:
        """Halves for which an action may be asked: suspend, reactivate, revoke."""
        return [half for half in self.halves if getattr(half, f"may_{action}")]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is of use any more."""
        return all(half.is_over for half in self.halves)

    @property
    def actions(self) -> list[str]:
        """What the buttons below it offer."""
        return [action for action in ("suspend", "reactivate", "revoke") if self.eligible(action)]


@dataclass(frozen=True, slots=True)
class Deed:
    """What the holder did last in this visit, as the events tell it."""

    title: str
    types: str
    at: datetime


def cards_of(visit: HolderVisit, now: datetime, uid: uuid.UUID | None = None) -> list[PairCard]:
    """Read the holder's pairs, the newest first (`uid`: that one alone), in a fixed number of statements."""
    proven = Certificate.objects.filter(pair__predecessor=OuterRef("pk"), proven_at__isnull=False)
    rows = Pair.objects.filter(holder_id=visit.holder_id).select_related("card", "service", "centre", "holder")
    rows = rows if uid is None else rows.filter(public_id=uid)
    pairs = list(rows.annotate(replaced=Exists(proven)).order_by("-pk")[:MOST_PAIRS])
    found = list(Certificate.objects.filter(pair__in=pairs).order_by("type"))
    standing = Hold.objects.filter(certificate__in=found, lifted_at__isnull=True, ended_at__isnull=True)
    reader = _Reader(visit, now, found, list(standing.order_by("lapses_at")))
    cards = [reader.card(pair, [half for half in found if half.pair_id == pair.pk]) for pair in pairs]
    return [card for card in cards if card.halves]


class _Reader:
    """Facts of all halves, read once."""

    def __init__(self, visit: HolderVisit, now: datetime, found: Sequence[Certificate], holds: list[Hold]) -> None:
        self.now, self.holds = now, holds
        self.by_code = visit.kind == VisitKind.USER_CODE
        self.ours = our_issuers()
        ids = [half.pk for half in found]
        self.revoking = certificates.revocations_standing(ids)
        waiting = CaRequest.objects.filter(certificate_id__in=ids, state__in=_OPEN).order_by("id")
        self.pending = dict(waiting.values_list("certificate_id", "kind"))

    def card(self, pair: Pair, halves: list[Certificate]) -> PairCard:
        foreign = bool(self.ours) and any(half.issuer_key_id not in self.ours for half in halves)
        replaced: bool = pair.replaced  # type: ignore[attr-defined] # annotated above
        built = [self.half(half, replaced=replaced, foreign=foreign) for half in halves]
        return PairCard(pair, built, self.notes(built, foreign=foreign))

    def half(self, certificate: Certificate, *, replaced: bool, foreign: bool) -> Half:
        own = [hold for hold in self.holds if hold.certificate_id == certificate.pk]
        causes = {hold.cause for hold in own}
        is_expired = policy.is_expired(certificate.not_after, self.now)
        is_over = is_expired or certificate.status == CertificateStatus.REVOKED
        in_use = certificate.status in _IN_USE and not is_over and certificate.pk not in self.revoking and not foreign
        return Half(
            certificate=certificate,
            badge=self.badge(certificate, replaced=replaced),
            holds=[] if is_over else [(str(_who(hold)), hold) for hold in own],
            is_over=is_over,
            may_suspend=in_use and HoldCause.HOLDER not in causes,
            may_reactivate=in_use and self.by_code and HoldCause.HOLDER in causes,
            may_revoke=in_use and self.by_code,
        )

    def badge(self, certificate: Certificate, *, replaced: bool) -> Badge:
        kind = self.pending.get(certificate.pk)
        words = {
            RequestKind.HOLD: _("Sospensione in corso"),
            RequestKind.RELEASE: _("Riattivazione in corso"),
            RequestKind.REVOKE: _("Revoca in corso"),
        }
        if kind in words:
            return Badge("wait", "clock", words[RequestKind(kind)])
        return status_badge(certificate, replaced=replaced, now=self.now)

    def notes(self, halves: list[Half], *, foreign: bool) -> list[str]:
        if foreign:
            return [
                _("Questi certificati sono di un'altra CA: per sospenderli o revocarli si rivolga a chi li ha emessi.")
            ]
        if any(half.certificate.status == CertificateStatus.ISSUED and not half.is_over for half in halves):
            return [_("Un certificato si può sospendere o revocare da qui solo dopo l'installazione sulla carta.")]
        others = [hold for half in halves for _who, hold in half.holds if hold.cause != HoldCause.HOLDER]
        return [_(obstacle_of(others))] if others else []


def last_deed(visit: HolderVisit, cards: Sequence[PairCard]) -> Deed | None:
    """What was done last in this visit, as events tell it: a reloaded page and a second tab say the same."""
    mine = Event.objects.filter(
        holder_id=visit.holder_id, channel=Channel.HOLDER_PAGE, actor_kind="holder", verb__in=list(_deeds())
    )
    newest = list(mine.filter(at__gte=visit.opened_at).order_by("-id")[:2])
    together = [event for event in newest if (event.verb, event.at) == (newest[0].verb, newest[0].at)]
    halves = {half.certificate.pk: half.certificate for card in cards for half in card.halves}
    done = [halves[event.certificate_id] for event in together if event.certificate_id in halves]
    if not done:
        return None
    types = ", ".join(sorted(_(half.get_type_display()) for half in done))
    return Deed(_deeds()[newest[0].verb], types, newest[0].at)


def _deeds() -> dict[str, str]:
    return {
        "certificate.hold-asked": _("Sospensione eseguita"),
        "certificate.release-asked": _("Riattivazione eseguita"),
        "certificate.revocation-asked": _("Revoca eseguita"),
    }


def _who(hold: Hold) -> str:
    return {
        HoldCause.HOLDER: _("Sospeso su Sua richiesta"),
        HoldCause.OPERATOR: _("Sospeso dal CDRL"),
        HoldCause.MISSING_APPROVAL: _("Sospeso perché il rinnovo non è autorizzato"),
        HoldCause.AUTHORITY: _("Sospeso per disposizione dell'autorità"),
    }[HoldCause(hold.cause)]
