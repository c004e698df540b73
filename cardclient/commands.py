"""What `sigillo-card` does for each command: each takes the call and returns the facts of its result."""

from __future__ import annotations

import contextlib
import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from cardclient import flow, tools
from cardclient.contract import Case, Verdict
from cardclient.errors import ClientError, Declined, InputNeeded, NotRenewable, PinLength, WrongPin, WrongPuk
from cardclient.exits import Exit
from cardclient.messages import Message, message_for, words_for
from cardclient.network.legs import Network, Probe
from cardclient.ports import Card, CardView, CodeState, Notice, Office, Screen, SecretKind
from cardclient.readers.opening import Source
from cardclient.scanned import Scanned
from cardclient.secret import Secret
from cardclient.support.check import KeyCheck, check_card
from cardclient.support.log import Logbook
from cardclient.support.readable import check_lines, readable
from cardclient.support.report import Sources, gather
from cardclient.support.status import HttpWeb
from cardclient.terminal import Terminal

Facts = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Doors:
    """How a run reaches what lies outside; each is called only by a command that needs it."""

    office: Callable[[Namespace], Office]
    network: Callable[[Probe], Network]
    web: Callable[[Namespace], HttpWeb]
    probe: Callable[[Namespace], Probe]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of the program; what it opens is closed at its end."""

    options: Namespace
    source: Source
    terminal: Terminal
    doors: Doors
    logbook: Logbook | None
    now: datetime
    opened: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def card(self) -> Card:
        """The card, or all of them."""
        return self.source.card

    def desk(self) -> flow.Desk:
        """Join the ports for the flow."""
        office = self.opened.enter_context(contextlib.closing(self.doors.office(self.options)))
        return flow.Desk(self.card, cast("Screen", self.terminal), office, self.now)


def scan(call: Call) -> Facts:
    """Show what the office says of each card; asks for no code."""
    scanned = flow.scan(call.desk())
    message, status = message_for("renewable"), Exit.DONE
    if not any(each.offers for each in scanned):
        answer = scanned[0].answer
        problem = NotRenewable(answer.code or answer.verdict, message=answer.message, advice=answer.advice)
        message, status = words_for(problem), Exit.NOT_RENEWABLE
    return result(status, message) | {"cards": [_card_facts(each) for each in scanned]}


def renew(call: Call) -> Facts:
    """Renew the card, or go on with what an earlier run began."""
    outcome = flow.renew(call.desk())
    message = message_for("done" if outcome.case else "removal-finished")
    if outcome.case and outcome.case.result:
        message = Message("done", message.text, outcome.case.result.message)
    return result(Exit.DONE, message) | {
        "card": {"serial": outcome.view.serial},
        "case": _case_facts(outcome.case) if outcome.case else None,
        "removed_old_pairs": outcome.removed,
    }


def diagnose(call: Call) -> Facts:
    """Gather the report for the support desk ("diagnostica da prompt" of the guide)."""
    probe = call.doors.probe(call.options)
    sources = Sources(
        call.card,
        call.source.readers,
        call.source.service,
        network=lambda: call.doors.network(probe),
        logbook=call.logbook,
    )
    report = gather(sources, now=call.now, with_holder=call.options.with_holder)
    told = {"report": json.loads(report.as_json()), "shown": readable(report)}
    cards = report.facts["cards"]
    if isinstance(cards, Mapping):
        status = Exit.NO_CARD if cards["error"] == "card-absent" else Exit.CARD_ACCESS
        return result(status, message_for(cards["error"], cards.get("facts"))) | told
    return result(Exit.DONE, message_for("diagnosed")) | told


def check(call: Call) -> Facts:
    """Have each key sign, and look up chain and status (*Prova la carta*)."""
    view = _one_card(call)
    with contextlib.closing(call.doors.web(call.options)) as web:
        checks = _with_code(
            call, view, SecretKind.PIN, lambda pin: check_card(call.card, view.serial, pin, web, now=call.now)
        )
    code, status = _verdict_of(checks)
    told = {"checks": [_check_facts(each) for each in checks], "card": {"serial": view.serial}}
    shown = "".join(f"{label}: {text}\n" for label, text in check_lines(checks))
    return result(status, message_for(code)) | told | {"shown": shown}


def _verdict_of(checks: Sequence[KeyCheck]) -> tuple[str, Exit]:
    """Bad where one is bad; where nothing is bad, good only if every issuer and status was reached."""
    if not all(each.passed for each in checks):
        return "check-failed", Exit.CARD_ACCESS
    return ("checked", Exit.DONE) if all(each.verified for each in checks) else ("check-unverified", Exit.UNVERIFIED)


def pin(call: Call) -> Facts:
    """Change the PIN, or open a locked one with the PUK."""
    view = _one_card(call)
    changes = call.options.action == "change"
    act = tools.change_pin if changes else tools.unblock_pin
    first = SecretKind.PIN if changes else SecretKind.PUK
    after = _with_code(call, view, first, lambda code: act(call.card, view.serial, code, _new_pin(call)))
    message = message_for("pin-changed" if changes else "pin-unblocked")
    return result(Exit.DONE, message) | {"card": {"serial": after.serial, "pin": after.pin, "puk": after.puk}}


COMMANDS: Mapping[str, Callable[[Call], Facts]] = {
    "scan": scan,
    "renew": renew,
    "diagnose": diagnose,
    "check": check,
    "pin": pin,
}


def result(status: Exit, message: Message) -> Facts:
    """Put an ending into the facts that every command returns."""
    return {
        "exit": int(status),
        "code": message.code,
        "message": message.text,
        "cause": message.cause,
        "advice": message.advice,
    }


def _one_card(call: Call) -> CardView:
    """Return the card meant by `--card`, or the only one; raises InputNeeded, NoCard, AnotherCard."""
    views = call.card.scan()
    wanted = call.options.card
    if wanted is None and len(views) > 1:
        raise InputNeeded("choice-needed")
    call.card.choose(wanted or views[0].serial)
    return call.card.view()


def _with_code(call: Call, view: CardView, kind: SecretKind, act: Callable[[Secret], T]) -> T:
    """Ask for a code and do the work with it, again while the code is wrong and a person can be asked."""
    problem: ClientError | None = None
    while True:
        _warn(call.terminal, kind, view.pin if kind is SecretKind.PIN else view.puk)
        code = call.terminal.ask_secret(kind, problem.code if problem else None)
        if code is None:
            raise problem or InputNeeded(f"{kind}-needed")
        try:
            return act(code)
        except (WrongPin, WrongPuk, PinLength) as wrong:
            problem = wrong
            call.card.choose(view.serial)
            view = call.card.view()


def _warn(terminal: Terminal, kind: SecretKind, state: CodeState) -> None:
    """Say what the card tells of the tries made, and have the last one confirmed; raises Declined."""
    if state is CodeState.LAST_TRY:
        terminal.say(Notice(f"{kind}-last-try"))
        if not terminal.confirm_last_try(kind):
            raise Declined(f"{kind}-last-try")
    elif state is CodeState.TRIED:
        terminal.say(Notice(f"{kind}-tried"))


def _new_pin(call: Call) -> Secret:
    code = call.terminal.ask_secret(SecretKind.NEW_PIN, None)
    if code is None:
        raise InputNeeded("pin-needed", operation="new-pin")
    return code


def _check_facts(each: KeyCheck) -> Facts:
    standing = each.standing
    return {
        "serial": each.serial,
        "type": each.slot,
        "signature": each.signature,
        "milliseconds": each.milliseconds,
        "valid": each.valid,
        "chain": standing.chain if standing else None,
        "status": standing.status if standing else None,
        "told_by": standing.told_by if standing else None,
        "passed": each.passed,
    }


def _card_facts(each: Scanned) -> Facts:
    """Tell of a card; certificates already renewed are hidden, as the guide has it, unless nothing else is there."""
    verdicts = [one for one in each.answer.certificates if one.verdict is not Verdict.ALREADY_RENEWED]
    return {
        "serial": each.view.serial,
        "reader": each.view.reader,
        "family": each.answer.family or each.view.family,
        "pin": each.view.pin,
        "final": each.view.final,
        "verdict": each.answer.verdict,
        "code": each.answer.code,
        "message": each.answer.message,
        "secrets": list(each.answer.secrets),
        "purchase_url": each.answer.purchase_url,
        "certificates": [
            {"fingerprint": one.fingerprint, "type": one.slot, "verdict": one.verdict, "not_after": one.not_after}
            for one in verdicts or each.answer.certificates
        ],
        "offers": [
            {"login_with": offer.login_with, "sign_with": offer.sign_with, "flow": offer.flow, "service": offer.service}
            for offer in each.offers
        ],
    }


def _case_facts(case: Case) -> Facts:
    ended = case.result
    return {
        "code": case.code,
        "state": case.state,
        "state_label": case.state_label,
        "authorisation": case.authorisation,
        "concluded": ended.concluded if ended else None,
        "authorise_by": ended.authorise_by if ended else None,
        "new_not_after": ended.new_not_after if ended else None,
    }
