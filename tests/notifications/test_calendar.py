"""The deadline of a mail as an entry of the reader's calendar; a foreign parser reads what ours wrote."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from icalendar import Calendar

from notifications import envelope, samples, services
from notifications.calendar import CHANGES, LONGEST_LINE, calendar_file
from notifications.catalog import Message
from tests.notifications.letters import NOON, context_of, draft_of


def entries(row):
    """What the foreign parser finds, by status."""
    found = Calendar.from_ical(calendar_file(row)).walk("VEVENT")
    assert not any(event.errors for event in found)
    return {str(event["STATUS"]): event for event in found}


def row_of(message, at=NOON, language="it", **changes):
    return services._row(draft_of(message, language=language, context={**context_of(message), **changes}), at)


@pytest.mark.parametrize(
    ("message", "moment"),
    [
        (Message.RENEWAL_NOTICE, datetime(2027, 3, 12, 9, 15, tzinfo=UTC)),
        (Message.SUSPENSION_WARNING, datetime(2027, 3, 12, 9, 15, 1, tzinfo=UTC)),
        (Message.SUSPENDED, datetime(2027, 7, 10, 22, 0, tzinfo=UTC)),
        (Message.REVOCATION_WARNING, datetime(2027, 7, 10, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_warning_carries_its_deadline_with_an_alarm_one_day_before(message, moment):
    entry = entries(row_of(message))["CONFIRMED"]

    assert entry["DTSTART"].dt == moment
    assert entry["DTSTAMP"].dt == NOON
    (alarm,) = entry.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(days=-1)
    assert "+39 0543 123456" in entry["DESCRIPTION"]
    assert str(entry["ORGANIZER"]) == "mailto:rinnovi@ordine.example"


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (Message.RENEWAL_NOTICE, Message.RENEWAL_REMINDER),
        (Message.RENEWAL_DONE_TO_AUTHORISE, Message.SUSPENSION_WARNING),
        (Message.SUSPENDED, Message.REVOCATION_WARNING),
    ],
)
def test_a_later_warning_updates_the_same_entry(first, later):
    before = entries(row_of(first))["CONFIRMED"]
    after = entries(row_of(later, at=NOON + timedelta(days=30)))["CONFIRMED"]

    assert before["UID"] == after["UID"]
    assert before["SEQUENCE"] < after["SEQUENCE"]


@pytest.mark.parametrize(
    ("warning", "end"),
    [
        (Message.RENEWAL_REMINDER, Message.RENEWAL_DONE),
        (Message.RENEWAL_REMINDER, Message.RENEWAL_DONE_TO_AUTHORISE),
        (Message.RENEWAL_NOTICE, Message.CASE_CANCELLED),
        (Message.SUSPENSION_WARNING, Message.AUTHORISED),
        (Message.REVOCATION_WARNING, Message.REACTIVATED),
    ],
)
def test_what_is_settled_is_taken_back_from_the_calendar(warning, end):
    set_up = entries(row_of(warning))["CONFIRMED"]
    taken_back = entries(row_of(end, at=NOON + timedelta(minutes=1)))["CANCELLED"]

    assert taken_back["UID"] == set_up["UID"]
    assert taken_back["SEQUENCE"] > set_up["SEQUENCE"]
    assert not taken_back.walk("VALARM")


def test_two_cards_and_two_persons_have_entries_of_their_own():
    row, other_card = row_of(Message.SUSPENDED), row_of(Message.SUSPENDED, card_serial="999")
    other_person = row_of(Message.SUSPENDED)
    other_person.holder_id = 7

    assert len({str(entries(each)["CONFIRMED"]["UID"]) for each in (row, other_card, other_person)}) == 3


def test_the_entry_tells_a_stranger_nothing_of_the_person():
    content = calendar_file(row_of(Message.SUSPENSION_WARNING))

    assert b"Ada" not in content
    assert b"7420001234567890" not in content


@pytest.mark.parametrize("message", CHANGES)
def test_the_file_keeps_the_form_of_the_standard(message):
    content = calendar_file(row_of(message))

    assert content == calendar_file(row_of(message))
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= LONGEST_LINE and line.decode() for line in content.removesuffix(b"\r\n").split(b"\r\n"))
    assert Calendar.from_ical(content)["METHOD"] == "PUBLISH"


@pytest.mark.parametrize(
    "name",
    [
        'Centro "A";X=1:evil',
        "Centro\r\nATTENDEE:mailto:b@c.example",
        "Centro\nEND:VEVENT",
        "Centro\u2028BEGIN:VEVENT",
        "Centro\x85X:y",
        "C" * 74 + "ì𝒜" * 60,
        "a\\nb\\, c; d",
        "\u202eorteC",
    ],
)
def test_no_name_adds_a_property_to_the_entry(name):
    row = row_of(Message.SUSPENDED)
    clean = set(entries(row)["CONFIRMED"])
    row.context["centre_name"] = name

    entry = entries(row)["CONFIRMED"]

    assert set(entry) == clean
    assert str(entry["ORGANIZER"]) == "mailto:rinnovi@ordine.example"
    assert "\u202e" not in entry["DESCRIPTION"]
    assert len(Calendar.from_ical(calendar_file(row)).walk("VEVENT")) == 1


def test_the_text_arrives_as_it_was_meant():
    row = row_of(Message.SUSPENDED, centre_name="Forlì; Cesena, \\ 𝒜 e altri " * 6)

    assert "Forlì; Cesena, \\ 𝒜 e altri" in entries(row)["CONFIRMED"]["DESCRIPTION"]


def test_the_file_travels_as_a_calendar_part():
    mail = message_from_bytes(envelope.compose(samples.example(Message.SUSPENSION_WARNING)), policy=policy.default)
    (part,) = mail.iter_attachments()

    assert part.get_content_type() == "text/calendar"
    assert (part.get_param("method"), part.get_filename()) == ("PUBLISH", "scadenza.ics")
    assert part.get_payload(decode=True) == calendar_file(samples.example(Message.SUSPENSION_WARNING))


def test_a_message_without_a_deadline_has_no_file():
    assert calendar_file(samples.example(Message.CONTACT_CHANGED)) is None
