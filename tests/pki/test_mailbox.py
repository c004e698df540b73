"""Which addresses a certificate may carry, and how the rest is refused."""

from __future__ import annotations

import pytest

from pki.errors import MalformedInput
from pki.mailbox import domain_of, require_ascii_mailbox


@pytest.mark.parametrize(
    "text",
    [
        "anna@example.org",
        "anna.bianchi+ordini@posta.example.org",
        "o'neill@example.org",
        "_@example.org",
        "a" * 64 + "@example.org",
        "1@1und1.example.org",
    ],
)
def test_an_ordinary_mailbox_stays_as_it_is(text):
    assert require_ascii_mailbox(text) == text


def test_only_the_domain_is_written_small():
    """The local part belongs to its host, which alone knows whether case matters."""
    assert require_ascii_mailbox("Anna.Bianchi@Example.ORG") == "Anna.Bianchi@example.org"
    assert domain_of("Anna.Bianchi@example.org") == "example.org"


@pytest.mark.parametrize(
    "text",
    ["nicolò@example.org", "anna@città.example.org", "anna@xn--citt-3na.example.org", "anna@XN--P1AI", "а@example.org"],
)
def test_a_mailbox_outside_ascii_is_refused_in_either_spelling(text):
    with pytest.raises(MalformedInput) as refused:
        require_ascii_mailbox(f"{text}.org" if text.endswith("P1AI") else text)
    assert refused.value.code == "mailbox-not-ascii"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@example",
        "anna@@example.org",
        "anna@example..org",
        "anna@.example.org",
        "anna@example.org.",
        "anna@-example.org",
        "anna@exa_mple.org",
        "anna@192.0.2.1",
        "anna@[192.0.2.1]",
        "anna@mail.local",
        "anna@mail.test",
        ".anna@example.org",
        "anna.@example.org",
        "an..na@example.org",
        '"anna bianchi"@example.org',
        "Anna <anna@example.org>",
        "anna@example.org,carla@example.org",
        " anna@example.org",
        "anna@example.org ",
        "anna@example.org\n",
        "anna@example.org\r\nBcc: carla@example.org",
        "anna\x00@example.org",
        "anna@example.org\x00",
        "a" * 65 + "@example.org",
        "anna@" + "a" * 64 + ".org",
        "anna@" + "a." * 126 + "org",
    ],
)
def test_what_is_no_mailbox_is_refused(text):
    with pytest.raises(MalformedInput) as refused:
        require_ascii_mailbox(text)
    assert refused.value.code == "mailbox-malformed"


def test_a_refusal_repeats_nothing_of_the_address():
    with pytest.raises(MalformedInput) as refused:
        require_ascii_mailbox("nicolò.segreto@example.org")
    assert "segreto" not in str(refused.value)
