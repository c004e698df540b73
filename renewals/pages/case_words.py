"""The words of the case page: sentences with their dates, check lines, certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cms.admin.words import Badge
from cms.admin.words import hold_cause as cause_in_words
from cms.admin.words import reason as reason_in_words
from cms.states import CertificateStatus, CertificateType, Flow
from cms.templatetags.public import long_day, moment
from renewals.models import RenewalCase
from renewals.pages.extension_words import words_of
from renewals.services.standing import Actor, Half, Situation, Standing
from renewals.span import span_of
from renewals.states import Authorisation, CaseState
from renewals.timeline import steps

_SHOWN_OF_CARD = 4
# Where a reason written by the centre is what the holder wants to know.
_WITH_REASON = (Situation.REFUSED, Situation.REFUSED_HELD, Situation.SUSPENDED_REFUSED, Situation.CANCELLED_REFUSED)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of what is needed: what, who acts, how far it is (done, now, future, missed), and a deadline if open."""

    what: str
    who: str
    state: str
    icon: str
    said: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HalfInWords:
    """A certificate: what it is for, how it stands."""

    name: str
    badge: Badge
    said: str


def page_of(stands: Standing, now: datetime) -> dict[str, Any]:
    """Everything that the template shows of a case."""
    case, words, filled = stands.case, words_of(stands.case, stands.situation), _dates(stands)
    new = [half.certificate for half in stands.new]
    return {
        "stands": stands,
        "case": case,
        "centre": case.centre,
        "card": case.card.serial[-_SHOWN_OF_CARD:],
        "badge": Badge(words.tone, words.icon, str(words.badge)),
        "headline": words.headline,
        "said": str(words.said) % filled,
        "todo": [str(line) % filled for line in words.todo],
        "ahead": str(words.ahead) % filled,
        "reason": _reason(stands),
        "is_for_client": stands.who == Actor.HOLDER,
        "until_word": _until_word(stands),
        "checks": checks(stands, now),
        "old": [_in_words(half, is_new=False) for half in stands.old],
        "new": [_in_words(half, is_new=True) for half in stands.new],
        "span": span_of(case, now),
        "steps": steps(case, new, now),
    }


def _dates(stands: Standing) -> dict[str, str]:
    case = stands.case
    return {
        "until": moment(stands.until) if stands.until else "–",
        "old_until": moment(case.old_not_after),
        "new_until": long_day(stands.new_until) if stands.new_until else "–",
        "suspended": moment(case.suspended_at) if case.suspended_at else "–",
        "closed": long_day(case.closed_at) if case.closed_at else "–",
    }


def _reason(stands: Standing) -> str:
    case = stands.case
    if stands.situation in _WITH_REASON:
        return reason_in_words(case.decision_reason)
    return reason_in_words(case.close_reason) if stands.situation == Situation.CANCELLED else ""


def _until_word(stands: Standing) -> str:
    if stands.who == Actor.HOLDER:
        return _("Tocca a Lei, entro")
    return _("Tocca al CDRL, entro")


def checks(stands: Standing, now: datetime) -> list[Check]:
    """What a renewal needs, in its order: signature, installation and, where the agreement asks it, authorisation."""
    case = stands.case
    you = _("Lei, con il programma sulla carta")
    first = _("Accettazione delle condizioni") if case.flow == Flow.EXTEND else _("Firma del modulo")
    lines = [
        _step(case, first, you, case.signed_at, is_next=case.state == CaseState.NOTIFIED),
        _step(
            case,
            _("Installazione dei nuovi certificati"),
            you,
            case.completed_at,
            is_next=case.state == CaseState.AWAITING_INSTALLATION,
        ),
    ]
    if stands.needs_authorisation:
        lines.append(_authorisation(stands, now))
    return lines


def _step(case: RenewalCase, what: str, who: str, at: datetime | None, *, is_next: bool) -> Check:
    if at is not None:
        return Check(what, who, "done", "check-circle", _("Fatto: %(when)s") % {"when": moment(at)})
    if not case.is_open:
        return Check(what, who, "missed", "close-circle", _("Non avvenuto"))
    if is_next:
        return Check(what, who, "now", "clock", _("Da fare adesso"), case.old_not_after)
    return Check(what, who, "future", "minus-circle", _("Viene dopo"))


def _authorisation(stands: Standing, now: datetime) -> Check:
    case, what, who = stands.case, _("Autorizzazione del rinnovo"), _("Il CDRL")
    if case.authorisation == Authorisation.APPROVED and case.decided_at:
        return Check(what, who, "done", "check-circle", _("Fatto: %(when)s") % {"when": moment(case.decided_at)})
    if case.authorisation == Authorisation.REFUSED and case.decided_at:
        said = _("Non approvata: %(when)s") % {"when": moment(case.decided_at)}
        return Check(what, who, "missed", "close-circle", said, stands.until if stands.who == Actor.CENTRE else None)
    if not case.is_open and (case.closed_at is not None or case.withdrawn_at is not None):
        return Check(what, who, "missed", "close-circle", _("Non avvenuto"))
    if case.authorisation == Authorisation.PENDING:
        until = stands.until if stands.who == Actor.CENTRE else case.old_not_after
        return Check(
            what, who, "now", "pencil", _("In attesa della decisione"), until if until and until > now else None
        )
    return Check(what, who, "future", "minus-circle", _("Dopo la firma del modulo"))


def _in_words(half: Half, *, is_new: bool) -> HalfInWords:
    certificate = half.certificate
    name = _(CertificateType(certificate.type).label)
    until = {"when": moment(certificate.not_after)}
    if certificate.status == CertificateStatus.REVOKED and certificate.revoked_at:
        said = _("Revocato in modo definitivo: %(when)s. Motivo: %(why)s.") % {
            "when": moment(certificate.revoked_at),
            "why": reason_in_words(certificate.revocation_cause),
        }
        return HalfInWords(name, Badge("danger", "ban", _("Revocato")), said)
    if half.is_over:
        return HalfInWords(name, Badge("neutral", "clock", _("Scaduto")), _("Scaduto: %(when)s.") % until)
    if half.causes or certificate.status == CertificateStatus.HELD:
        return HalfInWords(name, Badge("danger", "lock", _("Sospeso")), _held(half))
    if certificate.status == CertificateStatus.ISSUED:
        return HalfInWords(name, Badge("wait", "clock", _("Da installare")), _("Emesso, non ancora sulla carta."))
    said = _("Valido fino a %(when)s.") if is_new else _("Valido fino a %(when)s, anche dopo il rinnovo.")
    return HalfInWords(name, Badge("ok", "check-circle", _("Attivo")), said % until)


def _held(half: Half) -> str:
    why = ", ".join(cause_in_words(cause) for cause in half.causes)
    since = half.certificate.held_at
    if not why:
        return _("Riattivazione in corso.")
    if since is None:
        return _("Sospensione in corso. Motivo: %(why)s.") % {"why": why}
    return _("Sospeso da %(when)s. Motivo: %(why)s.") % {"when": moment(since), "why": why}
