"""`sigillo-card scan | renew | diagnose`: the door of the client; it alone reads the clock, the command line and files.

Codes are asked for or read from a file or descriptor, never taken from the command line, which other users can see.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from cardclient import diagnosis, flow
from cardclient.admission import Scanned
from cardclient.card_pkcs11 import Pkcs11Card
from cardclient.contract import Case, Verdict
from cardclient.errors import ClientError, Declined, NotRenewable, OfficeRefusal
from cardclient.exits import Exit, exit_for
from cardclient.messages import Message, message_for, words_for
from cardclient.office import HttpOffice
from cardclient.options import answers, parse
from cardclient.ports import Card, Office, Screen
from cardclient.simulator import SimulatedCard, SimulatedReader
from cardclient.terminal import Answers, Terminal

LOG = logging.getLogger("cardclient.cli")
MakeOffice = Callable[[Namespace], Office]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of the program."""

    options: Namespace
    card: Card
    terminal: Terminal
    office: Office
    now: datetime

    def desk(self) -> flow.Desk:
        """Join the ports for the flow."""
        return flow.Desk(self.card, cast("Screen", self.terminal), self.office, self.now)


def main(arguments: Sequence[str] | None = None, *, make_office: MakeOffice | None = None) -> int:
    """Run one command and return its exit status (README.md); prints one JSON object when `--json` is given."""
    options = parse(arguments)
    with _logging(options):
        return _run(options, make_office or _office)


def _run(options: Namespace, make_office: MakeOffice) -> int:
    """Open what the command names, run it, and turn every ending into a status and words."""
    terminal = Terminal(Answers(), interactive=False)
    try:
        terminal = Terminal(answers(options), interactive=sys.stdin.isatty() and not options.no_input)
        with _opened(options) as card, contextlib.closing(make_office(options)) as office:
            result = COMMANDS[options.command](Call(options, card, terminal, office, datetime.now(UTC)))
    except ClientError as problem:
        result = _failure(problem)
    except KeyboardInterrupt:
        result = _failure(Declined())
    except Exception as problem:  # noqa: BLE001 - the last line: told by kind and place, never by its text
        LOG.error("%s\n%s", type(problem).__name__, "".join(traceback.format_tb(problem.__traceback__)))  # noqa: TRY400
        result = _failure(ClientError())
    return _print(options, terminal, result)


def scan(call: Call) -> dict[str, Any]:
    """Show what the office says of each card; asks for no code."""
    scanned = flow.scan(call.desk())
    offers = [offer for each in scanned for offer in each.answer.offers]
    message = message_for("renewable")
    status = Exit.DONE
    if not offers:
        answer = scanned[0].answer
        code = answer.code or answer.verdict
        problem = NotRenewable(code, message=answer.message, advice=answer.advice)
        message, status = words_for(problem), Exit.NOT_RENEWABLE
    return _result(status, message) | {"cards": [_card_facts(each) for each in scanned]}


def renew(call: Call) -> dict[str, Any]:
    """Renew the card, or go on with what an earlier run began."""
    outcome = flow.renew(call.desk())
    message = message_for("done" if outcome.case else "removal-finished")
    if outcome.case and outcome.case.result:
        message = Message("done", message.text, outcome.case.result.message)
    return _result(Exit.DONE, message) | {
        "card": {"serial": outcome.view.serial},
        "case": _case_facts(outcome.case) if outcome.case else None,
        "removed_old_pairs": outcome.removed,
    }


def diagnose(call: Call) -> dict[str, Any]:
    """Print the report for the support desk."""
    report = diagnosis.diagnose(call.card, call.options.server, now=call.now)
    parts = [part for part in (report["cards"], report["driver"]) if isinstance(part, dict)]
    broken = [part["error"] for part in parts if "error" in part]
    if broken:
        status = Exit.NO_CARD if broken[0] == "card-absent" else Exit.CARD_ACCESS
        return _result(status, message_for(broken[0])) | {"report": report}
    return _result(Exit.DONE, message_for("diagnosed")) | {"report": report}


COMMANDS: Mapping[str, Callable[[Call], dict[str, Any]]] = {"scan": scan, "renew": renew, "diagnose": diagnose}


@contextlib.contextmanager
def _opened(options: Namespace) -> Iterator[Card]:
    """Open the card named on the command line and let it go at the end, whatever happens."""
    card: Card
    if options.simulated:
        cards = [SimulatedCard(path) for path in options.simulated]
        card = cards[0] if len(cards) == 1 else cast("Card", SimulatedReader(cards))
    else:
        card = Pkcs11Card(options.module, slot=options.slot)
    try:
        yield card
    finally:
        with contextlib.suppress(ClientError):
            card.close()


def _office(options: Namespace) -> Office:
    return HttpOffice(options.server, ca_file=options.ca_file)


def _failure(problem: ClientError) -> dict[str, Any]:
    LOG.warning("ended: %s %s", type(problem).__name__, problem.code)
    result = _result(exit_for(problem), words_for(problem))
    if isinstance(problem, OfficeRefusal):
        result["action"] = problem.action
    return result | ({"operation": problem.operation} if problem.operation else {})


def _result(status: Exit, message: Message) -> dict[str, Any]:
    return {"exit": int(status), "code": message.code, "message": message.text, "advice": message.advice}


def _card_facts(each: Scanned) -> dict[str, Any]:
    """Tell of a card; certificates already renewed are hidden, as the guide has it, unless nothing else is there."""
    verdicts = [one for one in each.answer.certificates if one.verdict is not Verdict.ALREADY_RENEWED]
    return {
        "serial": each.view.serial,
        "reader": each.view.reader,
        "family": each.answer.family,
        "pin": each.view.pin,
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
            for offer in each.answer.offers
        ],
    }


def _case_facts(case: Case) -> dict[str, Any]:
    result = case.result
    return {
        "code": case.code,
        "state": case.state,
        "state_label": case.state_label,
        "authorisation": case.authorisation,
        "concluded": result.concluded if result else None,
        "authorise_by": result.authorise_by if result else None,
        "new_not_after": result.new_not_after if result else None,
    }


def _print(options: Namespace, terminal: Terminal, result: dict[str, Any]) -> int:
    """Show the ending: words on standard error, and on standard output the JSON or the report asked for."""
    for line in Message(result["code"], result["message"], result["advice"]).lines():
        print(line, file=sys.stderr)
    told = {"phases": terminal.phases, "notices": terminal.notices, "accepted": terminal.accepted}
    if options.json:
        print(json.dumps({"command": options.command} | result | told, ensure_ascii=False, indent=2))
    elif options.command == "diagnose" and "report" in result:
        print(json.dumps(result["report"], ensure_ascii=False, indent=2))
    elif options.command == "scan":
        for card in result.get("cards", []):
            print(f"carta {card['serial']} ({card['reader']}): {card['message'] or card['verdict']}")
    return int(result["exit"])


@contextlib.contextmanager
def _logging(options: Namespace) -> Iterator[None]:
    """Write the log where asked: steps, codes and times; nothing a person or card keeps secret ever reaches it."""
    logger = logging.getLogger("cardclient")
    handler = logging.FileHandler(options.log, encoding="utf-8") if options.log else logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.propagate = before[0]
        logger.setLevel(before[1])


if __name__ == "__main__":
    sys.exit(main())
