"""What a holder sets once: server, language, proxy, debug log; one small file in the folder of this user.

A password is never among it: it lies in the system's keyring, behind the `Keyring` port, or is asked for each time.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from cardclient.errors import ClientError
from cardclient.secret import Secret

LOG = logging.getLogger("cardclient.preferences")
SHIPPED = "server.txt"  # beside this module, in a bundle only: the address it was built for (packaging/server.py)
LANGUAGES = ("it", "en")
FOLDER, FILE, ASIDE = "Sigillo", "preferences.json", "preferences.damaged.json"
LARGEST_FILE = 64 * 1024


class PreferencesUnsaved(ClientError):
    """The file could not be written (full disk, read-only folder); what was there before is still there."""

    code = "preferences-unsaved"


class ProxyKind(enum.StrEnum):
    """How the client reaches the server."""

    NONE = "none"
    SYSTEM = "system"
    HTTP = "http"
    SOCKS4 = "socks4"
    SOCKS5 = "socks5"
    NTLM = "ntlm"

    @property
    def is_manual(self) -> bool:
        """Tell whether host and port are the holder's own."""
        return self not in {ProxyKind.NONE, ProxyKind.SYSTEM}


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """The proxy as set; host, port and username count for manual kinds only, `ask_each_time` for every kind."""

    kind: ProxyKind = ProxyKind.SYSTEM
    host: str = ""
    port: int = 0
    username: str = ""
    ask_each_time: bool = False

    @property
    def problem(self) -> str | None:
        """Return the code of what is missing before this choice can be used, or None."""
        if not self.kind.is_manual:
            return None
        if not self.host or any(mark in self.host for mark in "/@? \t"):
            return "proxy-host-wrong"
        return None if 0 < self.port < 65536 else "proxy-port-wrong"


@dataclass(frozen=True, slots=True)
class Preferences:
    """All settings; the defaults are what a first start uses. `server` is empty where nobody has named one."""

    server: str = ""
    language: str = "it"
    proxy: ProxyChoice = field(default_factory=ProxyChoice)
    debug_log: bool = False


class Keyring(Protocol):
    """Where passwords rest between runs. Nothing here raises: a keyring that is absent or locked holds nothing."""

    @property
    def available(self) -> bool:
        """Tell whether a password can be kept at all; if not, it is asked for each time."""

    def read(self, account: str) -> Secret | None:
        """Return the password of an account (`user@host:port`), or None."""

    def write(self, account: str, password: Secret) -> bool:
        """Keep a password; False when it was not kept."""

    def forget(self, account: str) -> None:
        """Remove an account's password, if there is one."""


class Store:
    """The settings' file. Keys of other versions survive a save; a damaged file is put aside, and `notice` says so."""

    def __init__(self, folder: Path, shipped: str | None = None) -> None:
        """Use a folder, made at the first save; `shipped` is the server of who has set none (the bundle's)."""
        self._folder = folder
        self._shipped = shipped_server() if shipped is None else shipped
        self.notice: str | None = None  # "preferences-damaged" after a load that found the file unreadable

    @property
    def path(self) -> Path:
        """Where the settings lie."""
        return self._folder / FILE

    def load(self) -> Preferences:
        """Read the settings; what is missing or senseless has its default. Never raises."""
        self.notice = None
        try:
            return _preferences(_read(self.path), self._shipped)
        except FileNotFoundError:
            return Preferences(server=self._shipped)
        except (OSError, ValueError):
            LOG.warning("the preferences are unreadable and were put aside")
            self.notice = "preferences-damaged"
            with contextlib.suppress(OSError):
                self.path.replace(self._folder / ASIDE)
            return Preferences(server=self._shipped)

    def save(self, preferences: Preferences) -> None:
        """Replace the settings in one move, readable by this user only; raises PreferencesUnsaved.

        The shipped server is not written down, so that a later bundle may name another one.
        """
        try:
            known: dict[str, Any] = _read(self.path)
        except (OSError, ValueError):
            known = {}
        proxy = known.get("proxy")
        content = {
            **known,
            "server": preferences.server,
            "language": preferences.language,
            "debug_log": preferences.debug_log,
            "proxy": {**(proxy if isinstance(proxy, dict) else {}), **_proxy_facts(preferences.proxy)},
        }
        if preferences.server == self._shipped:
            del content["server"]
        try:
            _write(self.path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        except OSError as problem:
            LOG.warning("the preferences were not saved: %s", type(problem).__name__)
            raise PreferencesUnsaved from None


def shipped_server() -> str:
    """Return the address that this bundle was built for; empty when running from source."""
    try:
        return (resources.files("cardclient") / SHIPPED).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def user_folder(
    system: str = sys.platform, environment: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Return this user's folder: %APPDATA%, ~/Library/Application Support, or XDG_CONFIG_HOME where absolute."""
    home = home or Path.home()
    if system == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / FOLDER
    if system == "darwin":
        return home / "Library" / "Application Support" / FOLDER
    named = environment.get("XDG_CONFIG_HOME", "")
    return (Path(named) if Path(named).is_absolute() else home / ".config") / FOLDER.lower()


def _read(path: Path) -> dict[str, Any]:
    """Read one JSON object; ValueError for anything else (UnicodeDecodeError and JSONDecodeError are such)."""
    with path.open("rb") as source:
        content = json.loads(source.read(LARGEST_FILE).decode("utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of failure for every damaged file
    return content


def _write(path: Path, text: str) -> None:
    """Write beside and move over: a crash leaves the old file or the new one, never half of one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=".preferences-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        Path(beside).replace(path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise


def _preferences(content: Mapping[str, Any], shipped: str) -> Preferences:
    """Take each known key whose value makes sense."""
    defaults = Preferences()
    server, language = content.get("server"), content.get("language")
    return Preferences(
        server=server if isinstance(server, str) and server else shipped,
        language=language if language in LANGUAGES else defaults.language,
        proxy=_proxy(content.get("proxy")),
        debug_log=content.get("debug_log") is True,
    )


def _proxy(content: Any) -> ProxyChoice:
    """Read the proxy; one that cannot be used counts as the system's, which is the default."""
    if not isinstance(content, dict) or content.get("kind") not in list(ProxyKind):
        return ProxyChoice()
    host, port, username = content.get("host"), content.get("port"), content.get("username")
    choice = ProxyChoice(
        kind=ProxyKind(content["kind"]),
        host=host if isinstance(host, str) else "",
        port=port if type(port) is int else 0,
        username=username if isinstance(username, str) else "",
        ask_each_time=content.get("ask_each_time") is True,
    )
    return replace(choice, kind=ProxyKind.SYSTEM) if choice.problem else choice


def _proxy_facts(choice: ProxyChoice) -> dict[str, Any]:
    return {
        "kind": choice.kind.value,
        "host": choice.host,
        "port": choice.port,
        "username": choice.username,
        "ask_each_time": choice.ask_each_time,
    }
