"""Every answer carries the security headers, and the client's address is only our own proxy's word."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from config.headers import HEADERS, SecurityHeaders
from config.proxy import ClientAddress


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/no-such-page", "/pki/crl/none.crl", "/static/none.css"])
def test_every_answer_carries_them(db, path):
    answer = Client().get(path)

    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def test_a_forged_host_is_refused_and_still_carries_them(db):
    answer = Client(headers={"host": "evil.example.org"}).get("/no-such-page")

    assert answer.status_code in {400, 404}
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_plain_http_promises_no_https(db):
    assert "Strict-Transport-Security" not in Client().get("/healthz").headers


def test_https_promises_to_stay(settings):
    settings.BASE_URL = "https://sigillo.example.org"
    answer = SecurityHeaders(lambda request: HttpResponse())(RequestFactory().get("/"))

    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]


def test_scripts_and_styles_come_from_us_alone():
    policy = HEADERS["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [("198.51.100.7", "198.51.100.7"), ("10.0.0.1, 198.51.100.7", "198.51.100.7"), ("", "192.0.2.1")],
)
def test_behind_the_proxy_only_its_own_word_counts(forwarded, seen):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)

    ClientAddress(lambda request: HttpResponse())(request)

    assert request.META["REMOTE_ADDR"] == seen


def test_without_proxy_the_header_is_ignored(settings):
    assert "config.proxy.ClientAddress" not in settings.MIDDLEWARE
