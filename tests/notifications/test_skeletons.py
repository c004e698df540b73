"""A mail that is filled into a skeleton is the mail that its template gives, for every message and whatever it says."""

import random
import re
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifications import rendering, services, skeletons
from notifications.catalog import CATALOG, Message, Shape
from tests.notifications.letters import NOON, SECRETS, context_of, draft_of

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "Ada Bianchi",
    "Nìcola D'Amico & figli <srl>",
    "محمد",
    "𝒜da {{ x }} %(y)s %",
    "O" * 120,
    "a|b:c",
    "Tizio\u200f",
]
URLS = ["https://a.example/?x=1&y=2", ""]
PLAIN = [message for message in Message if not CATALOG[message].secrets]
DATES = (Shape.INSTANT, Shape.INSTANT_OR_NOTHING, Shape.DAY_START)


def changed(message, chance):
    """The context of a message with other names, numbers, addresses and dates."""
    context = context_of(message)
    for key, shape in CATALOG[message].shapes.items():
        if key not in skeletons.OPAQUE:
            continue
        at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(400 * 86_400))
        if shape in DATES:
            context[key] = chance.choice([at.isoformat(), at.isoformat().replace("+00:00", "Z")])
        elif shape in (Shape.LINE, Shape.LINE_OR_NOTHING):
            context[key] = chance.choice(NAMES + [""] * (shape is Shape.LINE_OR_NOTHING))
        elif shape in (Shape.URL, Shape.URL_OR_NOTHING):
            context[key] = chance.choice(URLS[: 1 if shape is Shape.URL else 2])
        elif shape is Shape.MAILBOX:
            context[key] = f"o'brien+{chance.randrange(99)}@ordine.example"
    if "reason" in context and chance.random() < 0.3:
        context["reason"] = "Altro <motivo> & più\nsu due righe"
    return context


def without_skeletons():
    """A shelf that keeps none."""
    shelf = skeletons.Shelf(rendering._fill, lambda *_: False)
    shelf.decided_by = lambda _values: None
    return shelf


@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("message", PLAIN)
def test_every_message_reads_as_its_template_says_whatever_stands_in_it(message, language, monkeypatch):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    rows = [
        services._row(draft_of(message, context=changed(message, chance), language=language), NOON) for _ in range(30)
    ]

    filled = [rendering.render(row) for row in rows + rows]
    plain = without_skeletons()
    monkeypatch.setattr(rendering, "_shelf", lambda: plain)

    assert filled == [rendering.render(row) for row in rows] * 2, f"seed {seed}"


BY_TEMPLATE = {Message.REACTIVATED, Message.REVOKED, Message.SMIME_FORM_RECEIVED}
"""Their templates choose between two instants (`firstof`), or show a day, which a stand-in does not survive."""


@pytest.mark.parametrize("message", [message for message in PLAIN if message not in BY_TEMPLATE])
def test_the_second_mail_of_a_kind_is_filled_and_not_rendered(message, monkeypatch):
    if any(isinstance(value, list) for value in context_of(message).values()):
        pytest.skip("holds lists: no two of these mails are alike")
    fills = []
    fill = rendering._fill
    shelf = skeletons.Shelf(lambda *args: fills.append(args[0]) or fill(*args), lambda *_: False)
    monkeypatch.setattr(rendering, "_shelf", lambda: shelf)
    first = services._row(draft_of(message), NOON)
    other = services._row(draft_of(message, context={**context_of(message), **others(message)}), NOON)

    rendering.render(first)
    once = len(fills)
    rendering.render(other)

    assert len(fills) == once


def others(message):
    return {
        key: value
        for key, value in {"holder_name": "Nessuno", "case_code": "RN-0000-0000", "card_serial": "1"}.items()
        if key in CATALOG[message].shapes
    }


@pytest.mark.parametrize("message", [message for message in Message if CATALOG[message].secrets])
def test_no_secret_is_kept_on_the_shelf(message):
    rendering.render(services._row(draft_of(message), NOON))

    kept = repr(rendering._shelf()._kept)
    assert not any(secret in kept for secret in SECRETS.values())


def test_the_shelf_holds_no_name_and_no_number_of_a_person():
    rendering.render(services._row(draft_of(Message.AUTHORISED, context=context_of(Message.AUTHORISED)), NOON))

    kept = repr(rendering._shelf()._kept)
    for private in ("Ada", "RN-7K2M", "7420001234567890", "ada.bianchi"):
        assert private not in kept


def test_the_shelf_is_bounded(monkeypatch):
    monkeypatch.setattr(skeletons, "MOST_KEPT", 5)
    shelf = skeletons.Shelf(lambda _name, values, _escape: str(values["days"]), lambda *_: False)
    for days in range(20):
        values = {"days": days, "posted_at": "2027-01-01"}
        assert shelf.filled("x", values, shelf.decided_by(values), autoescape=False) == str(days)

    assert len(shelf._kept) == 5


def test_a_template_that_decides_by_a_stand_in_is_rendered_as_ever():
    shelf = skeletons.Shelf(lambda _name, values, _escape: str(len(values["holder_name"])), lambda *_: False)
    for name in ("Ada", "Federico", "Bo"):
        values = {"holder_name": name, "posted_at": "2027-01-01"}
        assert shelf.filled("x", values, shelf.decided_by(values), autoescape=False) == str(len(name))


def test_no_template_compares_a_value_that_is_only_shown():
    """`{% if centre_name == ... %}` would be decided by the stand-in."""
    compared = re.compile(r"\{% (?:el)?if [^%]*?\b(" + "|".join(skeletons.OPAQUE) + r")\b[^%]*?(?:==|!=|<|>|\bin\b)")
    for template in (ROOT / "templates" / "mail").iterdir():
        assert not compared.search(template.read_text()), template.name


def test_lines_are_broken_as_the_library_breaks_them():
    chance = random.Random(7)
    for _ in range(3000):
        words = ["x" * chance.choice([1, 3, 8, 20, 40, 75, 90]) for _ in range(chance.randrange(1, 30))]
        line = " " * chance.choice([0, 0, 4]) + chance.choice([" ", " ", "  "]).join(words)
        hanging = " " * chance.choice([0, 4, 7])
        library = textwrap.wrap(line, 76, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
        assert rendering._broken(line, hanging) == library
