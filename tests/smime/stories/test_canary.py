"""The canary sings: a value that is planted is found, wherever it lies."""

from __future__ import annotations

import logging
import secrets
import tempfile
from pathlib import Path

import pytest
import redis

from cms.models import Centre, Issuer
from tests.plugin import services
from tests.smime.stories.canary import Sought

log = logging.getLogger(__name__)


def planted(value: str) -> set[str]:
    """Leave a value in a log line, at the broker, as text and as bytes in the database, and in a file; these places."""
    log.warning("seen: %s", value)
    with redis.Redis.from_url(services.redis.url) as client:
        client.set("planted", value)
    Centre.objects.create(code="cdrl", name=f"Ordine {value}", email="cdrl@cdrl.example.org")
    Issuer.objects.create(key_id="0a", certificate=b"\xff\xd8" + value.encode() + b"\x00")
    with tempfile.NamedTemporaryFile(delete=False) as left:
        left.write(b"\xff\xd8" + value.encode())
    return {"log", "broker", "cms_centre.name", "cms_issuer.certificate", left.name}


@pytest.fixture
def places(committed, canary, tmp_path):
    """Plant something, and say by name where the canary finds what is sought."""
    left = []

    def found(value: str, **sought: Sought) -> tuple[set[str], dict[str, set[str]]]:
        there = planted(value)
        left.extend(Path(each) for each in there if each.startswith("/"))
        return there, canary.places_of(sought, apart_from=tmp_path)

    yield found
    for each in left:
        each.unlink()


def test_a_planted_value_is_found_wherever_it_lies_and_another_is_not(places):
    value, other = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    there, found = places(value, photo=Sought(value.encode()), other=Sought(other.encode()))

    assert found == {"photo": there}


def test_what_stands_in_its_own_column_is_no_leak(places):
    value = secrets.token_urlsafe(24)

    there, found = places(value, surname=Sought(value.encode(), {"cms_centre.name"}, in_files=False))

    assert found["surname"] == {place for place in there if place[0] != "/"} - {"cms_centre.name"}


def test_a_code_is_found_where_it_stands_by_itself_and_digits_inside_of_others_are_none(places):
    code, other = (f"{number}{secrets.randbelow(100_000):05d}" for number in (1, 2))

    there, found = places(f'"{code}" 10:00:00.{other} 1{other} a{other}', **{
        name: Sought(value.encode(), is_word=True) for name, value in (("code", code), ("other", other))
    })  # fmt: skip

    assert found["code"] == {place for place in there if place[0] != "/"}
    assert found["other"] == {"cms_issuer.certificate"}, "bytes know no words"
