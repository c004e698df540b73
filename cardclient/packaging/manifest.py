"""Pack a built folder and tell what was built: `client.json`, which the download page reads."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from cardclient import __version__

MOST_MEGABYTES = 150
"""A folder that is larger is refused: something came in that nobody uses."""
SYSTEMS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}


class TooLarge(ValueError):
    """The folder is over its budget."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack `FOLDER/sigillo` into an archive beside it and write or renew `FOLDER/client.json`."""
    (folder,) = map(Path, sys.argv[1:] if arguments is None else arguments)
    megabytes = size_of(folder / "sigillo") / 1_048_576
    print(f"folder: {megabytes:.0f} MB of {MOST_MEGABYTES}")
    if megabytes > MOST_MEGABYTES:
        raise TooLarge
    packed = pack(folder)
    write_manifest(folder, packed)
    print(f"{packed.name}: {packed.stat().st_size / 1_048_576:.0f} MB")
    return 0


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; what is linked counts once."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink())


def pack(folder: Path) -> Path:
    """Make the archive that is offered: zip on Windows, tar.gz elsewhere, which keeps what may be executed."""
    kind = "zip" if sys.platform == "win32" else "gztar"
    return Path(shutil.make_archive(str(folder / f"sigillo-{__version__}-{system()}"), kind, folder, "sigillo"))


def write_manifest(folder: Path, packed: Path) -> None:
    """Name the archive with size and SHA-256; files of other systems and the same version stay named."""
    manifest = folder / "client.json"
    known = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    others = [each for each in known.get("files", []) if known["version"] == __version__ and each["system"] != system()]
    content = packed.read_bytes()
    made = {
        "system": system(),
        "name": packed.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    told = {"version": __version__, "files": sorted([*others, made], key=lambda each: str(each["system"]))}
    manifest.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def system() -> str:
    """Which system this is, as the download page names it: `linux-x64`, `windows-x64`, `macos`."""
    name = SYSTEMS[platform.system()]
    return name if name == "macos" else f"{name}-x64"


if __name__ == "__main__":
    sys.exit(main())
