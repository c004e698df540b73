"""What the envelope writes by hand is what the standard library would have written, to every parser."""

from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from notifications import envelope, rendering, services
from notifications.catalog import CATALOG, Message
from notifications.models import OutboxAttachment
from tests.notifications.letters import NOON, context_of, draft_of


def files_of(draft):
    return [OutboxAttachment(name=f.name, media_type=f.media_type, content=f.content) for f in draft.attachments]


def by_the_library(row, files):
    """The same letter, packed by `EmailMessage`."""
    rendered = rendering.render(row)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"] = "Sigillo <sigillo@example.org>", row.recipient
    mail["Subject"], mail["Message-ID"] = rendered.subject, row.message_id
    mail["List-Id"] = f"Sigillo <{row.kind}.example.org>"
    mail["Date"] = row.created_at
    if "centre_email" in row.context:
        mail["Reply-To"] = Address("Ordine degli Ingegneri & Architetti di Forlì", addr_spec="rinnovi@ordine.example")
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    for file in files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(bytes(file.content), maintype=main, subtype=sub, filename=file.name)
    return message_from_bytes(mail.as_bytes(), policy=policy.default)


def outline(mail):
    return [
        (part.get_content_type(), part.get_filename(), None if part.is_multipart() else part.get_content())
        for part in mail.walk()
    ]


@pytest.mark.parametrize("message", Message)
def test_a_letter_reads_like_one_that_the_library_packed(message):
    draft = draft_of(message)
    row = services._row(draft, NOON)

    ours = message_from_bytes(envelope.compose(row, files_of(draft)), policy=policy.default)
    theirs = by_the_library(row, files_of(draft))

    assert not ours.defects
    assert not any(part.defects for part in ours.walk())
    for name in ("From", "To", "Subject", "Message-ID", "List-Id", "Reply-To"):
        # Of a subject that fits no line with its name, the library's fold leaves a space before it.
        assert ours[name] == (theirs[name] and theirs[name].removeprefix(" ")), name
    assert ours["Date"].datetime == theirs["Date"].datetime
    if CATALOG[message].takes_attachments or len(outline(ours)) == len(outline(theirs)):
        assert outline(ours) == outline(theirs)
    assert outline(ours)[-1][1] is not None or outline(ours) == outline(theirs)


@pytest.mark.parametrize(
    "reason",
    [
        ".\n..\n.a",
        "From uno\nFrom due",
        "trailing  \nline ",
        "=3D =\n=_0_ --=_0_",
        "è" * 400,
        "a" * 997 + " " + "b" * 1200,
        "𝒜𝒷 e\u0301 \u200f العربية",
        "riga\r\nriga",
    ],
)
def test_every_text_comes_back_as_it_went(reason):
    row = services._row(draft_of(Message.REVOKED, context={**context_of(Message.REVOKED), "reason": reason}), NOON)

    content = envelope.compose(row)

    rendered = rendering.render(row)
    mail = message_from_bytes(content, policy=policy.default)
    for kind, text in (("plain", rendered.text), ("html", rendered.html)):
        assert mail.get_body((kind,)).get_content().replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert not content.replace(b"\r\n", b"").count(b"\n")


@pytest.mark.parametrize("name", ["modulo-rinnovo.pdf", "Ricevuta più lunga, «Forlì».pdf", "n" * 116 + ".pdf"])
def test_a_file_keeps_its_name(name):
    draft = draft_of(Message.SIGNED_FORM)
    row = services._row(draft, NOON)
    files = [OutboxAttachment(name=name, media_type="application/pdf", content=bytes(range(256)) * 40)]

    (file,) = message_from_bytes(envelope.compose(row, files), policy=policy.default).iter_attachments()

    assert file.get_filename() == name
    assert file.get_content() == bytes(range(256)) * 40


@pytest.mark.parametrize(
    "recipient", ["a@b.example", "o'brien+x/y=z@posta.example", "l" * 64 + "@" + "d" * 60 + ".example"]
)
def test_every_address_that_may_be_posted_to_stands_in_the_letter(recipient):
    row = services._row(draft_of(to=recipient), NOON)

    mail = message_from_bytes(envelope.compose(row), policy=policy.default)

    (address,) = mail["To"].addresses
    assert address.addr_spec == recipient
