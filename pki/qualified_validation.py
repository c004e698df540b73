"""Is this our form, signed with a qualified electronic signature, by that person? Offline, at a given instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pki import qualified_person
from pki.errors import PkiError
from pki.qualified_files import Layer, SignedFile, open_signed, sha256
from pki.qualified_person import Person
from pki.qualified_revocation import Trust
from pki.qualified_signature import Judgement, Verdict, judge_layer, signer_of
from pki.status_answers import Question

__all__ = ["Form", "Outcome", "Person", "Trust", "Verdict", "validate"]

CLOCK_TOLERANCE = timedelta(minutes=10)
_DOUBTFUL = frozenset({"person-unmatched", "person-names-differ"})


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it was handed out, its two marks, and between which instants it can have been signed."""

    pdf: bytes = field(repr=False)
    markers: tuple[str, str]
    created_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict with its code, what a report keeps of it, and who can tell what is missing.

    `wanted` are addresses of revocation lists, `questions` go to responders; either would do.
    """

    verdict: Verdict
    code: str
    report: dict[str, Any] = field(repr=False)
    matches_person: bool = False
    wanted: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


def validate(content: bytes, form: Form, person: Person, trust: Trust, *, at: datetime) -> Outcome:
    """Say whether `content` proves that `person` has signed `form`. Never raises, whatever the bytes are.

    `wanted` and `questions` come from certificates that chain to a listed service, and from no others: an unknown
    signer's certificate may name any address.
    """
    report: dict[str, Any] = {"sha256": sha256(content), "at": at.isoformat(), "layers": []}
    try:
        signed = open_signed(content, form.pdf, form.markers)
        return _judged(signed, form, person, trust, at, report)
    except PkiError as refusal:
        return Outcome(Verdict.REFUSED, refusal.code, report)
    except Exception as unreadable:  # noqa: BLE001 - the libraries name no closed list of exceptions; junk is no 500
        report["error"] = type(unreadable).__name__
        return Outcome(Verdict.REFUSED, "file-unreadable", report)


def _judged(
    signed: SignedFile, form: Form, person: Person, trust: Trust, at: datetime, report: dict[str, Any]
) -> Outcome:
    found = [judge_layer(layer, trust, at=at) for layer in signed.layers]
    report["layers"] = [each.entry for each in found]
    objections = [objection for layer in signed.layers if (objection := _objection(layer, person))]
    final = [objection for objection in objections if objection not in _DOUBTFUL]
    for each in found:
        if each.verdict is Verdict.REFUSED:
            return Outcome(each.verdict, each.code, report)
    if final:
        return Outcome(Verdict.REFUSED, final[0], report)
    waiting = [each for each in found if each.verdict is Verdict.PENDING]
    if waiting:
        return _waiting(waiting, report)
    doubts = [*objections, *signed.doubts, *_odd_times(signed, form)]
    if doubts:
        report["doubts"] = doubts
        return Outcome(Verdict.FOR_OFFICER, doubts[0], report, matches_person=not objections)
    return Outcome(Verdict.ACCEPTED, "signature-qualified", report, matches_person=True)


def _waiting(layers: list[Judgement], report: dict[str, Any]) -> Outcome:
    wanted = tuple(dict.fromkeys(address for each in layers for address in each.wanted))
    questions = tuple(dict.fromkeys(question for each in layers for question in each.questions))
    return Outcome(Verdict.PENDING, layers[0].code, report, wanted=wanted, questions=questions)


def _objection(layer: Layer, person: Person) -> str | None:
    return qualified_person.disagreement(signer_of(layer), person)


def _odd_times(signed: SignedFile, form: Form) -> list[str]:
    """Find claimed signing times outside the form's life; self-declared, so a person looks and nobody is refused."""
    first, last = form.created_at - CLOCK_TOLERANCE, form.received_at + CLOCK_TOLERANCE
    claims = [datetime.fromisoformat(layer.claimed_at) for layer in signed.layers if layer.claimed_at]
    aware = [claim if claim.tzinfo else claim.replace(tzinfo=UTC) for claim in claims]
    return [] if all(first <= claim <= last for claim in aware) else ["signing-time-odd"]
