"""Two languages: every text the client shows has its English, and no English is left over."""

from __future__ import annotations

import ast
import string
import threading
from pathlib import Path

import pytest

from cardclient import messages, words
from cardclient.readers import families
from cardclient.words import Language, marked, set_language, tr, translated

CLIENT = Path(words.__file__).parent
NAMES = {"tr", "marked", "translated"}


@pytest.fixture
def english():
    set_language("en")
    yield
    set_language("it")


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in NAMES:
                yield node.args[0]


def sources():
    return [(path.relative_to(CLIENT), ast.parse(path.read_text("utf-8"))) for path in sorted(CLIENT.rglob("*.py"))]


def literals():
    return {
        argument.value: str(path)
        for path, tree in sources()
        for argument in calls(tree)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def refusals():
    return {each.refusal for each in families.known().families if each.refusal}


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_the_client_shows_has_its_english():
    shown = literals() | dict.fromkeys(messages.texts(), "messages.toml") | dict.fromkeys(refusals(), "families.toml")
    missing = {text: where for text, where in shown.items() if text not in words.catalogue()}
    assert not missing, "\n".join(f"{where}: {text!r}" for text, where in sorted(missing.items(), key=lambda i: i[1]))


def test_no_english_is_left_without_its_italian():
    shown = literals().keys() | messages.texts() | refusals()
    unused = [(subject, text) for subject, texts in words.subjects() for text in texts if text not in shown]
    assert not unused


def test_no_text_has_two_translations():
    told = {(text, english) for _, texts in words.subjects() for text, english in texts.items()}
    assert len(told) == len(words.catalogue())


def test_both_languages_name_the_same_facts():
    for italian, english in words.catalogue().items():
        assert fields(italian) == fields(english), italian
        assert english.strip(), italian


def test_no_text_is_put_together_before_it_is_looked_up():
    """An f-string or a sum given to `tr` can never be found in a table."""
    built = [
        (str(path), node.lineno)
        for path, tree in sources()
        for node in calls(tree)
        if isinstance(node, ast.JoinedStr | ast.BinOp)
    ]
    assert not built


def test_italian_is_said_until_english_is_chosen(english):
    assert tr("Cosa fare: {advice}", advice="x") == "What to do: x"
    set_language("it")
    assert tr("Cosa fare: {advice}", advice="x") == "Cosa fare: x"


def test_a_text_without_english_is_shown_in_italian(english):
    assert tr(marked("parola sconosciuta {name}"), name=1) == "parola sconosciuta 1"


def test_braces_stay_where_no_facts_are_given():
    assert tr("graffe {libere}") == "graffe {libere}"


def test_an_unknown_language_means_italian(english):
    set_language("xx")
    assert words.chosen() is Language.ITALIAN


def test_a_report_can_stay_italian_while_the_screen_is_english(english):
    assert translated("Cosa fare: {advice}", Language.ITALIAN, advice="x") == "Cosa fare: x"


def test_the_language_may_change_while_others_read(english):
    seen = set()

    def read():
        for _ in range(2000):
            seen.add(tr("Cosa fare: {advice}", advice="x"))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for step in range(200):
        set_language("it" if step % 2 else "en")
    for each in readers:
        each.join()
    assert seen <= {"Cosa fare: x", "What to do: x"}
