"""The compose file starts: each of our services, with exactly its command and environment, becomes healthy.

No container engine is needed. Only what names another machine or a fixed place is mapped: host names, port 8000, the
folder /run/sigillo, and the programs `python`, `granian` and `celery` to those of this environment.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from runtime.embedded.accounts import service_account
from runtime.embedded.binaries import find_postgres, find_redis
from runtime.embedded.postgres import THROWAWAY, PostgresServer
from runtime.embedded.processes import Child, start_child
from runtime.embedded.sockets import free_port
from runtime.embedded.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
BIN = Path(sys.executable).parent
OPERATOR = {
    "SIGILLO_HOST": "sigillo.example.org",
    "SIGILLO_PKI_HOST": "pki.example.org",
    "SIGILLO_SECRET_KEY": secrets.token_urlsafe(48),
    "SIGILLO_SEALING_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
    "SIGILLO_DB_PASSWORD": "app-password",
    "SIGILLO_DB_MIGRATOR_PASSWORD": "migrator-password",
    "SIGILLO_DB_SUPERUSER_PASSWORD": "superuser-password",
    "SIGILLO_SMTP_HOST": "mail.example.org",
    "SIGILLO_FROM_EMAIL": "sigillo@example.org",
}
PATIENCE = 120


def interpolated(value: str) -> str:
    """Fill in `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as the operator's `.env` would."""

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found[1], found[2], found[3]
        if OPERATOR.get(name):
            return OPERATOR[name]
        assert kind == ":-", f"{name} is not filled in: {rest}"
        return rest

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", fill, value)


@dataclass
class Stack:
    """Real servers in the places of the official images, and a way to run our services beside them."""

    folder: Path
    mapped: dict[str, str]
    children: list[Child] = field(default_factory=list)

    def environment(self, name: str) -> dict[str, str]:
        declared = {key: self.local(interpolated(value)) for key, value in OURS[name]["environment"].items()}
        return {"PATH": f"{BIN}:{os.defpath}", **declared}

    def local(self, text: str) -> str:
        return self.mapped.get(text) or text.replace("8000", self.mapped["8000"]).replace(
            "/run/sigillo", self.mapped["/run/sigillo"]
        )

    def command(self, name: str) -> list[str]:
        program, *rest = [self.local(interpolated(part)) for part in OURS[name]["command"]]
        return [str(BIN / program), *rest]

    def finish(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a one-shot service to its end."""
        return subprocess.run(
            self.command(name),
            cwd=ROOT,
            env=self.environment(name),
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def start(self, name: str) -> Child:
        child = start_child(
            name, self.command(name), folder=ROOT, environment=self.environment(name), log=self.folder / f"{name}.log"
        )
        self.children.append(child)
        return child

    def is_healthy(self, name: str) -> bool:
        kind, program, *rest = OURS[name]["healthcheck"]["test"]
        assert kind == "CMD"
        checked = subprocess.run(
            [BIN / program, *[self.local(part) for part in rest]],
            cwd=ROOT,
            env=self.environment(name),
            check=False,
            capture_output=True,
        )
        return checked.returncode == 0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL with exactly the roles of deploy/roles.sql, Redis, and the two one-shot services run."""
    account = service_account()
    folder = tmp_path_factory.mktemp("compose")
    for parent in (folder, *folder.parents):
        if parent.name.startswith("pytest-"):
            parent.chmod(0o711)
    folder.chmod(0o711)
    sockets = account.own(Path(tempfile.mkdtemp(prefix="sgc", dir="/tmp")), mode=0o700)
    programs = find_postgres().reachable_by(account, copies=folder / "programs")
    postgres = PostgresServer(
        programs, folder / "db", sockets, account, folder / "db.log", THROWAWAY, superuser="postgres"
    )
    redis = find_redis().reachable_by(account, copies=folder / "programs")
    valkey = ValkeyServer(redis, folder / "redis", sockets, account, folder / "redis.log")
    stack = Stack(
        folder,
        {
            "database": str(sockets),
            "redis://redis:6379/0": valkey.url,
            "mail.example.org": "127.0.0.1",
            "8000": str(free_port(18000)),
            "/run/sigillo": str(folder / "heartbeats"),
        },
    )
    try:
        stack.children += [postgres.start(), valkey.start()]
        _make_roles(programs.folder / "psql", sockets)
        for name in ("prepare", "ceremony", "issuers"):
            done = stack.finish(name)
            assert done.returncode == 0, done.stdout + done.stderr
        yield stack
    finally:
        for child in reversed(stack.children):
            child.stop()
        sockets.rmdir()


def _make_roles(psql: Path, sockets: Path) -> None:
    """Do what the database's image does with files in docker-entrypoint-initdb.d."""
    declared = SERVICES["database"]["environment"]
    environment = {key: interpolated(value) for key, value in declared.items() if key.startswith("SIGILLO_")}
    subprocess.run(
        [psql, "--host", sockets, "--username", "postgres", "--dbname", "sigillo", "--file", ROOT / "deploy/roles.sql"],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )


def wait_until_healthy(stack: Stack, name: str, child: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while not stack.is_healthy(name):
        assert child.is_running, child.last_words()
        assert time.monotonic() < deadline, child.last_words()
        time.sleep(0.3)


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if "healthcheck" in service])
def test_the_service_becomes_healthy_and_stops_when_asked(stack: Stack, name: str) -> None:
    assert not stack.is_healthy(name)
    child = stack.start(name)
    wait_until_healthy(stack, name, child)
    assert child.stop(timeout=30) in {0, -signal.SIGTERM}, child.last_words()


@pytest.mark.parametrize("name", ["prepare", "ceremony", "issuers"])
def test_a_one_shot_service_can_run_again(stack: Stack, name: str) -> None:
    done = stack.finish(name)
    assert done.returncode == 0, done.stderr


def test_the_application_s_login_owns_nothing(stack: Stack) -> None:
    with psycopg.connect(host=stack.mapped["database"], user="sigillo_app", dbname="sigillo") as connection:
        owned = connection.execute("SELECT count(*) FROM pg_tables WHERE tableowner = 'sigillo_app'").fetchone()
        assert owned == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")


def test_servers_of_others_come_from_official_images() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert images == {"database": "postgres:17", "redis": "redis:7", "proxy": "caddy:2"}


def test_only_the_proxy_listens_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("database", "redis"))
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_every_service_that_stays_has_a_health_check_and_every_other_runs_to_its_end() -> None:
    one_shot = {name for name, service in SERVICES.items() if service["restart"] == "on-failure"}
    assert one_shot == {"prepare", "ceremony", "issuers"}
    assert all(("healthcheck" in service) != (name in one_shot) for name, service in SERVICES.items())


def test_no_secret_has_a_default() -> None:
    secrets_named = set(
        re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|SEALING)\w*):-[^}]", (ROOT / "docker-compose.yml").read_text())
    )
    assert secrets_named == set()


def test_the_example_names_every_variable_and_fills_in_no_secret() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    lines = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "deploy/example.env").read_text(), re.MULTILINE))
    assert set(lines) == wanted
    assert not [name for name, value in lines.items() if value and re.search("PASSWORD|SECRET|SEALING", name)]


def test_mounted_and_copied_files_exist() -> None:
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    copied = re.findall(r"^COPY (?!--)(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in [*[name for name in mounted if name.startswith("./")], *copied]:
        assert (ROOT / name).exists(), name


def test_the_image_installs_hashed_requirements_and_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["sigillo"]


def test_the_image_holds_the_packages_that_the_settings_name() -> None:
    copied = set(re.findall(r"^COPY (\w+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert {"config", "renewals", "smime", "cms", "notifications", "authority", "pki", "runtime"} <= copied
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{name}\n" in ignored for name in copied)
