"""The data folder of an installation: recognised by a marker, locked while in use, never overwritten when foreign."""

import fcntl
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded.accounts import Account
from runtime.embedded.errors import FolderRefused

DATA_DIR = "SIGILLO_DATA_DIR"
MARKER = "sigillo-data"
MARKER_TEXT = "Sigillo data folder, layout 1\n"
ROOT_FOLDER = Path("/var/lib/sigillo")


def default_folder(project: Path) -> Path:
    """Return where an installation keeps its data: `SIGILLO_DATA_DIR`, else /var/lib/sigillo for root, else `var/`."""
    named = os.environ.get(DATA_DIR)
    if named:
        return Path(named).absolute()
    return ROOT_FOLDER if os.geteuid() == 0 else project / "var"


@dataclass
class DataFolder:
    """An opened data folder; `is_new` says that this start has created it. Holds the lock until closed."""

    path: Path
    account: Account
    is_new: bool
    _lock: int

    @classmethod
    def open(cls, path: Path, account: Account) -> "DataFolder":
        """Open or create the folder and lock it.

        Raises `FolderRefused`, having changed nothing, when it holds other people's files or another layout, belongs
        to another user, is in use, or lies where the service account cannot reach it.
        """
        is_new = _require_own_or_empty(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_make(path, error) from error
        path.chmod(0o711 if account.switches else 0o700)  # the service account passes through, and sees nothing
        account.require_reach(path) if not account.switches else _require_passage(path, account)
        lock = _locked(path)
        (path / MARKER).write_text(MARKER_TEXT)
        return cls(path=path, account=account, is_new=is_new, _lock=lock)

    def private(self, name: str) -> Path:
        """Return a sub-folder that only we see (keys, mails, logs): mode 0700."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        return folder

    def serviced(self, name: str) -> Path:
        """Return a sub-folder owned by the service account: mode 0700."""
        return self.account.own(self.path / name, mode=0o700)

    def close(self) -> None:
        """Give the folder free for the next start."""
        os.close(self._lock)


def _require_own_or_empty(path: Path) -> bool:
    """Raise `FolderRefused` unless `path` is missing, empty or ours; return whether it is to be created."""
    try:
        names = {entry.name for entry in path.iterdir()}
    except FileNotFoundError:
        return True
    except NotADirectoryError as error:
        raise _foreign(path) from error
    except PermissionError as error:
        raise _not_ours(path) from error
    if not names:
        return True
    if MARKER not in names:
        raise _foreign(path)
    if path.stat().st_uid != os.geteuid():
        raise _not_ours(path)
    if (path / MARKER).read_text(errors="replace") != MARKER_TEXT:
        raise FolderRefused(
            f"La cartella {path} è di un'altra versione di Sigillo: non è stata modificata.",
            f"The folder {path} belongs to another version of Sigillo; it was not changed.",
        )
    return False


def _require_passage(path: Path, account: Account) -> None:
    """Check with a folder inside, as `path` itself lets the service account pass but not look."""
    inner = account.own(path / "run", mode=0o700)
    account.require_reach(inner)


def _locked(path: Path) -> int:
    handle = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 20).decode(errors="replace").strip()
        os.close(handle)
        raise FolderRefused(
            f"La cartella {path} è già in uso da un altro avvio di Sigillo (processo {holder}).",
            f"The folder {path} is in use by another run of Sigillo (process {holder}).",
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def _foreign(path: Path) -> FolderRefused:
    return FolderRefused(
        f"La cartella {path} contiene file che non sono di Sigillo: non è stata modificata. "
        f"Indicarne un'altra con {DATA_DIR}.",
        f"The folder {path} holds files that are not Sigillo's; it was not changed. Name another one with {DATA_DIR}.",
    )


def _cannot_make(path: Path, error: OSError) -> FolderRefused:
    return FolderRefused(
        f"La cartella {path} non si può creare ({error.strerror}). Indicarne un'altra con {DATA_DIR}.",
        f"The folder {path} cannot be made ({error.strerror}). Name another one with {DATA_DIR}.",
    )


def _not_ours(path: Path) -> FolderRefused:
    return FolderRefused(
        f"La cartella {path} appartiene a un altro utente del sistema: non è stata modificata. "
        f"Avviare con lo stesso utente o indicarne un'altra con {DATA_DIR}.",
        f"The folder {path} belongs to another user of this system; it was not changed. "
        f"Start as the same user or name another one with {DATA_DIR}.",
    )


assert sys.platform != "win32"  # noqa: S101 - tells the type checker that fcntl and flock exist
