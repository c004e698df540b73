"""The environment is checked as a whole at start; an unsafe combination does not boot."""

from __future__ import annotations

import base64
import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from pydantic import ValidationError

from config.env import Environment, built

KEY = base64.b64encode(b"k" * 32).decode()
SOUND = {
    "SIGILLO_SECRET_KEY": "s" * 50,
    "SIGILLO_SEALING_KEYS": KEY,
    "SIGILLO_BASE_URL": "https://sigillo.example.org",
    "SIGILLO_DB_HOST": "/run/postgresql",
    "SIGILLO_DB_USER": "sigillo_app",
    "SIGILLO_REDIS_URL": "redis://redis:6379/0",
    "SIGILLO_FROM_EMAIL": "sigillo@example.org",
}


@pytest.fixture
def environment(monkeypatch):
    """Build from exactly these variables on top of sound ones; None takes a variable away."""
    for name in [name for name in os.environ if name.startswith("SIGILLO_")]:
        monkeypatch.delenv(name)

    def build(**changes):
        for name, value in {**SOUND, **{f"SIGILLO_{key.upper()}": value for key, value in changes.items()}}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        return built(Environment)

    return build


def test_a_sound_environment_boots(environment):
    assert environment().base_url == "https://sigillo.example.org"


@pytest.mark.parametrize(
    "name", ["secret_key", "sealing_keys", "base_url", "db_host", "db_user", "redis_url", "from_email"]
)
def test_what_has_no_safe_default_must_be_said(environment, name):
    with pytest.raises(ImproperlyConfigured, match=f"SIGILLO_{name.upper()}: "):
        environment(**{name: None})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret_key": "short"}, "at least 32"),
        ({"sealing_keys": ""}, "at least one key"),
        ({"sealing_keys": "not base64!"}, "base64"),
        ({"sealing_keys": base64.b64encode(b"k" * 16).decode()}, "32 bytes"),
        ({"sealing_keys": f"{KEY},{base64.b64encode(b'x').decode()}"}, "32 bytes"),
        ({"secret_key": KEY}, "different secrets"),
        ({"base_url": "http://sigillo.example.org"}, "https"),
        ({"base_url": "http://192.0.2.1"}, "https"),
        ({"base_url": "sigillo.example.org"}, "scheme"),
        ({"base_url": "https://sigillo.example.org/path"}, "without path"),
        ({"allowed_hosts": "*"}, "name the hosts"),
        ({"debug": "true"}, "localhost"),
        ({"redis_url": "amqp://broker"}, "redis://"),
        ({"smtp_user": "u", "smtp_host": "mail.example.org"}, "STARTTLS"),
    ],
)
def test_an_unsafe_combination_is_refused_with_its_reason(environment, changes, reason):
    with pytest.raises(ImproperlyConfigured, match=reason):
        environment(**changes)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000"])
def test_plain_http_is_for_this_machine_only(environment, host):
    assert environment(base_url=f"http://{host}").is_local


def test_a_refusal_shows_no_secret(environment):
    with pytest.raises(ImproperlyConfigured) as refusal:
        environment(secret_key="short-but-secret", sealing_keys="sealing-secret!")

    assert "short-but-secret" not in str(refusal.value)
    assert "sealing-secret" not in str(refusal.value)


def test_every_fault_is_named_in_a_line_of_its_own(environment):
    with pytest.raises(ImproperlyConfigured) as refusal:
        environment(secret_key="short", db_user=None)

    assert len(str(refusal.value).splitlines()) == 3
    assert "Traceback" not in str(refusal.value)


def test_no_secret_is_printed(environment):
    shown = repr(environment(db_password="database-secret", redis_url="redis://:redis-secret@redis:6379/0"))

    assert "database-secret" not in shown
    assert "redis-secret" not in shown
    assert KEY not in shown


def test_it_cannot_be_changed_afterwards(environment):
    with pytest.raises(ValidationError):
        environment().base_url = "https://evil.example.org"


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://redis:6379/1", "redis://redis:6379/1"),
        ("unix:///run/v.sock?db=2", "redis+socket:///run/v.sock?virtual_host=2"),
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0"),
    ],
)
def test_the_broker_address_is_spelled_as_kombu_reads_it(environment, url, broker):
    assert environment(redis_url=url).broker_url == broker


def test_the_hosts_are_those_named_and_the_base_urls_own(environment):
    assert environment(allowed_hosts="a.example.org, b.example.org").hosts == [
        "a.example.org",
        "b.example.org",
        "sigillo.example.org",
    ]
