"""OpenSSL as a CA: its folder with key, certificate and index of certificates, for `openssl ca` and `openssl ocsp`."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIGURATION = """
[ca]
default_ca = ours
[ours]
database = index.txt
crlnumber = number
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 1
"""
_KEYS = {"rsa-2048": "rsa:2048", "rsa-4096": "rsa:4096", "p-256": "ec -pkeyopt ec_paramgen_curve:P-256"}


def prepare_openssl(folder: Path, size: int, key_type: str) -> None:
    """Make the CA, and list `size` revoked certificates under the numbers of `benchmarks.ledger`."""
    (folder / "ca.cnf").write_text(_CONFIGURATION)
    (folder / "number").write_text("01\n")
    now = datetime.now(tz=UTC)
    expiry, revoked = (f"{instant:%y%m%d%H%M%SZ}" for instant in (now + timedelta(days=900), now))
    with (folder / "index.txt").open("w") as index:
        for number in range(size):
            serial = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest().upper()
            index.write(f"R\t{expiry}\t{revoked},cessationOfOperation\t40000000{serial}\tunknown\t/CN={number}\n")
    command = f"openssl req -x509 -nodes -subj /CN=Peer -days 3650 -newkey {_KEYS[key_type]} -keyout ca.key -out ca.pem"
    subprocess.run(command.split(), cwd=folder, check=True, stderr=subprocess.DEVNULL)
