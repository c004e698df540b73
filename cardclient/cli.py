"""`sigillo-card scan | renew | diagnose | check | pin | window`: the door of the client on a command line.

It alone reads the clock, the command line and files. Codes are asked for or read from a file or descriptor, never taken
from the command line, which other users can see.
"""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from cardclient import __version__
from cardclient.commands import COMMANDS, Call, Doors, Facts, result
from cardclient.errors import ClientError, Declined, OfficeRefusal
from cardclient.exits import exit_for
from cardclient.messages import Message, words_for
from cardclient.network import legs, opening
from cardclient.network.credentials import Logins
from cardclient.network.keyring import SystemKeyring
from cardclient.network.legs import Network, Probe
from cardclient.office import HttpOffice
from cardclient.options import WINDOW, answers, parse
from cardclient.ports import Office
from cardclient.readers.opening import Source, source
from cardclient.support.log import FOLDER, LOGGER, Logbook, crashed, one_file
from cardclient.support.status import HttpWeb
from cardclient.terminal import Answers, Terminal, TerminalCredentials
from cardclient.words import tr

MakeOffice = Callable[[Namespace], Office]
HINTS = {
    "choice-needed": "--card, --certificate",
    "contacts-needed": "--email, --mobile, --street, --postcode, --town, --province",
    "confirmation-needed": "--confirmation-code",
    "acceptance-needed": "--accept-all",
    "warning-declined": "--accept-all",
    "form-needed": "--accept-all",
    "pin-last-try": "--use-last-try",
    "puk-last-try": "--use-last-try",
}


def main(
    arguments: Sequence[str] | None = None,
    *,
    make_office: MakeOffice | None = None,
    try_network: Callable[[Probe], Network] = legs.try_legs,
    make_web: Callable[[Namespace], HttpWeb] | None = None,
) -> int:
    """Run one command and return its exit status (README.md); prints one JSON object when `--json` is given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == [WINDOW]:
        return _window(given[1:])
    options = parse(given)
    doors = Doors(make_office or _office, try_network, make_web or _web, _probe)
    now = datetime.now(UTC)
    with _logging(options, now) as logbook:
        return _run(options, doors, logbook, now)


def _run(options: Namespace, doors: Doors, logbook: Logbook | None, now: datetime) -> int:
    """Open what the command names, run it, and turn every ending into a status and words."""
    LOGGER.info("sigillo-card %s: %s", __version__, options.command)
    terminal = Terminal(Answers(), interactive=False)
    try:
        terminal = Terminal(answers(options), interactive=_is_interactive(options))
        with _opened(options) as found, contextlib.ExitStack() as opened:
            told = COMMANDS[options.command](Call(options, found, terminal, doors, logbook, now, opened))
    except ClientError as problem:
        told = _failure(problem)
    except KeyboardInterrupt:
        told = _failure(Declined())
    except Exception as problem:  # noqa: BLE001 - the last line: told by kind and place, never by its text
        crashed((type(problem), problem, problem.__traceback__), where=options.command)
        told = _failure(ClientError())
    return _print(options, terminal, told)


def _window(arguments: Sequence[str]) -> int:
    """Open the window; where it is not installed the rest of the program serves all the same."""
    try:
        from cardclient.ui.app import main as window  # noqa: PLC0415 - Qt loads only where a window is wanted
    except ImportError:
        print(tr("La finestra non è installata su questo computer (PySide6)."), file=sys.stderr)
        return int(exit_for(ClientError("usage")))
    return window(arguments)


@contextlib.contextmanager
def _opened(options: Namespace) -> Iterator[Source]:
    """Open the card named on the command line, or all readers, and let go at the end, whatever happens."""
    found = source(options.simulated, options.module, slot=options.slot)
    try:
        yield found
    finally:
        with contextlib.suppress(ClientError):
            found.card.close()


def _is_interactive(options: Namespace) -> bool:
    return bool(sys.stdin and sys.stdin.isatty()) and not options.no_input


def _logins(options: Namespace) -> Logins:
    return Logins(TerminalCredentials(interactive=_is_interactive(options)), SystemKeyring())


def _transport(options: Namespace) -> httpx.BaseTransport:
    return opening.transport(options.preferences, _logins(options), ca_file=options.ca_file)


def _office(options: Namespace) -> Office:
    return HttpOffice(options.server, transport=_transport(options))


def _web(options: Namespace) -> HttpWeb:
    return HttpWeb(_transport(options))


def _probe(options: Namespace) -> Probe:
    return Probe(options.preferences, _logins(options), ca_file=options.ca_file)


def _failure(problem: ClientError) -> Facts:
    LOGGER.warning("ended: %s %s", type(problem).__name__, problem.code)
    told = result(exit_for(problem), words_for(problem))
    if isinstance(problem, OfficeRefusal):
        told["action"] = problem.action
    return told | ({"operation": problem.operation} if problem.operation else {})


def _print(options: Namespace, terminal: Terminal, told: Facts) -> int:
    """Show the ending: words on standard error, and on standard output the JSON or the report asked for."""
    for line in Message(told["code"], told["message"], told["advice"], told["cause"]).lines():
        print(line, file=sys.stderr)
    if told["code"] in HINTS:
        print(tr("Opzioni: {options}", options=HINTS[told["code"]]), file=sys.stderr)
    shown = told.pop("shown", "")
    if options.json:
        heard = {"phases": terminal.phases, "notices": terminal.notices, "accepted": terminal.accepted}
        print(json.dumps({"command": options.command} | told | heard, ensure_ascii=False, indent=2))
    elif shown:
        print(shown, end="")
    elif options.command == "scan":
        for card in told.get("cards", []):
            print(_scanned(card))
    return int(told["exit"])


def _scanned(card: dict[str, Any]) -> str:
    said = card["message"] or card["verdict"]
    return tr("carta {serial} ({reader}): {said}", serial=card["serial"], reader=card["reader"], said=said)


@contextlib.contextmanager
def _logging(options: Namespace, now: datetime) -> Iterator[Logbook | None]:
    """Write the log where asked, else into this user's ring of runs (`support/log.py`)."""
    debug = options.preferences.debug_log
    if options.log:
        with one_file(Path(options.log), debug=debug):
            yield None
        return
    logbook = Logbook(options.settings / FOLDER, now=now, debug=debug)
    try:
        yield logbook
    finally:
        logbook.close()


if __name__ == "__main__":
    sys.exit(main())
