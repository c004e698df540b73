"""The account that the database and the broker run under: never root, as PostgreSQL refuses it."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.embedded.errors import FolderRefused, ProgramMissing

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of the system by name and numbers; `switches` says whether starting under it needs a change of user."""

    name: str
    uid: int
    gid: int
    switches: bool

    def popen_options(self) -> dict[str, Any]:
        """Return the arguments of `subprocess.Popen` that start a process under this account, where it may be."""
        if not self.switches:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path, *, mode: int) -> Path:
        """Create the folder `path` if it is missing, give it to this account and set its mode."""
        path.mkdir(parents=True, exist_ok=True)
        if self.switches:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path

    def can_read(self, path: Path) -> bool:
        """Tell whether this account reaches and reads `path` (it may be able to run it too, if it is a program)."""
        if not self.switches:
            return os.access(path, os.R_OK)
        tried = subprocess.run(
            ["/bin/sh", "-c", 'test -r "$1"', "sh", str(path)], check=False, capture_output=True, **self.popen_options()
        )
        return tried.returncode == 0

    def require_reach(self, folder: Path) -> None:
        """Raise `FolderRefused` when this account cannot enter `folder`, which exists."""
        if not self.can_read(folder / "."):
            raise FolderRefused(
                f"La cartella {folder} non è raggiungibile dall'utente di servizio «{self.name}»: "
                "scegliere un'altra cartella con SIGILLO_DATA_DIR, per esempio /var/lib/sigillo.",
                f"The folder {folder} is out of reach for the service account '{self.name}': "
                "choose another one with SIGILLO_DATA_DIR, for example /var/lib/sigillo.",
            )


def service_account() -> Account:
    """Return the present user, or for root the first of `postgres` and `nobody` that exists."""
    if os.geteuid() != 0:
        return Account(name=_present_name(), uid=os.geteuid(), gid=os.getegid(), switches=False)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switches=True)
    raise ProgramMissing(
        "PostgreSQL non può girare come root e sul sistema non esiste né l'utente «postgres» né «nobody».",
        "PostgreSQL cannot run as root, and this system has neither a user 'postgres' nor 'nobody'.",
    )


def _present_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.geteuid())
