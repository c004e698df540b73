"""One table for every code: exactly one of the guides' messages, a cause, something to do, and who can do it."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from cardclient import errors, messages
from cardclient.errors import ClientError, NotRenewable, OfficeRefusal
from cardclient.messages import Guide, message_for, refusal_message, row, rows, words_for
from cardclient.words import set_language

CLIENT = Path(messages.__file__).parent
DOCS = CLIENT.parent / "docs"
GUIDES = {
    "Nessuna smartcard rilevata. Prova ad inserirla di nuovo",
    "Certificato non rinnovabile presente nella carta",
    "Certificato già rinnovato per la carta",
    "Nessun certificato rinnovabile presente nella carta",
    "Errore di connessione al server. Riprova più tardi",
    "Errore accesso carta",
    "Errore aggiornamento carta",
    "Errore verifica certificato da rinnovare",
    "Errore generazione nuovo certificato",
}
ON_THE_WAY = {
    "Inserisci il codice PIN corretto",
    "Inserisci il PIN della tua smart card per continuare il rinnovo",
    "Rinnovo del certificato in corso, attendere...",
    "Attenzione: se anche il PUK viene bloccato la carta non è più rinnovabile.",
}
MEASURES = {"preferences-damaged"}  # said beside a thing that goes on, no ending of a run


@pytest.fixture
def english():
    set_language("en")
    yield
    set_language("it")


def kinds():
    found, new = set(), {ClientError}
    while new:
        found |= new
        new = {child for kind in new for child in kind.__subclasses__()} - found
    return {kind for kind in found if kind.__module__.startswith("cardclient")}


def raised():
    """The literal given to a class of error where it is raised, and the code of every class."""
    names = {kind.__name__ for kind in kinds()}
    found = {kind.code: kind.__module__ for kind in kinds()}
    for path in CLIENT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.setdefault(first.value, path.name)
            if isinstance(node, ast.ClassDef) and node.name in names:
                for line in node.body:
                    if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code":
                        found.setdefault(line.value.value, path.name)
    return found


def refused():
    """What the enrollment API documents as answers."""
    contract = (DOCS / "openapi.json").read_text("utf-8")
    groups = re.findall(r'"code": \{\s*"enum": \[(.*?)\]', json.dumps(json.loads(contract)))
    return {code for group in groups for code in re.findall(r'"([^"]+)"', group)}


def labels():
    """Each refusal's guide message as the office gives it."""
    section = (DOCS / "error-codes.md").read_text("utf-8").partition("## Refusals\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 6 and cells[0].startswith("`") and cells[5].strip():
            yield cells[0].strip("`"), cells[5]


def test_every_code_that_the_client_raises_has_its_row():
    assert {code: where for code, where in raised().items() if code not in rows().keys() | MEASURES} == {}


def test_every_code_that_the_enrollment_api_documents_has_its_row():
    assert refused() - rows().keys() == set()


def test_every_verdict_on_a_card_has_its_row():
    final = {"puk-locked", "certificate-unreadable", "card-not-personalised", "family-refused", "driver-missing"}
    assert final | {"expired", "already-renewed", "not-renewable"} <= rows().keys()


def test_no_row_is_left_that_nobody_can_cause():
    sources = "".join(path.read_text("utf-8") for path in CLIENT.rglob("*.py"))
    documented = (DOCS / "error-codes.md").read_text("utf-8").partition("## Card client")[0]
    named = set(re.findall(r'["`]([a-z0-9-]+)["`]', sources)) | set(re.findall(r"`([a-z0-9-]+)`", documented))
    named |= {f"{kind}-last-try" for kind in ("pin", "puk")}  # put together where they are raised
    assert rows().keys() - named == set()


def test_the_guides_start_messages_and_errors_are_there_word_for_word():
    assert {guide.text for guide in Guide} == GUIDES
    assert {message_for(code).text for code in messages.codes()} >= ON_THE_WAY - {row("puk-locked").cause}
    assert row("puk-locked").cause in ON_THE_WAY


def test_every_code_is_filed_under_exactly_one_of_them_and_leads_with_it_unless_it_only_pauses():
    for code, each in rows().items():
        told = message_for(code)
        assert told.guide is each.guide
        assert (told.text == each.guide.text) != each.pauses, code
        assert (told.cause or told.text) == re.sub(r"\{\w+\}", "?", each.cause)


def test_every_row_says_what_to_do_in_a_sentence():
    for code, each in rows().items():
        assert re.fullmatch(r"[A-Z][a-zà-ù].*\.", each.advice, re.DOTALL), code
        assert each.cause[0].isupper() or each.cause[0] == "«", code


def test_no_code_stands_in_two_sections():
    table = tomllib.loads((CLIENT / "messages.toml").read_text("utf-8"))
    names = [code for section in ("failure", "pause", "notice") for code in table[section]]
    assert len(names) == len(set(names))


def test_client_and_office_file_a_refusal_under_the_same_message():
    assert {code: label for code, label in labels() if code in rows() and rows()[code].guide.text != label} == {}


def test_a_connection_error_only_invites_to_retry():
    for code, each in rows().items():
        assert message_for(code).offers_support is (each.guide in messages.SUPPORTED and not each.pauses)
    assert not message_for("server-unreachable").offers_support
    assert message_for("card-update").offers_support


def test_a_code_of_a_newer_office_keeps_its_code_and_the_offices_words():
    told = refusal_message("moon-full", detail="La luna è piena.", action="wait", label=None)
    assert (told.code, told.cause, told.advice) == ("moon-full", "La luna è piena.", "Attendi e riprova.")
    assert told.text in GUIDES


def test_the_offices_date_replaces_our_sentence_where_it_says_more():
    said = "Il rinnovo è possibile dal 1 marzo."
    problem = NotRenewable("window-not-open", message=Guide.NOTHING_RENEWABLE.text, advice=said)
    assert words_for(problem).cause == said


def test_the_offices_formal_sentence_does_not_replace_ours_where_it_says_the_same():
    refusal = OfficeRefusal("pair-closed", status=409, detail="… si rivolga al suo CDRL.", action="contact-centre")
    assert words_for(refusal).cause == row("pair-closed").cause


def test_english_says_all_of_it(english):
    told = message_for("card-memory")
    assert told.text == "Card update error"
    assert told.lines()[2].startswith("What to do: contact your registration centre")
    refusal = OfficeRefusal("certificate-held", status=409, message=Guide.NOTHING_RENEWABLE.text)
    assert words_for(refusal).text == "There is no renewable certificate on the card"


def test_facts_fill_a_text_and_an_unknown_one_is_a_question_mark():
    assert "«Proxy CA»" in message_for("tls-untrusted", {"issuer": "Proxy CA"}).cause
    assert "collegamento a ? " in message_for("tls-untrusted", {"issuer": "Proxy CA"}).cause
    assert message_for("failure-reported", {"reference": "A-1"}).text.endswith("assistenza: A-1")


@pytest.mark.parametrize("kind", sorted(vars(errors)))
def test_every_class_of_error_is_told_in_words(kind):
    kind = vars(errors)[kind]
    if isinstance(kind, type) and issubclass(kind, ClientError) and "code" in vars(kind):
        assert message_for(kind.code).advice
