"""Names that try to be more than names: nothing of them acts in a subject, a header, a page, a text or a calendar."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from notifications import envelope, rendering, services
from notifications.catalog import CATALOG, Message
from notifications.errors import RecipientRefused
from notifications.policy import LONGEST_LINE, harmless
from tests.notifications.letters import NOON, context_of, draft_of

HOSTILE = {
    "line break": "Ada\r\nBcc: b@c.example",
    "control": "Ada\x00\x07\x1b[31m\x7f\x85Bianchi",
    "line separator": "Ada\u2028Bianchi\u2029",
    "override": "Ada \u202eihcnaiB\u202c \u2067x\u2069",
    "marks": "Ada \u200f\u200eBianchi",
    "hebrew": "עדה ביאנקי",
    "arabic": "آدا بيانكي (123) abc",
    "four bytes": "𝒜𝒹𝒶 🙂 Bianchi",
    "very long": "Ada " * 200,
    "one long word": "A" * 1000,
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "attribute": '" style="x" onmouseover="alert(1)',
    "template": "{{ user_code }}{% now 'Y' %}%(x)s{0}",
    "combining": "A" + "\u0301" * 40,
}
KINDS = (Message.SUSPENSION_WARNING, Message.REVOKED, Message.DATA_CHANGED, Message.RENEWAL_DONE)
MEANT = re.compile(r"[\u0590-\u08ff]")


def row_of(message, name):
    names = {key: name for key in ("holder_name", "centre_name", "service_name", "reason") if key in shapes(message)}
    return services._row(draft_of(message, context={**context_of(message), **names}), NOON)


def shapes(message):
    return CATALOG[message].shapes


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("message", KINDS)
def test_a_hostile_name_stays_a_name(message, name):
    row = row_of(message, name)
    mail = message_from_bytes(envelope.compose(row), policy=policy.default)
    clean = message_from_bytes(envelope.compose(row_of(message, "Ada")), policy=policy.default)

    assert not mail.defects
    assert list(mail.keys()) == list(clean.keys())
    assert [part.get_content_type() for part in mail.walk()] == [part.get_content_type() for part in clean.walk()]
    assert mail["To"].addresses[0].addr_spec == "ada.bianchi@posta.example"
    page = mail.get_body(("html",)).get_content()
    assert not re.search(r"<(script|img)\b|<[^>]*\son\w+=", page)
    for text in (mail["Subject"], mail.get_body(("plain",)).get_content(), page):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text)


@pytest.mark.parametrize("name", [HOSTILE["hebrew"], HOSTILE["arabic"]])
def test_a_name_from_right_to_left_is_kept_apart_from_the_words_around_it(name):
    rendered = rendering.render(row_of(Message.SUSPENSION_WARNING, name))

    for text in (rendered.text, rendered.html):
        for line in filter(MEANT.search, text.splitlines()):
            assert line.count("\u2068") == line.count("\u2069") >= 1
            assert not MEANT.search(re.sub("\u2068[^\u2069]*\u2069", "", line))


def test_an_ordering_mark_without_letters_of_its_own_is_taken_out():
    text = rendering.render(row_of(Message.REVOKED, "Ada \u200fBianchi")).text

    assert "\u200f" not in text
    assert "Ada Bianchi" in text


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_what_is_stored_is_one_line_of_bounded_length(name):
    stored = harmless(Message.REVOKED, {"holder_name": name})["holder_name"]

    assert len(stored) <= LONGEST_LINE
    assert not re.search("[\r\n\x00\u2028\u202e]", stored)


@pytest.mark.django_db
def test_one_bad_name_keeps_nobody_elses_message_from_being_posted():
    bad = {**context_of(Message.REVOKED), "holder_name": HOSTILE["line break"]}

    assert services.post_all([draft_of(key="a"), draft_of(Message.REVOKED, key="b", context=bad)], at=NOON) == 2


@pytest.mark.parametrize("address", ["ada@posta.example\r\nBcc: b@c.example", "ada\u202e@posta.example", "ada@\x00"])
def test_an_address_with_a_line_break_is_refused(address):
    with pytest.raises(RecipientRefused):
        services._row(draft_of(Message.REVOKED, to=address), NOON)
