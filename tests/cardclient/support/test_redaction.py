"""What looks like a secret or names a person never reaches log or report; what helps the support desk does."""

from __future__ import annotations

import pytest

from cardclient.support.redaction import redacted


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("login failed with 48273", "48273"),
        ("pin=4827", "4827"),
        ("{'pin': '48273', 'x': 1}", "48273"),
        ("PUK: 12345678", "12345678"),
        ("il PIN è 48273", "48273"),
        ("proxy_password='s3creta!'", "s3creta!"),
        ("codice utente: AB12-CD34", "AB12-CD34"),
        ("Authorization: Bearer eyJhbGci.abc-def_ghi", "eyJhbGci.abc-def_ghi"),
        ("Proxy-Authorization: NTLM TlRMTVNTUAADAAAA", "TlRMTVNTUAADAAAA"),
        ("token q3v_N8xZsDk2LwPq7RtYbMfHcUeAgJ4iO1", "q3v_N8xZsDk2LwPq7RtYbMfHcUeAgJ4iO1"),
        ("got q3v_N8xZsDk2LwPq7RtYbMfHcUeAgJ4iO1 back", "q3v_N8xZsDk2LwPq7RtYbMfHcUeAgJ4iO1"),
        ("connect http://rossi:parola@proxy.example.org:3128", "parola"),
        ("connect http://rossi:parola@proxy.example.org:3128", "rossi"),
        ("via rossi:parola@10.0.0.1:8080", "parola"),
        ("holder RSSMRA80A01H501U", "RSSMRA80A01H501U"),
        ("holder rssmra80a01h501u", "rssmra80a01h501u"),
        ("omocodia RSSMRAULALMHRLMU", "RSSMRAULALMHRLMU"),
        ("TINIT-RSSMRA80A01H501U", "RSSMRA80A01H501U"),
        ("mail mario.rossi@example.org", "mario.rossi"),
        ("subject CN=Mario Rossi,SN=Rossi,O=Example", "Mario"),
        ("subject CN=Mario Rossi+GN=Mario,SN=Rossi", "Rossi"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\nAAAA\n-----END PRIVATE KEY-----", "MIIB"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nMIIB", "MIIB"),
    ],
)
def test_a_secret_is_masked(said, secret):
    assert secret not in redacted(said)


@pytest.mark.parametrize(
    "said",
    [
        "card 7430000000000001 in reader 0",
        "atr 3BFF1800008131FE45006B05052000012101434E5310318079",
        "fingerprint 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "case R-2026-000123: certificates, next installation",
        "POST /case/requests: 200",
        "connect 127.0.0.1:54321",
        "driver bit4xpki.dll 1.4.10.647",
        "https://ra.example.org:8443/api/enrollment/v1",
        "2026-11-22T08:46:08.123Z",
        "notice pin-wrong",
        "ended: CardRemoved card-removed",
    ],
)
def test_what_helps_stays(said):
    assert redacted(said) == said


def test_the_proxys_host_stays_where_its_login_goes():
    assert redacted("via http://rossi:parola@proxy.example.org:3128") == "via http://[…]@proxy.example.org:3128"


def test_marks_that_cannot_be_seen_or_turn_a_line_around_are_dropped():
    assert redacted("a\x1b[31mb\u202ec\u200bd\r\ne") == "a[31mbcd\ne"


def test_a_long_line_is_masked_in_reasonable_time():
    assert redacted("a" * 100_000 + " " + "1a" * 20_000)
