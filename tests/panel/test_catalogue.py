"""English is complete: whatever the panel says in Italian has its entry, and the compiled catalogue is the written one."""

from __future__ import annotations

import ast
import gettext
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from cms import events, import_errors
from cms import states as cms_states
from cms.errors import DomainError
from notifications import states as mail_states
from renewals import errors as renewal_errors
from renewals import states as renewal_states
from smime import errors as smime_errors
from smime import states as smime_states

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale/en/LC_MESSAGES"
SOURCES = [
    path for app in ("cms", "renewals", "smime", "notifications", "config") for path in (ROOT / app).rglob("*.py")
]
TEXTS = [path for ending in ("html", "txt", "subject", "body") for path in (ROOT / "templates").rglob(f"*.{ending}")]
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
REFRESH = (
    "makemessages -l en --no-location --no-wrap --no-obsolete -i tests -i var -e html,txt,subject,body,py, "
    "translate, compilemessages -l en -i .venv -i var"
)

STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"(?:\bn?gettext|\b_)\({STRING}", re.DOTALL)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z%]|{\w*}")


@dataclass(frozen=True)
class Entry:
    """One message of the written catalogue: what is said, and how; with a plural two of each."""

    said: tuple[str, ...]
    english: tuple[str, ...]


def written() -> list[Entry]:
    blocks = (CATALOGUE / "django.po").read_text().strip().split("\n\n")[1:]
    return [Entry(tuple(_texts(block, "msgid")), tuple(_texts(block, "msgstr"))) for block in blocks]


def _texts(block: str, keyword: str) -> list[str]:
    found = re.findall(rf'^{keyword}(?:_plural|\[\d\])? ((?:"[^\n]*"\n?)+)', block, re.MULTILINE)
    return ["".join(ast.literal_eval(line) for line in text.splitlines()) for text in found]


def compiled() -> dict[str | tuple[str, int], str]:
    with (CATALOGUE / "django.mo").open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog
    return {key: english for key, english in entries.items() if key}


def in_templates() -> set[str]:
    """What Django itself finds in them: tags, blocks, and constants given to tags and filters."""
    calls = (match for path in TEXTS for match in CALL.finditer(templatize(path.read_text())))
    return {ast.literal_eval(match[1]) for match in calls}


def in_sources() -> set[str]:
    return {
        argument.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and argument.value
    }


def refusals(kind: type[DomainError] = DomainError) -> set[str]:
    """Those that an operator can meet; what only a door of the API says stays Italian."""
    below = (refusals(each) for each in kind.__subclasses__())
    return set[str]().union({kind.detail} if "errors" in kind.__module__ else (), *below)


def closed_lists() -> set[str]:
    """Labels and refusals are stored and sent in Italian; the panel alone says them in another language."""
    assert all((import_errors, renewal_errors, smime_errors))
    kinds = [
        kind
        for module in (cms_states, renewal_states, smime_states, mail_states)
        for kind in vars(module).values()
        if _lists(kind)
    ]
    return {*events.VERBS.values(), *refusals(), *(str(label) for kind in kinds for label in kind.labels)}


def _lists(kind: object) -> bool:
    return isinstance(kind, type) and bool(getattr(kind, "labels", None))


def test_every_text_of_the_panel_has_its_english():
    known = {entry.said[0] for entry in written()}

    assert in_templates() - known == set(), REFRESH
    assert in_sources() - known == set(), REFRESH
    assert closed_lists() - known == set(), f"mark it with gettext_noop; {REFRESH}"


def test_the_catalogue_keeps_nothing_that_nobody_says():
    known = {entry.said[0] for entry in written()}

    assert known - in_templates() - in_sources() == set(), REFRESH


def test_nothing_is_left_untranslated_or_doubtful():
    text = (CATALOGUE / "django.po").read_text().split("\n\n", 1)[1]

    assert "fuzzy" not in text
    assert "#~" not in text
    assert [entry for entry in written() if not all(entry.english) or len(entry.english) != len(entry.said)] == []


@pytest.mark.parametrize("entry", [entry for entry in written() if "%" in "".join(entry.said)], ids=lambda e: e.said[0])
def test_english_fills_in_what_italian_fills_in(entry):
    for said, english in zip(entry.said, entry.english, strict=True):
        assert Counter(PLACEHOLDER.findall(english)) == Counter(PLACEHOLDER.findall(said))


def test_the_compiled_catalogue_is_the_written_one():
    expected: dict[str | tuple[str, int], str] = {}
    for entry in written():
        if len(entry.said) == 1:
            expected[entry.said[0]] = entry.english[0]
        else:
            expected |= {(entry.said[0], form): english for form, english in enumerate(entry.english)}

    assert compiled() == expected, REFRESH


def test_an_english_browser_gets_english(town, desk):
    case = town.completed(town.case(days_left=12))

    page = desk.get(f"/pannello/rinnovi/{case.code}/", headers={"accept-language": "en"}).content.decode()

    assert '<html lang="en">' in page
    for said in ("Approve the renewal", "Next automatic action", "in 12 days", "sat 14/03/2026 at 10:00"):
        assert said in page


def test_states_events_and_certificates_have_english_names(town, desk):
    case = town.completed(town.case(days_left=12))

    page = desk.get(f"/pannello/rinnovi/{case.code}/", headers={"accept-language": "en"}).content.decode()

    for said in ("Completed", "Certificates installed", "CNS authentication", "Qualified signature", "Card client"):
        assert said in page
    for italian in ("Completato", "Certificati installati", "Autenticazione CNS", "Firma qualificata"):
        assert italian not in page
