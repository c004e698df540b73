"""Every message in text and HTML: complete, readable, nothing left over, nothing let through."""

import html
import re
from html.parser import HTMLParser

import pytest

from notifications import rendering, services
from notifications.catalog import CATALOG, Message, Shape
from notifications.errors import NotReadable
from notifications.templatetags import mail
from tests.notifications.letters import NOON, SECRETS, SHOWN, context_of, draft_of

LEFTOVERS = re.compile(r"\{\{|\}\}|\{%|%\}|\bNone\b|\bTrue\b|%\(|\bmissing\b|T\d\d:\d\d:\d\d|\+00:00")

OTHER_VALUES = {
    **dict.fromkeys((Shape.LINE, Shape.LINE_OR_NOTHING, Shape.PROSE, Shape.PROSE_OR_NOTHING), "Altro 999"),
    **dict.fromkeys((Shape.INSTANT, Shape.INSTANT_OR_NOTHING, Shape.DAY_START), "2031-01-01T00:00:00Z"),
    **dict.fromkeys((Shape.URL, Shape.URL_OR_NOTHING), "https://altro.example"),
    **dict.fromkeys((Shape.COUNT, Shape.NUMBER), 77),
    Shape.MAILBOX: "altro@altro.example",
    Shape.FAILURES: [{"code": "mails-bounced", "count": 999, "cases": []}],
    Shape.COUNTERS: [{"type": "Altro", "free": 999, "threshold": 1000}],
    Shape.LINES: ["Altro 999"],
    Shape.CASES: [{"code": "RN-ALTRO", "at": "2031-01-01T00:00:00Z", "remark": "Altro 999"}],
}


def row_of(message, **changes):
    return services._row(draft_of(message, **changes), NOON)


