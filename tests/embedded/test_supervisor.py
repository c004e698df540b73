"""The supervisor over real services: what it starts it also ends, whatever happens to itself."""

import json
import os
import signal
from collections.abc import Callable

import psycopg

from runtime.embedded.processes import command_of
from tests.embedded.conftest import Keeper

Wait = Callable[[Callable[[], bool]], None]


def pids(keeper: Keeper) -> list[int]:
    return list(json.loads((keeper.folder / "pids").read_text()))


def none_runs(numbers: list[int]) -> bool:
    return not any(command_of(number) for number in numbers)


def test_sigterm_stops_everything(keeper: Keeper) -> None:
    assert keeper.start("exec sleep 600").startswith("ready new")
    running = pids(keeper)
    assert all(command_of(number) for number in running)
    status, shown = keeper.end(signal.SIGTERM)
    assert (status, shown.strip()) == (0, "stopped")
    assert none_runs(running)


def test_ctrl_c_stops_everything(keeper: Keeper) -> None:
    keeper.start("exec sleep 600")
    running = pids(keeper)
    assert keeper.end(signal.SIGINT)[0] == 0
    assert none_runs(running)


def test_a_supervisor_killed_by_force_leaves_no_orphan(keeper: Keeper, wait_for: Wait) -> None:
    keeper.start("exec sleep 600")
    running = pids(keeper)
    keeper.end(signal.SIGKILL)
    wait_for(lambda: none_runs(running))
    assert not (keeper.folder / "postgres" / "postmaster.pid").exists()


def test_a_second_start_finds_the_data_of_the_first(keeper: Keeper) -> None:
    sockets = keeper.start().split()[2]
    with psycopg.connect(host=sockets, user="sigillo_owner", dbname="sigillo", autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    keeper.end(signal.SIGTERM)
    assert keeper.start().startswith("ready found")
    with psycopg.connect(host=sockets, user="sigillo_owner", dbname="sigillo") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_start_after_a_kill_by_force_finds_the_data(keeper: Keeper) -> None:
    keeper.start()
    database = pids(keeper)[0]
    os.kill(database, signal.SIGKILL)  # as after a power cut: the pid file stays
    keeper.end(signal.SIGKILL)
    assert keeper.start().startswith("ready found")


def test_a_service_that_dies_is_reported_and_started_again(keeper: Keeper) -> None:
    keeper.start("echo once; exit 3")
    reported = keeper.line()
    assert "«program-0» si è fermato (stato 3)" in reported


def test_a_database_that_dies_comes_back(keeper: Keeper, wait_for: Wait) -> None:
    sockets = keeper.start().split()[2]
    os.kill(pids(keeper)[0], signal.SIGQUIT)

    def answers() -> bool:
        try:
            with psycopg.connect(host=sockets, user="sigillo_owner", dbname="sigillo"):
                return True
        except psycopg.OperationalError:
            return False

    assert "«postgres» si è fermato" in keeper.line()
    wait_for(answers)


def test_what_a_program_has_started_ends_with_it(keeper: Keeper, wait_for: Wait) -> None:
    note = keeper.folder.parent / "grandchild"
    keeper.start(f"sleep 600 & echo $! > {note}; wait")
    wait_for(lambda: note.exists() and bool(note.read_text().strip()))
    grandchild = int(note.read_text())
    keeper.end(signal.SIGTERM)
    wait_for(lambda: none_runs([grandchild]))
