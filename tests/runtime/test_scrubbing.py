"""What a stranger's report may not carry into the register."""

from __future__ import annotations

import time

import pytest

from runtime.scrubbing import HIDDEN, scrub_report, scrub_text

TOKEN = "kD3v9_xq-Zt7LmW2pRs8uYb1cNe4HgJ6fA0oTiQzUhE"


@pytest.mark.parametrize(
    "said",
    [
        "pin=12345",
        '{"puk": "12345"}',
        "Il PIN della mia carta è 12345, e non va",
        "user_pin: 12345",
        "PUK 12345",
        "password=x12345",
        "proxy_password: 12345",
        "Authorization: Bearer x12345",
        "token is a12345b",
        "codice utente: 12345AB",
    ],
)
def test_a_code_beside_its_name_is_hidden(said):
    assert "12345" not in scrub_report(said)
    assert HIDDEN in scrub_report(said)


def test_tax_codes_and_tokens_are_hidden_wherever_they_stand():
    assert scrub_report(f"carta di RSSMRA80A01H501U, sessione {TOKEN}.") == f"carta di {HIDDEN}, sessione {HIDDEN}."


@pytest.mark.parametrize(
    "said",
    [
        "PIN: ok, PUK: locked, tries left 3",
        "module C_GenerateKeyPair CKR_DEVICE_ERROR 0x30",
        "ATR 3BDF18008131FE7D006B020C0182011101434E53103180FC",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "2026-03-02T09:00:00Z cardclient.flow INFO step installation",
        "Perché si è fermato?\n\tSecondo rigo.",
    ],
)
def test_what_support_needs_stays(said):
    assert scrub_report(said) == said


def test_nothing_unseen_or_turning_the_direction_is_kept():
    assert scrub_report("a\x00b\x1b[31mc\u202egnp.exe\u200b\u2066d\r\ne\rf\x85") == "ab[31mcgnp.exed\ne\nf"


def test_a_long_report_is_scrubbed_in_well_under_a_second():
    """Patterns must not go back and forth over a text that was made to let them."""
    for unit in ("pin ", "a_", "token=", "AAAAAA", "x" * 39 + " ", "bearer "):
        begun = time.perf_counter()
        scrub_report((unit * 200_000)[:200_000])
        assert time.perf_counter() - begun < 0.8, unit


def test_the_logs_own_scrubbing_is_as_it_was():
    assert scrub_text("Basic eDp4 of RSSMRA80A01H501U") == f"Basic {HIDDEN} of {HIDDEN}"


@pytest.mark.parametrize(
    "piece", ["a-", "a_", "token ", "token: ", "pin_", "Bearer ", "RSSMRA80A01", "aA1", "\u202e", "password="]
)
def test_a_hostile_report_costs_time_in_proportion_to_its_length(piece):
    began = time.process_time()

    scrub_report(piece * (200_000 // len(piece)))

    # A fuse, not a measure: with unbounded repetitions it is half an hour.
    assert time.process_time() - began < 10


def test_the_value_of_a_mailed_link_in_an_address_is_hidden_and_digests_are_not():
    """An error names the address at which it happened."""
    token, digest = "kD3v9_xq-Zt7LmW2pRs8uYb1cNe4HgJ6fA0oTiQzUhE", "9f" * 32
    said = scrub_text(f"Internal Server Error: /area-clienti/link/casella/{token}/ {digest} /{digest} /{token}")
    assert token not in said
    assert said.count(digest) == 2
    assert "/area-clienti/link/casella/[hidden]/" in said
