"""English is complete: whatever the panel says in Italian has its entry, and the compiled catalogue is the written one."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

from tests.panel.test_look import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale/en/LC_MESSAGES"
SOURCES = [
    *(ROOT / "cms/admin").glob("*.py"),
    *(ROOT / "renewals/admin").glob("*.py"),
    ROOT / "config/login.py",
]
TEXTS = [*TEMPLATES, *(ROOT / "templates/account").rglob("*.txt"), *(ROOT / "templates/mfa").rglob("*.txt")]
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
REFRESH = "makemessages -l en --no-location, translate, compilemessages -l en"


def compiled() -> set[str]:
    with (CATALOGUE / "django.mo").open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog
    return {key[0] if isinstance(key, tuple) else key for key in entries if key}


def in_templates() -> set[str]:
    found = set()
    for path in TEXTS:
        text = path.read_text()
        found |= {match[2] for match in re.finditer(r"{%\s*translate\s+(['\"])(.*?)\1", text)}
        for block in re.finditer(
            r"{%\s*blocktranslate(.*?)%}(.*?)({%\s*plural.*?)?{%\s*endblocktranslate", text, re.DOTALL
        ):
            found.add(re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", " ".join(block[2].split())))
    return found


def in_sources() -> set[str]:
    return {
        argument.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant)
    }


def test_every_text_of_the_panel_has_its_english():
    known = compiled()

    assert in_templates() - known == set(), REFRESH
    assert in_sources() - known == set(), REFRESH


def test_nothing_is_left_untranslated_or_doubtful():
    text = (CATALOGUE / "django.po").read_text().split("\n\n", 1)[1]

    assert "fuzzy" not in text
    assert not re.search(r'^msgstr(\[\d\])? ""$(?!\n")', text, re.MULTILINE)


def test_the_compiled_catalogue_is_the_written_one():
    text = (CATALOGUE / "django.po").read_text().split("\n\n", 1)[1]
    written = {match.replace('\\"', '"') for match in re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)}

    assert written == compiled(), REFRESH


def test_an_english_browser_gets_english(town, desk):
    case = town.completed(town.case(days_left=12))

    page = desk.get(f"/pannello/rinnovi/{case.code}/", headers={"accept-language": "en"}).content.decode()

    assert '<html lang="en">' in page
    for said in ("Approve the renewal", "Next automatic action", "in 12 days", "sat 14/03/2026 at 10:00"):
        assert said in page
