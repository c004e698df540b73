"""CSV exports: what a spreadsheet reads is text, whoever wrote it, and a long list never lies in memory."""

from __future__ import annotations

import csv
import io

import pytest

from cms.admin import exports
from cms.models import Holder


def read(answer) -> list[list[str]]:
    """What a spreadsheet sees in the file."""
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text[0] == "\ufeff"
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))


@pytest.mark.parametrize(
    "typed",
    [
        "=1+1",
        "+39347",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\u00a0=HYPERLINK(1)",
        "\uff1dcmd",
        "|calc",
        "%0A=1",
        "\x00=1",
    ],
)
def test_text_that_would_be_calculated_gets_an_apostrophe(typed):
    assert exports.cell(typed).startswith("'")


@pytest.mark.parametrize("value", ["Rossi Mario", "7430010000000041", "", "l'Aquila", "a=b"])
def test_other_text_stands_as_it_is(value):
    assert exports.cell(value) == value


def test_numbers_stay_numbers_and_nothing_is_empty():
    assert exports.cell(-3) == "-3"
    assert exports.cell(None) == ""


def test_separators_quotes_and_line_breaks_do_not_open_a_new_cell():
    rows = [['a;"=1"', "riga\r\n=2;3", "è"]]

    answer = exports.csv_answer("prova", ["Uno", "Due", "Tre"], rows)

    assert answer["Content-Disposition"] == 'attachment; filename="prova.csv"'
    assert read(answer) == [["Uno", "Due", "Tre"], ['a;"=1"', "riga\r\n=2;3", "è"]]


def test_rows_are_read_by_key_while_the_answer_leaves(town, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exports, "CHUNK", 2)
    people = [town.person() for _ in range(5)]

    with django_assert_num_queries(4):
        chunks = [[holder.pk for holder in chunk] for chunk in exports.walked(Holder.objects.all())]

    newest = sorted((holder.pk for holder in people), reverse=True)
    assert chunks == [newest[:2], newest[2:4], newest[4:]]


def test_a_list_that_is_too_long_says_that_it_was_cut(monkeypatch):
    monkeypatch.setattr(exports, "MOST_ROWS", 2)

    rows = read(exports.csv_answer("prova", ["Uno"], [["a"], ["b"], ["c"]]))

    assert rows[1:3] == [["a"], ["b"]]
    assert rows[3][0].startswith("Elenco interrotto")
