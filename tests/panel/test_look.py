"""Style sheet and templates keep the rules of the interface: contrast, weight, nothing inline, one language."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.utils import translation

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "cms/static/panel/panel.css").read_text()
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if "mail" not in path.parts)


def tokens(dark: bool) -> dict[str, str]:
    said = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", SHEET)
    return {name: pair[dark] for name, *pair in said}


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *product(["ink", "muted", "primary", "primary-strong", "danger"], ["surface", "raised"]),
    *((role, f"{role}-soft") for role in ("ok", "wait", "danger", "neutral")),
    *product(["ink"], ["ok-soft", "wait-soft", "danger-soft", "neutral-soft", "primary-soft"]),
    ("primary-strong", "primary-soft"),
    ("on-primary", "primary"),
    ("on-primary", "primary-strong"),
    ("surface", "danger"),
    ("on-bar", "bar"),
    ("on-bar", "bar-soft"),
    ("bar-muted", "bar-soft"),
    *product(["ok", "wait", "neutral"], ["surface", "raised"]),
    *product(["muted"], ["primary-soft", "ok-soft", "wait-soft", "danger-soft", "neutral-soft"]),
    ("primary", "primary-soft"),
    ("danger", "danger-soft"),
    ("ink", "neutral-soft"),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("pair", PAIRS, ids=" on ".join)
def test_text_can_be_read(pair, dark):
    colours = tokens(dark)

    assert contrast(colours[pair[0]], colours[pair[1]]) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_edges_of_controls_can_be_seen(dark):
    colours = tokens(dark)

    assert contrast(colours["edge"], colours["surface"]) >= 3


def test_the_sheet_is_light_and_asks_nobody_else():
    assert len(SHEET) < 60_000
    assert len((ROOT / "cms/static/panel/icons.svg").read_bytes()) < 20_000
    assert "http" not in SHEET
    assert "@import" not in SHEET
    for address in re.findall(r'url\("\.\./([^"]+)"\)', SHEET):
        assert finders.find(address), address


def test_the_focus_ring_is_never_removed():
    assert "outline: none" not in SHEET
    assert "outline: 0" not in SHEET


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_nothing_that_the_policy_forbids(path):
    text = path.read_text()

    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style", re.sub(r"{%.*?%}", " ", text, flags=re.DOTALL))
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.search(r'(?:src|href)="https?:', text)
    get_template(str(path.relative_to(ROOT / "templates")))


NAMES = {"Sigillo", "SHA", "macOS", "narrow", "roomy"}  # the same in every language, and two classes


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_goes_through_the_catalogue(path):
    text = path.read_text()
    bare = re.sub(
        r"{%\s*(blocktranslate|comment).*?{%\s*end\1\s*%}|{%.*?%}|{{.*?}}|{#.*?#}|<script.*?</script>|<[^>]*>|&[a-z]+;",
        " ",
        text,
        flags=re.DOTALL,
    )

    assert set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", bare)) <= NAMES


def test_every_icon_that_a_page_names_is_drawn():
    drawn = set(re.findall(r'<symbol[^>]* id="([^"]+)"', (ROOT / "cms/static/panel/icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)" %}', path.read_text())}
    sources = [path.read_text() for folder in ("cms/admin", "renewals/admin") for path in (ROOT / folder).glob("*.py")]
    named |= {name for text in sources for name in re.findall(r'\("(?:ok|wait|danger|neutral)", "([^"]+)"', text)}
    named |= {name for text in sources for name in re.findall(r'    icon = "([^"]+)"', text)}

    assert named <= drawn
    assert drawn - named == set(), "icons that no page uses"


PAGES = ["", "rinnovi/", "eventi/", "certificati/", "contatori/", "servizio/"]
ENGLISH = re.compile(
    r"\b(sign in|password reset|log out|save|delete|add|home|search|required|please|your)\b", re.IGNORECASE
)


@pytest.mark.parametrize(
    "path", [*(f"/pannello/{page}" for page in PAGES), "/accesso/password/change/", "/accesso/login/"]
)
def test_an_italian_page_holds_no_english(town, desk, path):
    case = town.completed(town.case())
    pages = [path, f"/pannello/rinnovi/{case.code}/", f"/pannello/rinnovi/{case.code}/non-approva/"]
    for address in pages:
        text = re.sub(r"<[^>]*>", " ", desk.get(address, follow=True).content.decode())

        assert not ENGLISH.search(text), ENGLISH.search(text)
    assert translation.get_language() == "it"
