"""The letter as it travels: headers, parts, identity."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime

import pytest

from notifications import envelope, services
from notifications.calendar import CHANGES
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxAttachment
from tests.notifications.letters import FORM, NOON, context_of, draft_of


def composed(message, **changes):
    draft = draft_of(message, **changes)
    row = services._row(draft, NOON)
    files = [OutboxAttachment(name=f.name, media_type=f.media_type, content=f.content) for f in draft.attachments]
    return envelope.compose(row, files)


def parsed(message, **changes):
    return message_from_bytes(composed(message, **changes), policy=policy.default)


@pytest.mark.parametrize("message", Message)
def test_every_letter_carries_the_headers_of_an_automatic_notice(message):
    mail = parsed(message)

    assert mail["From"] == "Sigillo <sigillo@example.org>"
    assert mail["To"] == "ada.bianchi@posta.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == f"Sigillo <{message}.example.org>"
    assert mail["Content-Language"] == "it"
    assert parsedate_to_datetime(mail["Date"]) == NOON
    assert not mail.defects


@pytest.mark.parametrize("message", [m for m in Message if "holder_name" in CATALOG[m].required])
def test_an_answer_of_the_holder_reaches_the_centre(message):
    (address,) = parsed(message)["Reply-To"].addresses

    assert address.addr_spec == "rinnovi@ordine.example"
    assert address.display_name == "Ordine degli Ingegneri & Architetti di Forlì"


def test_the_message_id_comes_from_the_key_alone():
    first, again = (parsed(Message.AUTHORISED, key="authorised:RN-1") for _ in range(2))
    other = parsed(Message.AUTHORISED, key="authorised:RN-2")

    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@example.org>")
    assert "RN-1" not in first["Message-ID"]


def test_the_domain_of_the_message_id_is_a_setting(settings):
    settings.NOTIFICATIONS = settings.NOTIFICATIONS.model_copy(update={"message_id_domain": "avvisi.sigillo.example"})

    assert parsed(Message.AUTHORISED)["Message-ID"].endswith("@avvisi.sigillo.example>")


@pytest.mark.parametrize("message", Message)
def test_composed_twice_is_the_same_letter(message):
    row = services._row(draft_of(message), NOON)
    files = [OutboxAttachment(name=FORM.name, media_type=FORM.media_type, content=FORM.content)]

    assert envelope.compose(row, files) == envelope.compose(row, files)


@pytest.mark.parametrize("message", Message)
def test_a_letter_is_plain_ascii_in_short_lines(message):
    content = composed(message)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("message", Message)
@pytest.mark.parametrize("language", ["it", "en"])
def test_no_header_begins_on_its_second_line(message, language):
    """Some servers refuse such a fold, and some programs show a space before the subject."""
    head = composed(message, language=language).partition(b"\r\n\r\n")[0]

    assert not re.search(rb"(?m)^[\w-]+:\s*\r\n", head), head
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("message", Message)
def test_a_letter_offers_text_first_then_html(message):
    mail = parsed(message)
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]

    assert kinds[:2] == ["text/plain", "text/html"]
    if "centre_name" in CATALOG[message].required:
        assert "Forl\u00ec" in mail.get_body(("plain",)).get_content()
    assert kinds[2:] == [
        *(["application/pdf"] if CATALOG[message].takes_attachments else []),
        *(["text/calendar"] if message in CHANGES else []),
    ]


def test_the_signed_form_arrives_byte_for_byte():
    (file,) = parsed(Message.SIGNED_FORM).iter_attachments()

    assert file.get_content() == FORM.content
    assert file.get_filename() == FORM.name
    assert file.get_content_type() == "application/pdf"


@pytest.mark.parametrize("attack", ["a\r\nBcc: b@c.example", "a\nBcc: b@c.example", "a\rX", "a\x00b"])
def test_a_row_that_holds_a_second_header_is_refused_even_past_the_catalogue(attack):
    row = services._row(draft_of(Message.AUTHORISED), NOON)
    row.message_id = f"<{attack}@example.org>"
    with pytest.raises(envelope.HeaderRefused):
        envelope.compose(row)


@pytest.mark.parametrize("attack", ["Centro\r\nBcc: b@c.example", "Centro\nX: y", "Centro\x00"])
def test_a_centre_name_with_a_line_break_never_becomes_a_header(attack):
    row = services._row(draft_of(Message.AUTHORISED), NOON)
    row.context["centre_name"] = attack
    with pytest.raises((envelope.HeaderRefused, ValueError)):
        envelope.compose(row)


@pytest.mark.parametrize(
    "name",
    [
        "Università degli Studi di Città della Pieve, “Sezione” staccata, " * 4,
        "Universita, " * 12 + "altri@elsewhere.example",
        'Centro "A", altri@elsewhere.example; B <c@elsewhere.example>',
        "Forlì, altri@elsewhere.example,",
        "Centro (Sede: Roma) [2] \\ .",
    ],
)
def test_no_centre_name_adds_an_address_to_the_answer(name):
    content = composed(Message.AUTHORISED, context={**context_of(Message.AUTHORISED), "centre_name": name.strip()})
    mail = message_from_bytes(content, policy=policy.default)
    raw = message_from_bytes(content, policy=policy.compat32)["Reply-To"]

    (address,) = mail["Reply-To"].addresses
    assert address.addr_spec == "rinnovi@ordine.example"
    assert address.display_name
    assert [found for _, found in getaddresses([str(make_header(decode_header(raw)))])] == ["rinnovi@ordine.example"]
    assert not mail["Reply-To"].defects


def test_a_message_in_english_says_so_and_keeps_the_italian_words_it_has_no_translation_for():
    mail = parsed(Message.AUTHORISED, language="en")

    assert mail["Content-Language"] == "en"
    assert "Tue 12 Mar 2030, 10:15" in mail.get_body(("plain",)).get_content()
