"""Where unix sockets may lie: their whole path is limited to 107 bytes, and a clone can lie deeper than that."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from runtime.embedded.accounts import Account

LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path without its closing zero byte, unix(7)
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"


def socket_folder(data: Path, account: Account) -> Path:
    """Return a private folder (0700, of `account`) for the sockets of the services whose data lies in `data`.

    It lies in `data` where the limit allows, else in the system's temporary folder under a name derived from `data`,
    so that the next start uses the same one.
    """
    near = data / "run"
    if len(os.fsencode(str(near) + LONGEST_SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return account.own(near, mode=0o700)
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    far = Path("/tmp", f"sigillo-{os.geteuid()}-{digest}")  # noqa: S108 - checked below: ours, private, no link
    try:
        far.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(far, account):
            far = Path(tempfile.mkdtemp(prefix="sigillo-", dir="/tmp"))
    return account.own(far, mode=0o700)


def free_port(preferred: int, *, host: str = "127.0.0.1", tries: int = 100) -> int:
    """Return `preferred` or the next TCP port that nobody holds on `host`; raise `OSError` after `tries` taken ones."""
    for port in range(preferred, preferred + tries):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {preferred} and {preferred + tries - 1} on {host}")


class HeldPort:
    """A TCP port that is ours from its choice until our server binds it.

    Without it two starts at the same time choose the same port, and servers that share ports (SO_REUSEPORT, Granian's)
    then answer for each other in silence.
    """

    def __init__(self, preferred: int, *, host: str = "127.0.0.1", tries: int = 100) -> None:
        """Take `preferred` or the next port that nobody holds; raise `OSError` after `tries` taken ones."""
        for number in range(preferred, preferred + tries):
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind((host, number))
                held.listen(0)  # one that is only bound can be bound again, SO_REUSEADDR being set on both
            except OSError:
                held.close()
                continue
            self.number, self._held = number, held
            return
        raise OSError(f"no free port between {preferred} and {preferred + tries - 1} on {host}")

    def release(self) -> None:
        """Give it free, right before our server binds it; may be called again."""
        self._held.close()

    def __del__(self) -> None:
        """A start that failed holds nothing any longer."""
        if hasattr(self, "_held"):
            self._held.close()


def _is_private(folder: Path, account: Account) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid in {account.uid, os.geteuid()} and found.st_mode & 0o077 == 0
