"""The recipient's consent to biometric processing: asked by mail of him alone, given by typing his name, or refused.

A refusal opens the way by qualified signature at once, and so does a withdrawal while nothing is decided.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_noop as _
from django.views.decorators.debug import sensitive_variables

from cms import events
from cms.actors import recipient
from cms.errors import LinkUsed
from cms.models import User
from runtime.transactions import use_case
from smime import consent_text, policy, policy_links
from smime.errors import TermsOutdated
from smime.errors.identification import ConsentAbsent, ConsentDecided, ConsentMistyped
from smime.errors.links import LinkOutdated
from smime.models import Check, Consent, EvidenceFile, Order
from smime.services import attempts, checks, evidence, letters, links
from smime.services.acceptance import Accepted, accept_terms
from smime.services.orders import locked_order
from smime.states import CheckKind, CheckState, ConsentDecision, FileKind, IdentityPath, LinkPurpose, OrderState

METHOD = "GDPR art. 9(2)(a)"
REFUSED = _("Consenso non dato: il riconoscimento prosegue con la firma elettronica qualificata.")
WITHDRAWN = _("Consenso ritirato: il riconoscimento prosegue con la firma elettronica qualificata.")
_DECIDED = frozenset({CheckState.PASSED, CheckState.FAILED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the recipient has sent: his decision, what he typed, which text he read, and where he was.

    `terms`: the terms as shown, if he ticked them; asked of a recipient who is not the buyer (SBR 9.6.3).
    """

    decision: ConsentDecision
    typed: str
    shown: Accepted
    language: str
    terms: Accepted | None = None
    address: str | None = None


def begin(order: Order, check: Check, *, at: datetime) -> None:
    """Mail the request to the recipient; not where he is identified by signature, which needs no such consent."""
    if order.checks.filter(kind=CheckKind.IDENTITY, path=IdentityPath.SIGNATURE).exists():
        return
    if links.is_day_full(order, LinkPurpose.CONSENT, at):
        check.ask_customer(at=at)
        check.save()
        return
    _mail(order, check, at=at)


@use_case
def resend(order_uid: UUID, *, buyer: User, now: datetime) -> None:
    """The customer has the request sent again.

    Refused within the cooldown, once it was answered, and before it is its turn: to a confirmed mailbox alone.
    """
    _resend(locked_order(order_uid, buyer), now=now)


@use_case
@sensitive_variables("token")
def resend_by_link(token: str, *, now: datetime) -> None:
    """The reader of the mailbox, whose link has ended, asks for another one, to the same mailbox."""
    link = links.link_of_now(token, LinkPurpose.CONSENT)
    _resend(attempts.locked_order(link.order_id), now=now)


@use_case
@sensitive_variables("token")
def answer(token: str, given: Answer, *, now: datetime) -> Order:
    """Record what the recipient decided, and go on: to the identification, or to the alternative at once.

    Raises why the link is not good, `ConsentDecided` the second time, `ConsentMistyped`, `TermsNotAccepted`,
    `TermsOutdated` if another text was shown than is in force.
    """
    link = links.use_link(token, LinkPurpose.CONSENT, address=given.address, now=now)
    order = link.order
    policy.require_open(order)
    check = _check_of(order)
    if check.state in _DECIDED:
        raise ConsentDecided
    _require_sound(order, given)
    if not order.recipient_is_buyer:
        accept_terms(order, given.terms, role="recipient", address=given.address, at=now)
    _store(order, given.decision, given.language, typed=given.typed, address=given.address, at=now)
    if given.decision == ConsentDecision.GIVEN:
        _go_on(order, check, now)
    else:
        checks.fail_check(check, at=now, reason=REFUSED)
        _open_alternative(order, now)
    return order


@use_case
@sensitive_variables("token")
def withdraw(token: str, *, address: str | None, language: str, now: datetime) -> Order:
    """The recipient takes his consent back: photos of his face are erased here, everything at the provider.

    Before the outcome the alternative opens; after it, what was done stays lawful and stands (GDPR art. 7(3)).
    """
    link = links.use_link(token, LinkPurpose.CONSENT, address=address, now=now)
    order = link.order
    if standing_of(order) != ConsentDecision.GIVEN:
        raise ConsentAbsent
    _store(order, ConsentDecision.WITHDRAWN, language, typed="", address=address, at=now)
    _erase_faces(order, now)
    identity = attempts.identity_of(order)
    is_open = order.state == OrderState.CHECKING and identity.state not in _DECIDED
    if is_open and identity.path != IdentityPath.SIGNATURE:
        _void_consent(order, now)
        _open_alternative(order, now)
    return order


