"""The frame of the holder's pages: no cookie before it is needed, both languages, refusals in the same words."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from config.headers import HEADERS
from notifications.rendering import HOLDER_PATH
from tests.holder import stylesheet

pytestmark = pytest.mark.django_db
HOME = settings.HOLDER_PATH
TEMPLATES = Path(settings.ROOT) / "templates/titolare"


def test_mails_and_addresses_agree_where_the_pages_begin():
    assert HOLDER_PATH == settings.HOLDER_PATH == reverse("holder:home")


def test_looking_at_the_entrance_leaves_no_cookie(stranger):
    answer = stranger.get(HOME)
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert answer["Cache-Control"] == "no-store, private"


def test_every_page_carries_the_security_headers(stranger):
    for answer in (stranger.get(HOME), stranger.post(f"{HOME}pratica/accesso/", {}), stranger.get(f"{HOME}nirgends/")):
        assert HEADERS.items() <= dict(answer.headers).items()


def test_the_entrance_speaks_the_browsers_language_and_italian_to_all_others(stranger):
    assert '<html lang="it">' in stranger.get(HOME, headers={"accept-language": "de"}).content.decode()
    assert '<html lang="en">' in stranger.get(HOME, headers={"accept-language": "en-GB,en"}).content.decode()


def test_a_chosen_language_stays_without_a_script(stranger):
    answer = stranger.post(f"{HOME}lingua/", {"language": "en", "next": HOME})
    assert (answer.status_code, answer["Location"]) == (302, HOME)
    assert '<html lang="en">' in stranger.get(HOME).content.decode()


def test_the_choice_of_language_leads_to_no_other_site(stranger):
    answer = stranger.post(f"{HOME}lingua/", {"language": "en", "next": "https://example.org/"})
    assert answer["Location"] == "/"


def test_an_unknown_address_is_told_in_the_frame(stranger):
    answer = stranger.get(f"{HOME}nirgends/")
    assert answer.status_code == 404
    assert "Pagine del titolare" in answer.content.decode()
    assert "Vai al pannello" in stranger.get("/nirgends/").content.decode()


def test_a_stale_form_is_told_in_the_frame():
    answer = Client(enforce_csrf_checks=True).post(f"{HOME}esci/")
    assert answer.status_code == 403
    assert "Il modulo non è più valido" in answer.content.decode()


def test_a_defect_is_told_in_the_frame(stranger, monkeypatch):
    from renewals.pages import home

    monkeypatch.setattr(home.clock, "now", lambda: 1 / 0)
    answer = stranger.get(HOME)
    assert answer.status_code == 500
    assert "Qualcosa non ha funzionato" in answer.content.decode()


def test_too_many_forms_from_one_address_are_put_off(stranger):
    from renewals.pages import frame

    statuses = [stranger.post(f"{HOME}pratica/accesso/", {}).status_code for _try in range(frame.CALLS + 1)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]
    assert stranger.get(HOME).status_code == 200


def test_the_style_sheet_is_the_part_of_the_library_that_it_says():
    assert stylesheet.PART.read_text() == stylesheet.part(), "run: python -m tests.holder.stylesheet"


def test_what_the_pages_take_from_the_library_is_in_the_part():
    library = set(stylesheet.CLASS.findall(stylesheet.WHOLE.read_text(encoding="utf-8-sig")))
    own = set(stylesheet.CLASS.findall(Path(finders.find("titolare/titolare.css")).read_text()))
    found = " ".join(re.sub(r"{[%{].*?[%}]}", " ", path.read_text()) for path in TEMPLATES.rglob("*.html"))
    asked = {word for said in re.findall(r'class="([^"]*)"', found) for word in re.findall(r"[\w-]+", said)}
    assert asked & library - own - stylesheet.CLASSES == set(), "name it in stylesheet.CLASSES"


def test_the_first_page_weighs_at_most_a_hundred_kilobytes(stranger):
    page = stranger.get(HOME).content.decode()
    files = [finders.find(name) for name in re.findall(r'(?:href|src)="/static/([\w./-]+\.(?:css|js))"', page)]
    weights = [len(Path(name).read_bytes()) for name in files]
    assert sum(weights) <= 100_000
    assert sum(len(gzip.compress(Path(name).read_bytes())) for name in files) <= 20_000
