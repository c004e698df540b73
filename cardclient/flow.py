"""The renewal as a state machine: scan, log in, ask the office what is next, do it, until done or closed.

Knows no window and no command line; every text goes out by key. The office's `next_step` is the only truth, so a run
that was cut off anywhere is continued by running again with the same card.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from cardclient import admission, certificates, pairs, steps
from cardclient.admission import Desk, Leftover, Scanned
from cardclient.contract import Case, Offer, ScanAnswer, Step
from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    ClientError,
    Distrusted,
    OfficeRefusal,
)
from cardclient.ports import CardView, Notice, Phase
from cardclient.secret import Secret
from cardclient.steps import Run

LOG = logging.getLogger("cardclient.flow")
Act = Callable[[Desk, Run, Case, Secret], Case]

# After each step the office says what is next; the same answer this many times in a row means that nothing moves.
PATIENCE = 3

STEPS: Mapping[Step, tuple[Phase, Act]] = {
    Step.DIAGNOSIS: (Phase.DIAGNOSIS, steps.diagnose),
    Step.CONTACTS: (Phase.CONTACTS, steps.give_contacts),
    Step.CONFIRMATION: (Phase.CONFIRMATION, steps.confirm_contact),
    Step.ACCEPTANCE: (Phase.ACCEPTANCE, steps.accept_texts),
    Step.FORM: (Phase.FORM, steps.sign_form),
    Step.REQUESTS: (Phase.KEYS, steps.request_certificates),
    Step.CERTIFICATES: (Phase.CERTIFICATES, steps.install),
    Step.INSTALLATION: (Phase.INSTALLATION, steps.install),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended well: the case as the office last showed it (None when only leftovers were removed)."""

    view: CardView
    case: Case | None
    removed: int


def scan(desk: Desk) -> tuple[Scanned, ...]:
    """Read the cards and ask the office about each; no PIN. Raises NoCard, OfficeUnreachable, OfficeRefusal."""
    desk.screen.phase(Phase.SCAN)
    return admission.scan_cards(desk.card, desk.office)


def renew(desk: Desk) -> Outcome:
    """Renew the card in the reader, or go on with what an earlier run began; raises a ClientError otherwise."""
    scanned = scan(desk)
    left = admission.leftovers(scanned)
    if left and not any(each.answer.offers for each in scanned):
        return _finish_removal(desk, left)
    chosen, offer = admission.choose_renewal(desk.screen, scanned)
    desk.card.choose(chosen.view.serial)
    run, pin = _log_in(desk, chosen, offer)
    case = admission.open_session(desk, run.view, offer, pin)
    LOG.info("case %s: %s", case.code, case.next_step)
    return _finish(desk, run, _follow(desk, run, case, pin), chosen.answer)


def _log_in(desk: Desk, chosen: Scanned, offer: Offer) -> tuple[Run, Secret]:
    """Check the codes this family asks for: first the PIN, whose loss is the smaller one, then the PUK."""
    desk.screen.phase(Phase.LOGIN)
    view = chosen.view
    pin = admission.enter_pin(desk, view)
    puk = "not-asked"
    if "puk" in chosen.answer.secrets:
        admission.enter_puk(desk)
        puk = "ok"
        desk.card.login(pin)  # accepted a moment ago; checking the PUK closed the session
    return Run(
        view=view,
        login_with=admission.old_certificate(view, offer.login_with),
        sign_with=admission.old_certificate(view, offer.sign_with) if offer.sign_with else None,
        # The card's own setting decides; without one, a renewal replaces and an extension keeps.
        replaces=offer.flow == steps.ENROLL if view.replaces is None else view.replaces,
        puk=puk,
    ), pin


