"""The renewal as a state machine: scan, log in, ask the office what is next, do it, until done or closed.

Knows no window and no command line; every text goes out by key. The office's `next_step` is the only truth, so a run
that was cut off anywhere is continued by running again with the same card.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from cardclient import admission, certificates, codes, pairs, steps
from cardclient.acceptance import accept_before_login
from cardclient.admission import Desk, Leftover
from cardclient.card_lock import exclusive
from cardclient.contract import Case, Offer, ScanAnswer, Step
from cardclient.errors import (
    AnotherCard,
    CardError,
    CardRemoved,
    CardUpdateError,
    ClientError,
    ClientOutdated,
    Distrusted,
    OfficeRefusal,
)
from cardclient.ports import CardView, Notice, Phase, SecretKind
from cardclient.scanned import Scanned
from cardclient.secret import Secret
from cardclient.steps import Run

LOG = logging.getLogger("cardclient.flow")
Act = Callable[[Desk, Run, Case, Secret], Case]

# After each step the office says what is next; the same answer this many times in a row means that nothing moves.
PATIENCE = 3
SESSION_OVER = "session-invalid"

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
    """How a run ended well: the case as the office last showed it (None when only leftovers were removed).

    `reinsert`: a card of this family shows its new certificate only after it was out of the reader for a moment
    (SogeiExtend: AC 2014 and AC 2018); `reinsertion.py` waits for that.
    """

    view: CardView
    case: Case | None
    removed: int
    reinsert: bool = False


def scan(desk: Desk) -> tuple[Scanned, ...]:
    """Read the cards and ask the office about each; no PIN. Raises NoCard, OfficeUnreachable, OfficeRefusal."""
    desk.screen.phase(Phase.SCAN)
    with _naming_download(desk):
        return admission.scan_cards(desk.card, desk.office)


def renew(desk: Desk) -> Outcome:
    """Renew the card in the reader, or go on with what an earlier run began; raises a ClientError otherwise."""
    return renew_scanned(desk, scan(desk))


def renew_scanned(desk: Desk, scanned: Sequence[Scanned]) -> Outcome:
    """Do the same with cards that `scan` has read just now."""
    if not any(each.offers for each in scanned):
        left = admission.leftovers(scanned)
        if left:
            return _finish_removal(desk, left)
        view = admission.finished(scanned, desk.now)
        if view:
            return _removed(desk, view, 0)
    with _naming_download(desk):
        chosen, offer = admission.choose_renewal(desk.screen, scanned)
        with exclusive(chosen.view.serial, desk.locks):
            return _renew(desk, chosen, offer)


def _renew(desk: Desk, chosen: Scanned, offer: Offer) -> Outcome:
    run = _prepare(desk, chosen, offer)
    pin = _log_in(desk, run, chosen.answer)
    case = admission.open_session(desk, run.view, offer, pin)
    LOG.info("case %s: %s", case.code, case.next_step)
    return _finish(desk, run, _follow(desk, run, case, pin), chosen.answer)


def _prepare(desk: Desk, chosen: Scanned, offer: Offer) -> Run:
    """Turn to the chosen card and have accepted what can be read before any code is asked."""
    view, replaces = chosen.view, chosen.replaces(offer)
    desk.card.choose(view.serial)
    return Run(
        view=view,
        offer=offer,
        login_with=admission.old_certificate(view, offer.login_with),
        sign_with=admission.old_certificate(view, offer.sign_with) if offer.sign_with else None,
        replaces=replaces,
        puk="ok" if SecretKind.PUK in chosen.answer.secrets else "not-asked",
        accepted=accept_before_login(desk.screen, desk.office, offer, replaces=replaces),
    )


def _log_in(desk: Desk, run: Run, answer: ScanAnswer) -> Secret:
    """Check the codes this family asks for: first the PIN, whose loss is the smaller one, then the PUK."""
    desk.screen.phase(Phase.LOGIN)
    pin = codes.enter_pin(desk.card, desk.screen, run.view)
    if SecretKind.PUK in answer.secrets:
        codes.enter_puk(desk.card, desk.screen, run.view.lengths)
        desk.card.login(pin)  # accepted a moment ago; checking the PUK closed the session
    return pin


def _follow(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Do what the office says until it says done; raises Distrusted("flow-stuck") when nothing moves."""
    last, repeated = None, 0
    while case.next_step in STEPS:
        repeated = repeated + 1 if case.next_step is last else 1
        if repeated > PATIENCE:
            raise Distrusted("flow-stuck", operation=case.next_step)
        last = case.next_step
        after = _step(desk, run, case, pin)
        if _identity(after) != _identity(case):
            raise Distrusted("text-refused", operation="case")
        LOG.info("case %s: %s, next %s", case.code, last, after.next_step)
        case = after
    if case.next_step is Step.CLOSED:
        raise OfficeRefusal("case-ended", status=200, action="contact-centre")
    return case


