"""The demo's parts: secrets made once, codes as an app shows them, cards handled through the client alone."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cms.tax_code import parse_tax_code
from config.demo import population, totp
from config.demo.__main__ import main
from config.demo.installation import MAKERS, Installation
from config.demo.outside import MAKERS as OUTSIDE_MAKERS
from config.demo.run import Demo, directions
from config.demo.stack import Stack
from config.demo.staff import NAMES, STAFF
from runtime.embedded.accounts import Account
from runtime.embedded.errors import FolderRefused
from runtime.embedded.folder import DataFolder
from runtime.embedded.supervisor import Supervisor

ME = Account(name="me", uid=os.geteuid(), gid=os.getegid(), switches=False)
# RFC 6238, appendix B: SHA-1, the last six of the eight digits shown there.
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.fixture
def installation(tmp_path: Path):
    data = DataFolder.open(tmp_path / "data", ME)
    yield Installation(data)
    data.close()


@pytest.mark.parametrize(("second", "code"), VECTORS.items())
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, datetime.fromtimestamp(second, UTC)) == code


def test_a_code_is_shown_for_the_rest_of_its_thirty_seconds() -> None:
    assert totp.seconds_left(datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)) == 30
    assert totp.seconds_left(datetime(2026, 11, 2, 12, 0, 29, tzinfo=UTC)) == 1


def test_secrets_are_made_once_and_only_we_can_read_them(installation: Installation) -> None:
    installation.make_secrets(database_exists=False)
    first = {name: installation.secret(name) for name in MAKERS}
    installation.make_secrets(database_exists=True)
    assert {name: installation.secret(name) for name in MAKERS} == first
    assert all((installation.keys / name).stat().st_mode & 0o777 == 0o600 for name in MAKERS)
    assert installation.keys.stat().st_mode & 0o777 == 0o700


def test_a_database_whose_keys_are_lost_is_refused_and_no_new_keys_are_made(installation: Installation) -> None:
    installation.make_secrets(database_exists=False)
    (installation.keys / "sealing-keys").unlink()
    with pytest.raises(FolderRefused, match="sealing-keys"):
        installation.make_secrets(database_exists=True)
    assert not (installation.keys / "sealing-keys").exists()


def test_the_environment_satisfies_the_settings(installation: Installation) -> None:
    installation.make_secrets(database_exists=False)
    installation.addresses |= {
        "SIGILLO_BASE_URL": "http://localhost:8000",
        "SIGILLO_DB_HOST": "/nowhere",
        "SIGILLO_DB_USER": "sigillo_app",
        "SIGILLO_REDIS_URL": "unix:///nowhere?db=0",
        "SIGILLO_SMTP_HOST": "127.0.0.1",
        "SIGILLO_SMTP_PORT": "8025",
    }
    checked = subprocess.run(
        [sys.executable, "-c", "from config.settings import ENVIRONMENT; print(ENVIRONMENT.base_url)"],
        env=installation.environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.stdout.strip() == "http://localhost:8000", checked.stderr


def test_without_an_installation_there_is_no_code(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SIGILLO_DATA_DIR", str(tmp_path / "none"))
    assert main(["code"]) == 1
    assert "make run" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_foreign_folder_ends_the_command_with_its_status_and_no_trace(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "thesis.odt").write_text("")
    monkeypatch.setenv("SIGILLO_DATA_DIR", str(tmp_path))
    assert main(["run"]) == FolderRefused.exit_code
    shown = capsys.readouterr().err
    assert "non sono di Sigillo" in shown
    assert "Traceback" not in shown


def test_invented_people_have_possible_tax_codes_and_differ() -> None:
    codes = {parse_tax_code(person.tax_code) for person in population.PEOPLE}
    codes |= {parse_tax_code(colleague.tax_code) for colleague in STAFF}
    assert len(codes) == len(population.PEOPLE) + len(STAFF)
    contacts = [population._contacts(person, number) for number, person in enumerate(population.PEOPLE)]
    assert len({each.mobile for each in contacts}) == len({each.email for each in contacts}) == len(contacts)


def test_the_old_pair_lives_three_years_to_the_second() -> None:
    at = datetime(2026, 2, 4, 10, 0, 0, 7, tzinfo=UTC)
    life = population._old_life(at, 25)
    assert life.not_after == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    assert life.not_before == datetime(2023, 3, 1, 10, 0, tzinfo=UTC)


def test_a_pair_that_ends_on_a_leap_day_began_on_the_day_before() -> None:
    life = population._old_life(datetime(2028, 2, 4, tzinfo=UTC), 25)
    assert (life.not_before.month, life.not_before.day) == (2, 28)


def test_the_directions_tell_everything_a_visitor_needs(installation: Installation) -> None:
    installation.make_secrets(database_exists=False)
    installation.make_staff_secrets(NAMES)
    installation.make_missing(OUTSIDE_MAKERS)
    installation.addresses["SIGILLO_BASE_URL"] = "http://localhost:8001"
    demo = Demo(installation, Stack(installation, print), Supervisor(say=print), print)
    now = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    shown = "\n".join(directions(demo, now))
    secret = installation.secret("operator-totp")
    wanted = [
        "http://localhost:8001/",
        "operatore@example.org",
        installation.secret("operator-password"),
        totp.code_at(secret, now),
        "responsabile@example.org",
        installation.secret("manager-password"),
        "config.demo code",
        str(installation.mails),
        "Ctrl-C",
    ]
    assert [text for text in wanted if text not in shown] == []


@pytest.mark.parametrize("line", ["Altra carta", "Codici dopo", "Altri ruoli"])
def test_the_commands_that_are_shown_start_from_any_folder(installation, tmp_path, monkeypatch, line) -> None:
    installation.make_secrets(database_exists=False)
    installation.make_staff_secrets(NAMES)
    installation.make_missing(OUTSIDE_MAKERS)
    installation.addresses["SIGILLO_BASE_URL"] = "http://localhost:9"
    monkeypatch.setenv("SIGILLO_DATA_DIR", os.path.relpath(installation.data.path))
    demo = Demo(installation, Stack(installation, print), Supervisor(say=print), print)
    shown = directions(demo, datetime(2026, 11, 2, 12, 0, tzinfo=UTC))
    (command,) = [text.removeprefix(line).strip() for text in shown if text.startswith(line)]
    elsewhere = tmp_path / "an other folder"
    elsewhere.mkdir()
    bare = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "SIGILLO_DATA_DIR"}}

    ended = subprocess.run(["sh", "-c", command], cwd=elsewhere, env=bare, check=False, capture_output=True, text=True)

    assert "No module named" not in ended.stderr
    if line == "Altra carta":
        assert "usage:" not in ended.stderr  # it looks for its card, which nobody has made here
    else:
        assert ended.returncode == 0, ended.stderr
        assert "responsabile@example.org" in ended.stdout


def test_an_older_installation_gets_the_secrets_of_people_who_came_later(installation: Installation) -> None:
    installation.make_secrets(database_exists=False)
    installation.make_staff_secrets(["operator"])
    before = installation.secret("operator-password")

    installation.make_secrets(database_exists=True)
    installation.make_staff_secrets(NAMES)

    assert installation.secret("operator-password") == before
    assert installation.secret("second-root-totp")
