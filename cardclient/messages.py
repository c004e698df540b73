"""What people are told, by code: the guides' messages word for word, under them what happened and what to do.

The words stand in `messages.toml`, their English in `english/messages.toml`. The guides are SogeiExtend (§2, §2.1, §3)
and "Rinnovo carta con Aruba Enroll"; their wording is not ours to improve. Every code is filed under exactly one of
their start messages or errors (`Guide`); a code without a row of its own is shown as a refusal and keeps its code.
"""

from __future__ import annotations

import enum
import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cardclient.errors import ClientError, NotRenewable, OfficeRefusal
from cardclient.words import Language, chosen, marked, tr


class Guide(enum.StrEnum):
    """The guides' four start messages (SogeiExtend §2) and five errors (§2.1), under which every code is filed."""

    NO_CARD = "no-card"
    EXPIRED = "expired"
    ALREADY_RENEWED = "already-renewed"
    NOTHING_RENEWABLE = "nothing-renewable"
    CONNECTION = "connection"
    CARD_ACCESS = "card-access"
    CARD_UPDATE = "card-update"
    CERTIFICATE_CHECK = "certificate-check"
    CERTIFICATE_ISSUE = "certificate-issue"

    @property
    def text(self) -> str:
        """Its words in Italian, as the guide has them."""
        return str(_document()["guide"][self])


class Actor(enum.StrEnum):
    """Who can change what is wrong."""

    HOLDER = "holder"
    CENTRE = "centre"
    SUPPORT = "support"
    ADMINISTRATOR = "administrator"


# Failures whose screen offers the logs and a request for support; a connection error only invites to retry (§2.1).
SUPPORTED = frozenset({Guide.CARD_ACCESS, Guide.CARD_UPDATE, Guide.CERTIFICATE_CHECK, Guide.CERTIFICATE_ISSUE})
ANY_REFUSAL = "office-refusal"
ACTIONS: Mapping[str, str] = {
    "retry-later": marked("Riprova più tardi."),
    "restart": marked("Riprova dall'inizio con la stessa carta."),
    "change-card": marked("Usa un'altra carta o acquista un nuovo servizio."),
    "unblock-pin": marked("Sblocca il PIN con il PUK."),
    "contact-centre": marked("Contatta il tuo CDRL e comunica il codice dell'errore."),
    "new-purchase": marked("Acquista un nuovo servizio."),
    "correct-data": marked("Correggi i dati indicati e riprova."),
    "wait": marked("Attendi e riprova."),
    "update-client": marked("Scarica la versione aggiornata del programma e riprendi il rinnovo."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A code's row: texts in Italian. `pauses`: the run can go on, and our own sentence stands before the guide's."""

    code: str
    guide: Guide
    actor: Actor
    cause: str
    advice: str
    pauses: bool
    exact: bool = False

    @property
    def offers_support(self) -> bool:
        """Say whether the failure's screen offers the logs and a request for support."""
        return self.guide in SUPPORTED and not self.pauses


@dataclass(frozen=True, slots=True)
class Message:
    """What is shown, in the language chosen: the text, what to do (may be empty), the code to quote.

    `cause` is the line under a guide's message (empty where `text` says it itself); `guide` is None for a notice.
    """

    code: str
    text: str
    advice: str = ""
    cause: str = ""
    guide: Guide | None = None
    actor: Actor | None = None
    offers_support: bool = False

    def lines(self) -> list[str]:
        """Return the message as lines of a terminal or log."""
        advice = self.advice and tr("Cosa fare: {advice}", advice=self.advice[:1].lower() + self.advice[1:])
        return [line for line in (self.text, self.cause, advice, f"[{self.code}]") if line]


def message_for(code: str, facts: Mapping[str, str] | None = None) -> Message:
    """Return the words of a code or notice, its `{names}` filled with the facts."""
    notice = _document()["notice"].get(code)
    if notice is not None:
        return Message(code, _filled(notice["text"], facts), _filled(notice.get("advice", ""), facts))
    return _told(code, row(code), facts)


def words_for(problem: ClientError) -> Message:
    """Return the words of an error: the office's own where it gave some."""
    if isinstance(problem, OfficeRefusal):
        return refusal_message(problem.code, detail=problem.detail, action=problem.action, label=problem.message)
    if isinstance(problem, NotRenewable):
        kept = row(problem.code if problem.code in rows() else NotRenewable.code)
        return _from_office(problem.code, kept, label=problem.message, detail=problem.advice, advice=tr(kept.advice))
    return message_for(problem.code, problem.facts)


def refusal_message(code: str, *, detail: str, action: str, label: str | None) -> Message:
    """Return the office's refusal: its label (a guide's, word for word), what happened, and what to do."""
    known = row(code)
    advice = known.advice if code in rows() else ACTIONS.get(action, known.advice)
    return _from_office(code, known, label=label, detail=detail, advice=tr(advice))


def row(code: str) -> Row:
    """Return the row of a code, or the one of any refusal for a code of a newer office."""
    return rows().get(code) or rows()[ANY_REFUSAL]


@functools.cache
def rows() -> Mapping[str, Row]:
    """Read the table; a wrong key or value in it is an error of ours, found by the test."""
    return {each.code: each for pauses, kind in ((False, "failure"), (True, "pause")) for each in _rows(kind, pauses)}


def codes() -> frozenset[str]:
    """Every key that has words of its own."""
    return frozenset(rows()) | frozenset(_document()["notice"])


def texts() -> frozenset[str]:
    """Every Italian text of the table, for the proof that each has its English."""
    notices = _document()["notice"].values()
    told = {text for each in rows().values() for text in (each.cause, each.advice)}
    told |= {text for each in notices for text in each.values()}
    return frozenset(told | {guide.text for guide in Guide})


class _Facts(dict[str, str]):
    """Facts for a text; one that is not known is shown as a question mark, not as a failure of the message."""

    def __missing__(self, key: str) -> str:
        return "?"


def _filled(text: str, facts: Mapping[str, str] | None) -> str:
    words = tr(text)
    return words.format_map(_Facts(facts or {})) if "{" in words else words


def _told(code: str, known: Row, facts: Mapping[str, str] | None) -> Message:
    cause, advice = _filled(known.cause, facts), _filled(known.advice, facts)
    text, under = (cause, "") if known.pauses else (tr(known.guide.text), cause)
    return Message(code, text, advice, under, known.guide, known.actor, known.offers_support)


def _from_office(code: str, known: Row, *, label: str | None, detail: str | None, advice: str) -> Message:
    """Join the office's words (Italian, with dates and fields where the row says so) and ours."""
    italian = chosen() is Language.ITALIAN
    exact = detail if detail and (known.code != code or (known.exact and italian)) else None
    if known.pauses:
        return Message(code, exact or tr(known.cause), advice, "", known.guide, known.actor)
    text = label if label and (italian or label != known.guide.text) else tr(known.guide.text)
    cause = exact or tr(known.cause)
    return Message(code, text, advice, cause, known.guide, known.actor, known.offers_support)


def _rows(kind: str, pauses: bool) -> Iterator[Row]:  # noqa: FBT001 - says what the section's rows are
    for code, fields in _document()[kind].items():
        keys = dict(fields)
        guide, actor = Guide(keys.pop("guide")), Actor(keys.pop("acts"))
        yield Row(code, guide, actor, pauses=pauses, **keys)


@functools.cache
def _document() -> Mapping[str, Mapping[str, Any]]:
    text = (resources.files(__package__) / "messages.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