def _step(desk: Desk, run: Run, case: Case, pin: Secret) -> Case:
    """Carry out one step; a session that ran out while the holder read or waited is opened again, and he goes on."""
    phase, act = STEPS[case.next_step]
    desk.screen.phase(phase)
    try:
        with _reporting(desk, phase):
            return act(desk, run, case, pin)
    except OfficeRefusal as refusal:
        if refusal.code != SESSION_OVER:
            raise
        LOG.info("case %s: session over", case.code)
        return _reopened(desk, run, pin, refusal)


def _reopened(desk: Desk, run: Run, pin: Secret, refusal: OfficeRefusal) -> Case:
    """Log in again with the same card; where that is not possible, the refusal stands and the next run goes on."""
    try:
        return admission.open_session(desk, run.view, run.offer, pin)
    except Distrusted:
        # Beyond a day after the run began a login text no longer fits its bounds: the clock may have been moved.
        raise refusal from None


def _identity(case: Case) -> tuple[object, ...]:
    """What never changes in a case: its code, its card, its server, and the certificates it renews."""
    renewed = tuple((each.slot, each.old_certificate) for each in case.slots)
    return case.code, case.card_serial, case.host, case.flow, renewed


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
        with _reporting(desk, Phase.REMOVAL), steps.writing(desk):
            _remove(desk, replaced)
    desk.screen.phase(Phase.DONE)
    if answer.reinsert_after:
        desk.screen.say(Notice("reinsert"))
    return Outcome(run.view, case, len(left), reinsert=answer.reinsert_after)


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
    with exclusive(view.serial, desk.locks):
        desk.card.choose(view.serial)
        desk.screen.phase(Phase.LOGIN)
        desk.screen.say(Notice("old-objects-left"))
        codes.enter_pin(desk.card, desk.screen, view)
        desk.screen.phase(Phase.REMOVAL)
        with steps.writing(desk):
            for each in mine:
                _remove(desk, each)
    return _removed(desk, view, len(mine))


def _removed(desk: Desk, view: CardView, pairs_removed: int) -> Outcome:
    """End a run that had nothing but a removal to finish, or found it finished."""
    desk.screen.phase(Phase.DONE)
    desk.screen.say(Notice("removal-finished"))
    return Outcome(view, None, pairs_removed)


def _remove(desk: Desk, each: Leftover) -> None:
    """Delete one old pair; whatever the card says, the renewal stands, and the code says that only this is left."""
    try:
        pairs.remove_replaced(desk.card, each.old, each.successor)
    except (CardRemoved, AnotherCard):
        raise
    except CardError as problem:
        raise CardUpdateError("old-objects-left", operation=problem.operation or problem.code) from problem


@contextmanager
def _naming_download(desk: Desk) -> Iterator[None]:
    """Name the page of the new version to a client that found out by itself that it is too old for an answer."""
    try:
        yield
    except ClientOutdated as problem:
        if problem.download is None:
            with suppress(ClientError):
                known = desk.office.capabilities()
                problem.download = known.download if known else None
        raise


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


__all__ = ["Desk", "Outcome", "pairs", "renew", "renew_scanned", "scan"]