def words(markup):
    """The text a reader sees, white space folded."""
    body = re.sub(r"(?s)<head>.*?</head>|<!--.*?-->", " ", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("message", Message)
def test_everything_the_message_is_about_is_said_in_text_and_html(message):
    rendered = rendering.render(row_of(message))

    text, page = " ".join(rendered.text.split()), words(rendered.html)
    about = {"holder_name", "case_code", "centre_name", "reason", "new_not_after", "authorise_by", "suspended_at"}
    about |= {"revoke_on", "user_code", "confirmation_code", "card_serial", "service_name", "client_url", "expires_at"}
    about |= {"recoverable_days", "certificate_types", "centre_email", "centre_phone", "reactivated_at", "revoked_at"}
    for key, value in {**context_of(message), **{key: SECRETS[key] for key in CATALOG[message].secrets}}.items():
        # The instants of S/MIME's examples are others; tests/smime/test_letters.py holds what those mails say.
        if key in about and not (key in SHOWN and message.value.startswith("smime-")):
            shown = " ".join(str(SHOWN.get(key, value)).split())
            assert shown in text, key
            assert shown in page, key


@pytest.mark.parametrize("only_required", [False, True], ids=["all keys", "required keys"])
@pytest.mark.parametrize("message", Message)
def test_no_message_keeps_a_leftover_of_its_template(message, only_required):
    rendered = rendering.render(row_of(message, context=context_of(message, only_required=only_required)))

    for part in (rendered.subject, rendered.text, words(rendered.html)):
        assert not LEFTOVERS.search(part), part


# Said in the subject alone, or counted anew from the day of posting.
ELSEWHERE = {Message.SMIME_EXPIRING: {"days"}, Message.SMIME_SLOTS_CREDITED: {"count"}}
# Keys whose few values choose a sentence.
CHOICES = {
    "purpose": ("reissue", "reopen"),
    "count": (1, 2),
    "because": ("consent-refused", ""),
    "stage": ("begun", "passed"),
}


@pytest.mark.parametrize("message", Message)
def test_every_key_of_the_catalogue_is_named_by_a_template_or_the_envelope(message):
    """A key that nobody shows would be asked of every caller for nothing."""
    shared = {
        "holder_name",
        "case_code",
        "centre_name",
        "centre_email",
        "centre_phone",
        "purchase_url",
        "old_not_after",
        "entries",  # the calendar's
        "ended_entries",
    }
    rendered = rendering.render(row_of(message))
    for key in set(CATALOG[message].shapes) - shared - ELSEWHERE.get(message, set()):
        changed = {**context_of(message), key: OTHER_VALUES[CATALOG[message].shapes[key]]}
        if key in CHOICES:
            changed[key] = next(choice for choice in CHOICES[key] if choice != context_of(message).get(key, ""))
        assert rendering.render(row_of(message, context=changed)).text != rendered.text, key


@pytest.mark.parametrize("message", Message)
def test_a_centre_without_telephone_or_shop_leaves_no_gap(message):
    context = context_of(message)
    empty = {key: "" for key in ("centre_phone", "purchase_url") if key in context}
    rendered = rendering.render(row_of(message, context={**context, **empty}))

    assert 'href=""' not in rendered.html
    assert "tel:" not in rendered.html
    assert "Telefono" not in rendered.text
    assert "acquisto:" not in rendered.text


@pytest.mark.parametrize("message", Message)
def test_the_subject_is_one_short_line(message):
    subject = rendering.render(row_of(message)).subject

    assert 10 <= len(subject) <= 90
    assert "\n" not in subject
    assert not any(secret in subject for secret in SECRETS.values())


@pytest.mark.parametrize("message", Message)
def test_text_lines_fit_the_screen_and_addresses_stay_whole(message):
    rendered = rendering.render(row_of(message))

    assert all(len(line) <= rendering.TEXT_WIDTH or "://" in line for line in rendered.text.splitlines())
    assert "\n\n\n" not in rendered.text


@pytest.mark.parametrize("message", Message)
def test_html_stands_alone_without_pictures_scripts_or_outside_files(message):
    markup = rendering.render(row_of(message)).html

    assert not re.search(r"<(img|script|link|iframe|object|form|video)\b|url\(|@import|\son\w+=", markup, re.IGNORECASE)
    assert len(markup.encode()) < 100_000  # Gmail cuts longer mails


@pytest.mark.parametrize("message", Message)
def test_html_closes_what_it_opens(message):
    class Balance(HTMLParser):
        void = frozenset({"meta", "br", "hr"})

        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in self.void:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    balance = Balance()
    balance.feed(rendering.render(row_of(message)).html)
    assert balance.open == []


def test_markup_in_a_reason_or_name_is_shown_not_obeyed():
    context = {**context_of(Message.REVOKED), "reason": "<b>x</b>\n& y", "centre_name": "<script>alert(1)</script>"}
    rendered = rendering.render(row_of(Message.REVOKED, context=context))

    assert "<script>" not in rendered.html
    assert "&lt;b&gt;x&lt;/b&gt;<br>&amp; y" in rendered.html
    assert "<b>x</b>" in rendered.text


def test_template_marks_in_a_reason_are_text():
    context = {**context_of(Message.REVOKED), "reason": "{{ user_code }} {% now 'Y' %}"}

    assert "{{ user_code }} {% now 'Y' %}" in rendering.render(row_of(Message.REVOKED, context=context)).text


def test_a_plain_text_mail_escapes_nothing():
    text = rendering.render(row_of(Message.CASE_CANCELLED)).text

    assert "Ada Bianchi D'Amico" in text
    assert "Ingegneri & Architetti" in text
    assert not re.search(r"&(amp|lt|gt|quot|#x?\w+);", text)


def test_a_variable_nobody_gave_stops_the_mail():
    row = row_of(Message.AUTHORISED)
    del row.context["new_not_after"]

    with pytest.raises(LookupError, match="new_not_after"):
        rendering.render(row)


def test_a_preview_shows_no_secret():
    with pytest.raises(NotReadable):
        rendering.preview(row_of(Message.RENEWAL_DONE))
    assert rendering.preview(row_of(Message.AUTHORISED)).subject


def test_a_rendered_mail_does_not_show_itself():
    row = row_of(Message.RENEWAL_DONE)

    assert SECRETS["user_code"] not in repr(rendering.render(row))
    assert SECRETS["user_code"] not in repr(draft_of(Message.RENEWAL_DONE))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2027-03-12T09:15:00Z", "ven 12/03/2027, 10:15"),
        ("2027-07-12T09:15:00+00:00", "lun 12/07/2027, 11:15"),
        ("2026-03-29T00:59:59Z", "dom 29/03/2026, 01:59"),
        ("2026-03-29T01:00:00Z", "dom 29/03/2026, 03:00"),
        ("2026-10-25T00:30:00Z", "dom 25/10/2026, 02:30"),
        ("2026-10-25T01:30:00Z", "dom 25/10/2026, 02:30"),
        ("2026-12-31T23:30:00Z", "ven 01/01/2027, 00:30"),
        ("2026-06-01T12:00:00-05:00", "lun 01/06/2026, 19:00"),
    ],
)
def test_instants_are_shown_in_italian_time_with_their_weekday(value, shown):
    assert mail.instant(value) == shown


@pytest.mark.parametrize("value", ["2026-07-30", "2026-07-29T22:00:00Z", "2026-07-30T00:00:00+02:00"])
def test_the_day_before_the_revocation_is_the_last_useful_one(value):
    assert mail.day(value) == "gio 30/07/2026"
    assert mail.last_day_before(value) == "mer 29/07/2026"


def test_the_last_day_before_a_change_of_clocks_is_right():
    assert mail.last_day_before("2026-03-30") == "dom 29/03/2026"
    assert mail.last_day_before("2026-10-26") == "dom 25/10/2026"


def test_a_refusal_before_installation_says_that_the_case_is_closed():
    context = context_of(Message.REFUSED, only_required=True)
    text = rendering.render(row_of(Message.REFUSED, context=context)).text

    assert "La pratica è chiusa" in text
    assert "sospesi" not in text
