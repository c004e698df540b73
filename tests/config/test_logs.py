"""Nothing secret reaches the log, whoever writes it and however."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from config.logs import configure_logging


@pytest.fixture
def written(capsys):
    """Configure logging onto the captured standard error, and read its lines as JSON."""
    configure_logging()
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


TAX_CODE = "RSSMRA80A01H501U"


@pytest.mark.parametrize(
    "facts",
    [
        {"password": "hunter2"},
        {"pin": "hunter2"},
        {"puk": "hunter2"},
        {"user_code": "hunter2"},
        {"confirmation_code": "hunter2"},
        {"csrf_token": "hunter2"},
        {"Authorization": "hunter2"},
        {"secrets": {"anything": "hunter2"}},
        {"body": {"card": [{"PIN": "hunter2"}]}},
        {"header": "Bearer hunter2"},
    ],
)
def test_a_secret_by_name_or_shape_is_hidden(written, facts):
    structlog.get_logger("x").info("it.happened", **facts)

    (line,) = written()
    assert "hunter2" not in json.dumps(line)
    assert line["event"] == "it.happened"


def test_a_tax_code_is_hidden_in_facts_texts_and_exceptions(written):
    structlog.get_logger("x").info("holder.found", holder=TAX_CODE)
    logging.getLogger("library").warning("refused %s", TAX_CODE.lower())
    try:
        {}[TAX_CODE]
    except KeyError:
        logging.getLogger("library").exception("failed")

    lines = written()
    assert len(lines) == 3
    assert TAX_CODE.lower() not in json.dumps(lines).lower()


def test_a_line_says_when_where_and_what(written):
    structlog.get_logger("runtime.nudge").warning("nudge.lost", task="cms.tasks.carry_out")

    (line,) = written()
    assert line["logger"] == "runtime.nudge"
    assert line["level"] == "warning"
    assert line["task"] == "cms.tasks.carry_out"
    assert line["timestamp"].endswith("Z")


def test_a_line_break_in_a_value_makes_no_second_line(written):
    structlog.get_logger("x").info("it.happened", name="a\n{}")

    assert len(written()) == 1