def renew(order: Order, *, at: datetime) -> None:
    """Ask again what was refused, withdrawn or never answered, for the biometric way opened anew; else it stands."""
    check = _check_of(order)
    if not policy.is_fresh(check, at) or standing_of(order) == ConsentDecision.WITHDRAWN:
        checks.restart(check, at=at)


def standing_of(order: Order) -> str:
    """What the recipient has answered last in the check's present round (a `ConsentDecision`), or nothing.

    An answer comes by a link of its round: what was said before the round's first link was used is of other data.
    """
    check = order.checks.get(kind=CheckKind.CONSENT)
    asked = order.links.filter(purpose=LinkPurpose.CONSENT, round=check.round, used_at__isnull=False)
    first = asked.order_by("used_at").values_list("used_at", flat=True).first()
    if first is None:
        return ""
    return order.consents.filter(at__gte=first).order_by("-pk").values_list("decision", flat=True).first() or ""


def _require_sound(order: Order, given: Answer) -> None:
    text = consent_text.in_force(given.language)
    if (given.shown.version, given.shown.sha256) != (text.version, text.sha256):
        raise TermsOutdated
    is_given = given.decision == ConsentDecision.GIVEN
    if is_given and _plain(given.typed) != _plain(f"{order.given_name} {order.surname}"):
        raise ConsentMistyped


def _store(
    order: Order, decision: ConsentDecision, language: str, *, typed: str, address: str | None, at: datetime
) -> None:
    text = consent_text.in_force(language)
    Consent.objects.create(
        order=order,
        decision=decision,
        version=text.version,
        sha256=text.sha256,
        typed=typed[:140],
        address=address,
        at=at,
    )
    events.record(
        f"smime.consent-{decision.value}",
        actor=recipient(order),
        at=at,
        facts={"version": text.version},
        **checks.scope(order),
    )


def _go_on(order: Order, check: Check, now: datetime) -> None:
    checks.pass_check(check, at=now, method=f"{METHOD} {consent_text.VERSION}")
    identity = attempts.identity_of(order)
    if identity.state == CheckState.TODO:
        checks.begin(identity, at=now)


def _open_alternative(order: Order, now: datetime) -> None:
    """Begin the identity check anew by signature: links and sessions of the other way are void."""
    identity = attempts.identity_of(order)
    identity.path = IdentityPath.SIGNATURE
    identity.save(update_fields=["path"])
    checks.restart(identity, at=now)


def _void_consent(order: Order, now: datetime) -> None:
    check = _check_of(order)
    check.restart()
    check.save()
    checks.fail_check(check, at=now, reason=WITHDRAWN)


def _erase_faces(order: Order, now: datetime) -> None:
    for face in EvidenceFile.objects.filter(order=order, kind=FileKind.FACE, erased_at__isnull=True):
        evidence.erase(face, at=now)
    at_provider = order.attempts_made.filter(is_final=True, erased_at__isnull=True).exclude(scan_ref="")
    at_provider.update(next_attempt_at=now)


def _resend(order: Order, *, now: datetime) -> None:
    policy.require_open(order)
    check = _check_of(order)
    if check.state in _DECIDED:
        raise LinkUsed
    if check.state != CheckState.WAITING_CUSTOMER or not _is_mailbox_confirmed(order):
        raise LinkOutdated
    links.require_may_mail(order, LinkPurpose.CONSENT, now=now)
    _mail(order, check, at=now)


def _is_mailbox_confirmed(order: Order) -> bool:
    return order.checks.filter(kind=CheckKind.MAILBOX, state=CheckState.PASSED).exists()


def _mail(order: Order, check: Check, *, at: datetime) -> None:
    ends = policy_links.link_expires_at(LinkPurpose.CONSENT, at)
    token = links.issue_link(order, LinkPurpose.CONSENT, at=at)
    letters.post_consent(order, links.address_of(LinkPurpose.CONSENT, token), at=at)
    check.ask_customer(at=at, due_at=ends)
    check.save()


def _check_of(order: Order) -> Check:
    check = Check.objects.select_for_update().get(order=order, kind=CheckKind.CONSENT)
    check.order = order
    return check


def _plain(name: str) -> str:
    """A name as people type it: case, accents, apostrophes and blanks aside."""
    spelled = unicodedata.normalize("NFKD", name)
    return "".join(char for char in spelled if char.isalpha()).casefold()