def _follow(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Do what the office says until it says done; raises Distrusted("flow-stuck") when nothing moves."""
    last, repeated = None, 0
    while case.next_step in STEPS:
        repeated = repeated + 1 if case.next_step is last else 1
        if repeated > PATIENCE:
            raise Distrusted("flow-stuck", operation=case.next_step)
        last = case.next_step
        phase, act = STEPS[case.next_step]
        desk.screen.phase(phase)
        with _reporting(desk, phase):
            after = act(desk, run, case, pin)
        if (after.code, after.card_serial, after.host) != (case.code, case.card_serial, case.host):
            raise Distrusted("text-refused", operation="case")
        LOG.info("case %s: %s, next %s", case.code, phase, after.next_step)
        case = after
    if case.next_step is Step.CLOSED:
        raise OfficeRefusal("case-ended", status=200, action="contact-centre")
    return case


def _finish(desk: Desk, run: Run, case: Case, answer: ScanAnswer) -> Outcome:
    """After Completato: check the announced end, delete the old pair where the card replaces, say goodbye."""
    with _reporting(desk, Phase.INSTALLATION):
        _require_announced(desk, run, case)
    left = [
        Leftover(run.view, old, run.name(case, each.slot))
        for each in case.slots
        for old in run.view.certificates
        if old.fingerprint == each.old_certificate and run.replaces
    ]
    if left:
        desk.screen.phase(Phase.REMOVAL)
    for replaced in left:
        with _reporting(desk, Phase.REMOVAL):
            _remove(desk, replaced)
    desk.screen.phase(Phase.DONE)
    if answer.reinsert_after:
        desk.screen.say(Notice("reinsert"))
    return Outcome(run.view, case, len(left))


def _require_announced(desk: Desk, run: Run, case: Case) -> None:
    """The end the office announces is the end of a certificate that now stands on the card; nothing is deleted else."""
    ids = {run.name(case, each.slot).id for each in case.slots}
    ends = [certificates.load(each.der).not_valid_after_utc for each in desk.card.view().certificates if each.id in ids]
    announced = _instant(case.result.new_not_after) if case.result and case.result.new_not_after else None
    if len(ends) != len(ids) or announced not in ends:
        raise Distrusted("certificate-refused", operation="announced-end")


def _instant(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else None


def _finish_removal(desk: Desk, left: Sequence[Leftover]) -> Outcome:
    """Delete what a run cut off after Completato could not; one card at a time."""
    view = left[0].view
    mine = [each for each in left if each.view.serial == view.serial]
    desk.card.choose(view.serial)
    desk.screen.phase(Phase.LOGIN)
    desk.screen.say(Notice("old-objects-left"))
    admission.enter_pin(desk, view)
    desk.screen.phase(Phase.REMOVAL)
    for each in mine:
        _remove(desk, each)
    desk.screen.phase(Phase.DONE)
    desk.screen.say(Notice("removal-finished"))
    return Outcome(view, None, len(mine))


def _remove(desk: Desk, each: Leftover) -> None:
    """Delete one old pair; whatever the card says, the renewal stands, and the code says that only this is left."""
    try:
        pairs.remove_replaced(desk.card, each.old, each.successor)
    except (CardRemoved, AnotherCard):
        raise
    except CardError as problem:
        raise CardUpdateError("old-objects-left", operation=problem.operation or problem.code) from problem


@contextmanager
def _reporting(desk: Desk, phase: Phase) -> Iterator[None]:
    """Tell the office what the card or this client could not do, then let the error go on."""
    try:
        yield
    except (CardError, Distrusted) as problem:
        _report(desk, phase, problem)
        raise


def _report(desk: Desk, phase: Phase, problem: ClientError) -> None:
    """Report a failure, as codes only; a report that does not arrive changes nothing."""
    try:
        detail = f"{type(problem).__name__} {problem.operation}".strip()
        reference = desk.office.report_failure(phase, problem.code, detail)
    except ClientError as silent:
        LOG.info("failure not reported: %s", silent.code)
    else:
        desk.screen.say(Notice("failure-reported", {"reference": reference}))


__all__ = ["Desk", "Outcome", "pairs", "renew", "scan"]
