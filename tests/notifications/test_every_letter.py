"""Every entry of the catalogue through a real SMTP server: posted, delivered, received, read again."""

from __future__ import annotations

import html
import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.urls import resolve
from django.utils.html import strip_tags
from icalendar import Calendar
from PIL import Image

from notifications import rendering, samples, services
from notifications.calendar import CHANGES, calendar_file
from notifications.catalog import CATALOG, Message
from notifications.delivery import deliver_due
from notifications.models import OutboxMessage
from notifications.states import MessageState
from tests.notifications import pictures
from tests.notifications.letters import FORM, NOON, SECRETS, draft_of

HEAVIEST_PICTURE = 60_000
NAMES = [samples.VALUES[key] for key in ("holder_name", "centre_name", "service_name", "recipient_name")]
"""Proper names stand as they are in every language; so does «Firma», a button of the renewal program."""
ITALIAN_WORDS = re.compile(
    r"\b(?:il|la|gli|le|della|dei|delle|del|di|da|per|che|non|sono|con|nel|una|alla|si|suoi?|sua|lei|entro|pratica"
    r"|carta|certificat[io]|messaggi\w*|titolare|qualificata|giorni)\b|[àèéìòù]",
    re.IGNORECASE,
)
ENGLISH_WORDS = re.compile(r"\b(?:the|of|is|are|your?|and|with|this|by|case|renewal|days?)\b", re.IGNORECASE)


@pytest.mark.usefixtures("committed")
def test_every_message_of_the_catalogue_arrives_whole(server):
    services.post_all([draft_of(message) for message in Message], at=NOON)

    while deliver_due(at=NOON):
        pass

    arrived = {mail["List-Id"].split("<")[1].split(".")[0]: mail for mail in map(_parsed, server.accepted)}
    assert set(arrived) == set(Message)
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {MessageState.SENT}
    assert not OutboxMessage.objects.exclude(sealed_context=None).exists()
    for message in Message:
        _require_whole(arrived[message], message)


def _parsed(content):
    return message_from_bytes(content, policy=policy.default)


def _require_whole(mail, message):
    assert not mail.defects
    assert mail["Auto-Submitted"] == "auto-generated"
    text, page = (mail.get_body((form,)).get_content() for form in ("plain", "html"))
    for secret in CATALOG[message].secrets:
        assert SECRETS[secret] in text
        assert SECRETS[secret] in page
    files = {part.get_content_type(): part for part in mail.iter_attachments()}
    assert ("application/pdf" in files) == CATALOG[message].takes_attachments
    assert ("text/calendar" in files) == (message in CHANGES)
    if "application/pdf" in files:
        assert files["application/pdf"].get_content() == FORM.content
    if "text/calendar" in files:
        events = Calendar.from_ical(files["text/calendar"].get_payload(decode=True)).walk("VEVENT")
        assert 1 <= len(events) <= len(CHANGES[message])


@pytest.mark.parametrize("message", Message)
def test_the_deadline_and_the_one_thing_to_do_stand_before_any_prose(message):
    text = rendering.render(samples.example(message)).text

    top, _, _ = text.partition("Gentile ")
    assert "Che cosa fare:" in top
    if "holder_name" in CATALOG[message].required:
        assert top.index("+39 0543 123456") < top.index("rinnovi@ordine.example") < top.index("Che cosa fare:")
        assert top.count("/2027") + top.count("/2030") >= 1
        assert "Gentile Ada" in text


@pytest.mark.parametrize("message", Message)
def test_a_message_in_english_shows_english_dates_and_says_its_language(message):
    rendered = rendering.render(samples.example(message, language="en"))

    assert '<html lang="en"' in rendered.html
    assert "12/03/2027" not in rendered.text


@pytest.mark.parametrize("message", Message)
@pytest.mark.parametrize("language", ["it", "en"])
def test_a_message_leaves_no_word_in_the_other_language(message, language):
    rendered = rendering.render(samples.example(message, language=language))

    said = " ".join(f"{rendered.subject} {rendered.text} {html.unescape(strip_tags(rendered.html))}".split())
    for name in (*NAMES, *re.findall(r"https?://\S+", said)):
        said = said.replace(name, "")

    assert {"it": ENGLISH_WORDS, "en": ITALIAN_WORDS}[language].findall(said) == []


def test_the_end_of_an_alarm_says_so():
    row = samples.example(Message.ALARM)
    row.context["closed_at"] = "2027-01-14T10:50:00Z"
    rendered = rendering.render(row)

    assert rendered.subject == "Rientrato: Sospensioni in ritardo"
    assert "gio 14/01/2027, 11:50" in rendered.text
    assert "gio 14/01/2027, 11:40" in rendered.text


def test_a_digest_of_a_quiet_day_leaves_out_what_is_empty():
    row = samples.example(Message.DAILY_DIGEST)
    row.context |= {"waiting": [], "waiting_total": 0, "failures": [], "stock": []}
    text = rendering.render(row).text

    assert "Da autorizzare" not in text
    assert "Non riusciti" not in text
    assert "Scaduti: 1" in text


def test_a_fixed_reason_is_said_in_the_readers_language_and_a_persons_own_words_stay():
    row = samples.example(Message.SUSPENDED, language="en")
    row.context["reason"] = "Telefono\nparole dell'operatore"

    text = rendering.render(row).text

    assert "    Telephone\n    parole" in text


def test_suspended_certificates_that_expire_before_their_revocation_name_their_own_end():
    row = samples.example(Message.SUSPENDED)
    row.context["valid_until"] = "2027-04-30T21:59:59Z"
    rendered = rendering.render(row)

    assert rendered.subject == "Certificati sospesi: si riattivano entro ven 30/04/2027"
    assert "I certificati scadono ven 30/04/2027, 23:59" in " ".join(rendered.text.split())
    assert "revocati" not in rendered.text
    assert calendar_file(row) is None


def test_every_message_has_its_picture_in_the_documentation():
    wanted = {name for name, *_ in pictures.wanted()}
    there = {path.name for path in Path(pictures.FOLDER).glob("*.png")}

    assert there == wanted, "python -m tests.plugin .venv/bin/python -m tests.notifications.pictures"
    for name in wanted:
        assert (pictures.FOLDER / name).stat().st_size <= HEAVIEST_PICTURE
        with Image.open(pictures.FOLDER / name) as picture:
            assert picture.width == (pictures.NARROW if f"-{pictures.NARROW}" in name else pictures.WIDE)


def test_the_holders_pages_stand_where_the_mails_say():
    assert resolve(rendering.HOLDER_PATH)
