"""What the server tells its clients before they start, and what it says to those that are too old."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest

from renewals.conf import RenewalSettings
from renewals.versions import parse_version
from tests.renewals.conftest import NOW
from tests.renewals.enrolment import BASE, Enrolment


@pytest.fixture
def minimum(settings):
    """Serve clients from 0.10.0 on."""
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"client_minimum": "0.10.0"})


def capabilities(client):
    return client.get(f"{BASE}/capabilities").json()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.2.0", (0, 2, 0)),
        ("0.2", (0, 2, 0)),
        (" 1.10.3 ", (1, 10, 3)),
        ("0.2.0rc1", (0, 2, 0)),
        ("0.2.0.dev3+local", (0, 2, 0)),
        ("", None),
        ("2", None),
        ("v0.2.0", None),
        ("0.2.0.1", None),
        ("0.02.0", None),
        ("0.2.0 or later", None),
        ("٠.٢.٠", None),
        ("9" * 5000, None),
        ("-1.2.0", None),
        ("0.2.0\r\nX: y", None),
    ],
)
def test_a_version_is_three_numbers_or_nothing(text, numbers):
    assert parse_version(text) == numbers


def test_a_setting_that_is_no_version_stops_the_start():
    with pytest.raises(ValueError, match=r"such as 0\.2\.0"):
        RenewalSettings(client_minimum="newest")


def test_anybody_is_told_time_versions_hosts_and_where_the_client_is(world, client, settings):
    settings.RENEWALS = settings.RENEWALS.model_copy(
        update={"client_minimum": "0.1.0", "client_current": "0.2.0", "client_hosts": ("ocsp.example.org",)}
    )
    told = capabilities(client)

    assert datetime.fromisoformat(told["now"]) == NOW
    page = f"{settings.BASE_URL}/scarica/"
    assert told["client"] == {"minimum": "0.1.0", "current": "0.2.0", "download": page}
    assert told["hosts"][1:] == ["ocsp.example.org"]
    assert told["hosts"][0] in settings.BASE_URL
    assert told["support"] is True


def test_the_current_version_is_the_one_of_the_release_that_is_there(world, client, settings, tmp_path):
    file = {"system": "linux-x64", "name": "sigillo.tar.gz", "sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    (tmp_path / "client.json").write_text(json.dumps({"version": "0.3.1", "files": [file]}))
    settings.RENEWALS = settings.RENEWALS.model_copy(update={"client_folder": str(tmp_path)})

    assert capabilities(client)["client"]["current"] == "0.3.1"


@pytest.mark.parametrize("version", ["0.9.9", "0.1.0", "0.2", "0.9.9rc4"])
def test_a_client_below_the_minimum_is_refused_at_the_login_and_told_where_a_newer_one_is(
    world, minimum, settings, version
):
    one = Enrolment(world.card(1))
    one.call("post", "/challenges", one_challenge(one), **{"sigillo-client": version})

    told = one.answer.json()
    assert (one.answer.status_code, told["code"], told["action"]) == (426, "client-outdated", "update-client")
    assert told["download"] == f"{settings.BASE_URL}/scarica/"
    assert one.answer.headers["Content-Type"] == "application/problem+json"


def test_the_session_asks_too(world, minimum):
    """A login text may have been asked for by somebody else's program."""
    one = Enrolment(world.card(1))
    body = {"challenge": "00000000-0000-4000-8000-000000000000", "signature": "AAAA"}
    one.call("post", "/sessions", body, **{"sigillo-client": "0.9.9"})

    assert one.refusal == "client-outdated"


@pytest.mark.parametrize("version", ["0.10.0", "0.10.0.dev1", "1.0", "", "nonsense", "9" * 400])
def test_a_client_that_is_new_enough_or_says_nothing_readable_gets_in(world, minimum, version):
    one = Enrolment(world.card(1))
    one.call("post", "/challenges", one_challenge(one), **{"sigillo-client": version})

    assert one.answer.status_code == 201


def test_an_old_client_may_still_scan_and_ask_for_help(world, minimum):
    one = Enrolment(world.card(1))
    one.client.defaults["HTTP_SIGILLO_CLIENT"] = "0.0.1"

    assert one.scan().status_code == 200


def one_challenge(one):
    slot = min(one.card.certificates)
    return {
        "card_serial": one.card.serial,
        "certificate": hashlib.sha256(one.card.certificates[slot]).hexdigest(),
    }
