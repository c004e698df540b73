"""A program for the tests: supervises real services in the folder named first, and writes down their process numbers.

Further arguments are commands of programs to supervise besides, one shell line each.
"""

import json
import sys
from functools import partial
from pathlib import Path

from runtime.embedded.accounts import service_account
from runtime.embedded.binaries import find_postgres, find_valkey
from runtime.embedded.errors import EmbeddedError
from runtime.embedded.folder import DataFolder
from runtime.embedded.postgres import THROWAWAY, PostgresServer, cluster_version
from runtime.embedded.processes import Child, start_child
from runtime.embedded.sockets import socket_folder
from runtime.embedded.supervisor import Service, StopRequested, Supervisor
from runtime.embedded.valkey import ValkeyServer

SAY = partial(print, flush=True)


def keep(path: Path, commands: list[str]) -> None:
    """Start the services, say `ready`, and watch until asked to stop."""
    account = service_account()
    data = DataFolder.open(path, account)
    logs, sockets, copies = data.private("logs"), socket_folder(path, account), path / "programs"
    cluster = path / "postgres"
    programs = find_postgres(major=cluster_version(cluster)).reachable_by(account, copies=copies)
    broker = find_valkey().reachable_by(account, copies=copies)
    postgres = PostgresServer(programs, cluster, sockets, account, logs / "postgres.log", THROWAWAY)
    valkey = ValkeyServer(broker, path / "valkey", sockets, account, logs / "valkey.log")
    with Supervisor(say=SAY) as supervisor:
        services = [Service("postgres", postgres.start), Service("valkey", valkey.start)]
        for number, command in enumerate(commands):
            services.append(Service(f"program-{number}", partial(_program, number, command, logs)))
        for service in services:
            supervisor.start(service)
        (path / "pids").write_text(json.dumps([child.process.pid for child in supervisor._running()]))
        SAY("ready", "new" if data.is_new else "found", sockets)
        supervisor.watch()


def _program(number: int, command: str, logs: Path) -> Child:
    return start_child(f"program-{number}", ["/bin/sh", "-c", command], log=logs / f"program-{number}.log")


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]), sys.argv[2:])
    except StopRequested:
        SAY("stopped")
    except EmbeddedError as error:
        SAY(error)
        sys.exit(error.exit_code)
