"""`docs/error-codes.md`: every refusal with its code, where it is seen, and what it asks people to do."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator

from cardclient import errors as client_errors
from cardclient import exits, messages
from cardclient.words import Language, translated
from cms.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from config import problems
from config.statuses import status_of
from notifications.errors import NotificationError
from pki.errors import PkiError
from renewals.api.refusals import NARROWED
from runtime.sealing import SealBroken
from tests.docs.markdown import ROOT, code, head, sentence, table

PACKAGES = ("runtime", "pki", "authority", "notifications", "cms", "renewals", "smime", "config")
KINDS = (NotFound, Forbidden, Invalid, Conflict)
INTRODUCTION = """\
A code is stable: clients decide by it, people quote it. Names are noun and reason. Why: [ADR 7](adr/0007-error-codes.md).
Which operation of the enrollment API answers with which code stands in [openapi.json](openapi.json).
"""
REFUSALS = """\
Raised by rules and use cases; the API turns them into problem documents (RFC 9457), the panel shows the same text. *Text*
is shown where there is no more exact one; *guide's message* comes first, word for word, where the public guides name one.
"""
FROM_THE_DOOR = "Said before any use case is reached, or when one fails."
KEYS = """\
`csr-invalid` and `key-weak` are narrowed to the exact reason in the answer's `code`.
"""
PKI = """\
For engineers: in logs, in `last_error` of a CA request and in the reason of the event `ca.request-refused`; never shown to a
holder. The text beside a narrowed code is the exception's own.
"""
MESSAGES = """\
Every code that a holder can meet at the card client, filed under exactly one of the guides' messages: the four at the start
(SogeiExtend §2) and the five errors (§2.1). A failure shows that message first, the cause under it, the cure as what to do. A
pause, where the run can go on, shows its cause first. The words are `cardclient/messages.toml`, in Italian; here in English.
*Logs* tells whether the screen offers the logs and a request for support; a connection error only invites to try again.
"""
CLIENT = """\
`sigillo-card` ends with one of these statuses; with `--json` the object's `code` says more. What each means for the person at
the reader stands in the [client's README](../cardclient/README.md#exit-statuses).
"""


def document() -> str:
    """Write the whole document."""
    lines = [*head("Error codes"), INTRODUCTION]
    lines += ["## Refusals", "", REFUSALS]
    columns = ("Code", "HTTP", "When", "Text", "Action", "Guide's message")
    lines += table(columns, (_refusal(kind) for kind in refusals()))
    lines += ["## Refusals of the API's door", "", FROM_THE_DOOR, ""]
    lines += table(("Code", "HTTP", "Text", "Action"), sorted(set(_of_the_door())))
    lines += ["## Reasons of refused requests and keys", "", KEYS]
    lines += table(("Code", "Instead of", "Reason"), _narrowed())
    lines += ["## PKI and certification authority", "", PKI]
    lines += table(("Code", "Class", "Meaning"), _pki())
    lines += ["## Outbox and sealing", ""]
    others = [*known(NotificationError), SealBroken]
    lines += table(("Code", "Class", "Meaning"), ((code(kind.code), kind.__name__, sentence(kind)) for kind in others))
    lines += ["## Card client", "", MESSAGES]
    columns = ("Code", "Guide's message", "Cause", "Cure", "Who acts", "Logs")
    lines += table(columns, (_told(each) for each in _by_guide()))
    lines += ["## Exit statuses of the card client", "", CLIENT]
    lines += table(("Status", "Name", "Codes of the client itself"), _statuses())
    return "\n".join(lines).rstrip() + "\n"


def known(base: type[Exception]) -> list[type[Exception]]:
    """Return `base` and every class below it in our packages, all modules loaded."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if ".demo" not in module.name and not module.name.endswith((".wsgi", ".__main__")):
                importlib.import_module(module.name)
    found = {base}
    while more := {child for kind in found for child in kind.__subclasses__()} - found:
        found |= more
    return sorted((kind for kind in found if _is_ours(kind)), key=lambda kind: (kind.code, kind.__name__))


def refusals() -> list[type[DomainError]]:
    """Return the refusals that are raised, by status and code; mere kinds are left out where a class narrows them."""
    kinds = [kind for kind in known(DomainError) if kind is not DomainError]
    raised = [kind for kind in kinds if kind in KINDS or kind.code not in {base.code for base in kind.__bases__}]
    return sorted(raised, key=lambda kind: (status_of(kind) or 500, kind.code, kind.__name__))


def _is_ours(kind: type[Exception]) -> bool:
    return kind.__module__.partition(".")[0] in PACKAGES


def _refusal(kind: type[DomainError]) -> tuple[str, ...]:
    status = status_of(kind)
    return code(kind.code), str(status or ""), sentence(kind), kind.detail, code(kind.action), kind.label or ""


def _of_the_door() -> Iterator[tuple[str, ...]]:
    """Read the answers that `config` builds itself: they stand in its calls of `respond`."""
    for name in ("config/api.py", "config/problems.py"):
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "respond" and len(node.args) == 3:
                status, reason, text = (_shown(part) for part in node.args)
                action = next((_shown(word.value) for word in node.keywords if word.arg == "action"), "none")
                if isinstance(node.args[1], ast.Constant):
                    yield code(reason), status, text, code(action)
    for status, (reason, text) in problems._IN_KIND.items():
        yield code(reason), str(status), text, code("none")


def _shown(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "400"  # the library's own status: a body that it cannot read


def _narrowed() -> Iterator[tuple[str, ...]]:
    for kind, reasons in NARROWED.items():
        for reason, text in reasons.items():
            yield code(reason), code(kind.code), text


def _pki() -> Iterator[tuple[str, ...]]:
    meanings: dict[str, dict[str, None]] = {}
    kinds: dict[str, str] = {}
    classes = [(kind.__name__, kind.code, sentence(kind)) for kind in known(PkiError)]
    for kind, reason, text in [*classes, *_raised_with_code()]:
        kinds.setdefault(reason, kind)
        meanings.setdefault(reason, {})[text] = None
    narrowed = {each for reasons in NARROWED.values() for each in reasons}
    for reason in sorted(set(meanings) - narrowed):
        yield code(reason), kinds[reason], "; ".join(meanings[reason])


def _raised_with_code() -> Iterator[tuple[str, str, str]]:
    """Find `raise Kind("text", code="...")` in the two packages that narrow codes where they raise."""
    for file in sorted([*ROOT.glob("pki/**/*.py"), *ROOT.glob("authority/**/*.py")]):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and file.name != "fake.py":
                for word in node.keywords:
                    if word.arg == "code" and isinstance(word.value, ast.Constant):
                        yield node.func.id, str(word.value.value), _shown(node.args[0])


def _by_guide() -> list[messages.Row]:
    order = list(messages.Guide)
    return sorted(messages.rows().values(), key=lambda row: (order.index(row.guide), row.pauses, row.code))


def _told(row: messages.Row) -> tuple[str, ...]:
    cause, cure = (translated(text, Language.ENGLISH) for text in (row.cause, row.advice))
    return code(row.code), row.guide.text, cause, cure, row.actor, "yes" if row.offers_support else ""


def _statuses() -> Iterator[tuple[str, ...]]:
    codes: dict[int, list[str]] = {}
    for kind in _client_kinds():
        codes.setdefault(int(exits.exit_of(kind)), []).append(kind.code)
    for status in exits.Exit:
        yield str(int(status)), status.name, ", ".join(code(each) for each in codes.get(int(status), []))


def _client_kinds() -> list[type[client_errors.ClientError]]:
    return [
        kind
        for kind in vars(client_errors).values()
        if isinstance(kind, type) and issubclass(kind, client_errors.ClientError) and "code" in vars(kind)
    ]
