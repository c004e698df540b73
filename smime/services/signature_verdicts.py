"""What becomes of a signed form: judged against lists in force, told to the recipient, passed on to the check.

What cannot be answered yet (a list or a revocation list is missing, the scanner is away) stays *in verifica* and is
looked at again; nothing is ever accepted because somebody did not answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from cms import events
from cms.actors import SYSTEM
from pki import qualified_validation
from pki.qualified_validation import Form, Outcome, Person
from runtime import claims, nudge
from runtime.transactions import use_case
from smime import policy_signature
from smime.models import Check, Order, RevocationSource, SignatureReport
from smime.services import (
    checks,
    evidence,
    letters,
    revocation_lists,
    signature,
    status_answers,
    trusted_lists,
)
from smime.services.status_answers import RESPONDERS, Ask
from smime.services.trusted_lists import InForce
from smime.states import CheckState, OrderState, ScanState, Verdict

LEASE = timedelta(minutes=2)
REFRESH = "smime.tasks.refresh_trusted_lists"
MOST_AT_ONCE = 20
_UNFIT = frozenset({ScanState.INFECTED, ScanState.QUARANTINED})


def method() -> str:
    """Name how the recipient was identified, and under which version of the requirements (SBR 3.2.4.1)."""
    return f"FEQ (eIDAS) v{settings.SMIME.requirements_version}"


def validate(report_pk: int, *, at: datetime, ask: Ask = RESPONDERS.post) -> SignatureReport | None:
    """Judge one signed form and act on the verdict; None where another is at it or nothing is due.

    May ask responders (OCSP) meanwhile, so it is never called in a web request or inside a transaction.
    """
    fence = claims.claim(SignatureReport, report_pk, at=at, lease=LEASE)
    if fence is None:
        return None
    report = SignatureReport.objects.select_related("file", "form__order").get(pk=report_pk)
    lists = trusted_lists.in_force(at)
    outcome = _judge(report, lists, ask, at)
    return _settle(report, fence, outcome, lists, at)


def validate_due(*, at: datetime) -> int:
    """Judge what no nudge reached and what was waiting for lists; how many were looked at."""
    due = SignatureReport.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at")
    picked = list(due.values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(validate(pk, at=at) is not None for pk in picked)


def fetch_and_go_on(*, at: datetime) -> int:
    """Fetch wanted revocation lists; if any arrived, judge at once what waited for them."""
    arrived = revocation_lists.fetch_due(at=at)
    if arrived:
        waiting = SignatureReport.objects.filter(verdict=Verdict.PENDING, code="revocation-unknown")
        waiting.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
        validate_due(at=at)
    return arrived


def _judge(report: SignatureReport, lists: InForce, ask: Ask, at: datetime) -> Outcome:
    form, order = report.form, report.form.order
    if report.file.scan in _UNFIT:
        return Outcome(qualified_validation.Verdict.REFUSED, "file-unfit", {})
    handed_out = Form(signature.pdf_of(form), (str(form.uid), form.nonce), form.created_at, report.file.uploaded_at)
    person = Person(order.given_name, order.surname, signature.tax_code_of(form))
    content = evidence.read_file(report.file)
    outcome = qualified_validation.validate(content, handed_out, person, lists.trust(at), at=at)
    answers = status_answers.asked(outcome.questions, ask)
    if answers:
        outcome = qualified_validation.validate(content, handed_out, person, lists.trust(at, answers), at=at)
    proves = outcome.verdict in {qualified_validation.Verdict.ACCEPTED, qualified_validation.Verdict.FOR_OFFICER}
    if proves and report.file.scan != ScanState.CLEAN:
        return Outcome(qualified_validation.Verdict.PENDING, "file-being-scanned", outcome.report)
    return outcome


@use_case
def _settle(
    seen: SignatureReport, fence: int, outcome: Outcome, lists: InForce, at: datetime
) -> SignatureReport | None:
    order = Order.objects.select_for_update().get(pk=seen.form.order_id)
    if not claims.still_mine(SignatureReport, seen.pk, fence):
        return None
    report = SignatureReport.objects.select_related("file", "form").get(pk=seen.pk)
    check = signature.identity_of(order)
    if report.verdict != Verdict.PENDING or not _still_counts(report, order, check):
        outcome = Outcome(qualified_validation.Verdict.REFUSED, "form-void", {})
    report.verdict, report.code = Verdict(outcome.verdict.value), outcome.code
    report.matches_person, report.report = outcome.matches_person, {**outcome.report, "lists": _named(lists)}
    report.trusted_list = next((row for row in lists.rows if row.territory == trusted_lists.FIRST), None)
    report.claimed_until = None
    _act(report, check, outcome, at)
    report.save()
    return report


def _still_counts(report: SignatureReport, order: Order, check: Check) -> bool:
    return (
        order.state == OrderState.CHECKING
        and policy_signature.is_in_force(report.form, check, signature.data_now(report.form, order))
        and check.state in {CheckState.WAITING_CUSTOMER, CheckState.WAITING_THIRD_PARTY}
    )


def _act(report: SignatureReport, check: Check, outcome: Outcome, at: datetime) -> None:
    if report.verdict == Verdict.PENDING:
        _look_again(report, outcome, at)
        if not report.report["lists"]:
            nudge.after_commit(REFRESH)
        return
    report.validated_at, report.next_attempt_at = at, None
    _record(check.order, report, at)
    if outcome.code == "form-void":
        return
    if report.verdict == Verdict.REFUSED:
        _refuse(check, report.code, at)
    elif report.verdict == Verdict.ACCEPTED and policy_signature.is_enough():
        checks.pass_check(check, at=at, method=method())
        letters.post_identification_passed(check.order, at=at)
    else:
        check.review(at=at)
        check.save()


def _look_again(report: SignatureReport, outcome: Outcome, at: datetime) -> None:
    report.next_attempt_at = policy_signature.retry_at(report.attempts, at)
    if outcome.wanted:
        revocation_lists.want(_not_tried_just_now(outcome.wanted, at), at=at)


def _not_tried_just_now(addresses: tuple[str, ...], at: datetime) -> list[str]:
    """Leave alone what is being fetched or waits for its next try: else each look would call the same server."""
    waiting = RevocationSource.objects.filter(address__in=addresses, next_attempt_at__gt=at)
    busy = set(waiting.values_list("address", flat=True))
    return [address for address in addresses if address not in busy]


def _refuse(check: Check, code: str, at: datetime) -> None:
    """Tell what was wrong, and leave the way open: the recipient may send another file by the same link."""
    ground = policy_signature.ground_of(code)
    with translation.override(check.order.language):
        reason = f"{gettext(ground.said)} {gettext(ground.found)}"
        again = gettext("Può caricare un altro file dal collegamento dell'e-mail «Usa il processo alternativo».")
    check.ask_customer(at=at, reason=reason[:300])
    check.save()
    letters.post_papers_missing(check.order, check, f"{reason} {again}", at=at)


def _named(lists: InForce) -> list[dict[str, str | int]]:
    return [{"territory": row.territory, "sequence": row.sequence, "sha256": row.sha256} for row in lists.rows]


def _record(order: Order, report: SignatureReport, at: datetime) -> None:
    facts = {"report": str(report.pk), "verdict": report.verdict}
    events.record("smime.signature-judged", actor=SYSTEM, at=at, reason=report.code, facts=facts, **checks.scope(order))
