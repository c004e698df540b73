"""What may be posted: the catalogue's contexts, and nothing else."""

import pytest

from notifications import policy
from notifications.catalog import CATALOG, Attachment, Message
from notifications.errors import AttachmentRefused, ContextRefused, RecipientRefused
from tests.notifications.letters import FORM, SECRETS, context_of


def test_every_message_has_its_contents():
    assert set(CATALOG) == set(Message)


@pytest.mark.parametrize("message", Message)
def test_a_complete_context_passes(message):
    policy.require_context(message, context_of(message))
    policy.require_context(message, context_of(message, only_required=True))


@pytest.mark.parametrize("message", Message)
def test_each_missing_key_is_refused_by_name(message):
    for key in CATALOG[message].required:
        context = context_of(message)
        del context[key]
        with pytest.raises(ContextRefused, match=f"{key}: missing"):
            policy.require_context(message, context)


@pytest.mark.parametrize("message", Message)
def test_an_unknown_key_is_refused_by_name(message):
    with pytest.raises(ContextRefused, match="tax_code: unknown"):
        policy.require_context(message, {**context_of(message), "tax_code": "BNCDAA80A41H501X"})


@pytest.mark.parametrize("message", [m for m in Message if CATALOG[m].secrets])
def test_a_secret_is_refused_among_the_plain_values(message):
    (secret,) = CATALOG[message].secrets
    with pytest.raises(ContextRefused, match=f"{secret}: unknown"):
        policy.require_context(message, {**context_of(message), secret: SECRETS[secret]})
    with pytest.raises(ContextRefused, match=f"{secret}: missing"):
        policy.require_secrets(message, {})


def test_a_message_without_secrets_takes_none():
    with pytest.raises(ContextRefused, match="user_code: unknown"):
        policy.require_secrets(Message.AUTHORISED, {"user_code": "Z-991"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("holder_name", "Ada\nBcc: everyone@elsewhere.example"),
        ("holder_name", "Ada\rBianchi"),
        ("holder_name", "Ada\x00"),
        ("holder_name", "Ada\u2028Bianchi"),
        ("holder_name", "Ada \u202eihcnaiB"),
        ("holder_name", ""),
        ("holder_name", "   "),
        ("holder_name", None),
        ("holder_name", 7),
        ("holder_name", "A" * 301),
        ("centre_email", "rinnovi@ordine.example\nX: y"),
        ("centre_email", "rinnovi@ordine.example, altri@ordine.example"),
        ("centre_email", "Ordine <rinnovi@ordine.example>"),
        ("purchase_url", "javascript:alert(1)"),
        ("purchase_url", "https://ordine.example/a b"),
        ("purchase_url", "https://"),
        ("purchase_url", "ordine.example"),
        ("old_not_after", "2027-03-12T09:15:00"),
        ("old_not_after", "12/03/2027"),
        ("old_not_after", "2027-03-12"),
        ("revoke_on", "soon"),
        ("revoke_on", "2027-03-12T00:00:00"),
        ("reason", "bell \x07"),
        ("reason", "\n"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_without_showing_it(key, value):
    with pytest.raises(ContextRefused, match=f"{key}: must be") as refusal:
        policy.require_context(Message.SUSPENDED, {**context_of(Message.SUSPENDED), key: value})

    assert "elsewhere" not in str(refusal.value)


def test_all_faults_are_named_at_once():
    context = {**context_of(Message.CONTACT_CHANGED), "extra": 1}
    del context["case_code"], context["holder_name"]

    with pytest.raises(ContextRefused, match="case_code: missing; holder_name: missing; extra: unknown"):
        policy.require_context(Message.CONTACT_CHANGED, context)


@pytest.mark.parametrize("number", [0, -1, True, "120", 1.5])
def test_a_count_is_a_positive_whole_number(number):
    message = Message.RENEWAL_DONE_TO_AUTHORISE
    with pytest.raises(ContextRefused, match="recoverable_days"):
        policy.require_context(message, {**context_of(message), "recoverable_days": number})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@posta.example",
        "ada@posta.example\r\nBcc: b@c.example",
        "ada@posta.example\n",
        "ada@posta.example\x00",
        "ada@posta.example,b@c.example",
        "ada@posta.example b@c.example",
        "Ada <ada@posta.example>",
        '"ada bianchi"@posta.example',
        "ada@posta.example(comment)",
        "ada..bianchi@posta.example",
        ".ada@posta.example",
        "ada@posta..example",
        "ada@-posta.example",
        "adà@posta.example",
        "ada@[127.0.0.1]",
        "a" * 250 + "@p.it",
    ],
)
def test_only_one_plain_address_is_a_recipient(address):
    with pytest.raises(RecipientRefused) as refusal:
        policy.require_recipient(address)

    assert "example" not in str(refusal.value)


@pytest.mark.parametrize("address", ["ada@posta.example", "a.b+c_d'e@sub.posta-x.example", "a@xn--forl-1pa.example"])
def test_ordinary_addresses_are_recipients(address):
    policy.require_recipient(address)


@pytest.mark.parametrize(
    "file",
    [
        Attachment("a\r\nX: y.pdf", "application/pdf", b"x"),
        Attachment('a".pdf', "application/pdf", b"x"),
        Attachment("../a.pdf", "application/pdf", b"x"),
        Attachment("", "application/pdf", b"x"),
        Attachment("a.pdf", "application/pdf\r\nX: y", b"x"),
        Attachment("a.pdf", "pdf", b"x"),
        Attachment("a.pdf", "application/pdf", b"x" * (policy.MOST_ATTACHED_BYTES + 1)),
    ],
)
def test_an_attachment_that_cannot_travel_is_refused(file):
    with pytest.raises(AttachmentRefused):
        policy.require_attachments(Message.SIGNED_FORM, [file])


def test_the_form_is_attached_to_its_message_and_to_no_other():
    policy.require_attachments(Message.SIGNED_FORM, [FORM])
    with pytest.raises(AttachmentRefused, match="needs an attachment"):
        policy.require_attachments(Message.SIGNED_FORM, [])
    with pytest.raises(AttachmentRefused, match="takes no attachment"):
        policy.require_attachments(Message.AUTHORISED, [FORM])
