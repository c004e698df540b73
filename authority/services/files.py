"""CRLs and CA certificates as files, for a web server that serves them without asking us. The row stays the truth.

A file is replaced only by a list that was read back, whose signature verifies, and whose number is higher: also after a
restored backup or with a second worker at the same folder, no relying party sees a list that it had left behind.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import structlog
from cryptography import x509
from django.conf import settings
from django.db import DatabaseError

from authority import queries
from authority.errors import CrlDamaged, CrlSuperseded, KeyUnusable
from authority.models import CertificationAuthority, Crl
from authority.signer import public_key_of, require_signature
from pki import crl_entries
from pki.assembly import taken_apart
from runtime.files import Disk, alone_in, replace

log = structlog.get_logger(__name__)


class PublicFolder:
    """A folder laid out like our public addresses: `ca/cns.crt`, `crl/cns.crl`, `crl/cns/2026.crl`."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        """Name the folder; it is made when first written to."""
        self.folder = folder
        self._disk = disk or Disk()

    def number_of(self, crl: Crl) -> int:
        """Say the number of the list that lies here; 0 where none does."""
        return _number(self._path(crl.issuer.role, crl.year))

    def export(self) -> int:
        """Write what is published and does not lie here yet; returns how many files were written.

        One file that cannot be written stops no other; the first failure (`OSError`, `CrlDamaged`, `CrlSuperseded`) is
        raised at the end. While another process is at it there is nothing to do: it writes the same.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with alone_in(self.folder) as is_alone:
            return self._export() if is_alone else 0

    def _export(self) -> int:
        written, failures = 0, []
        authorities = {row.role: row for row in queries.authorities()}
        for row in authorities.values():
            written += self._write_certificate(row)
        for role, year, version in queries.crl_versions():
            try:
                written += self._write_list(authorities[role], year, version)
            except (OSError, CrlDamaged, CrlSuperseded, DatabaseError) as failure:
                log.exception("crl.not-exported", role=role, year=year, error=type(failure).__name__)
                failures.append(failure)
        if failures:
            raise failures[0]
        return written

    def _write_certificate(self, authority: CertificationAuthority) -> bool:
        path, der = self.folder / "ca" / f"{authority.role}.crt", bytes(authority.certificate)
        if path.exists() and path.read_bytes() == der:
            return False
        self._replace(path, der)
        return True

    def _write_list(self, authority: CertificationAuthority, year: int | None, version: queries.CrlVersion) -> bool:
        path = self._path(authority.role, year)
        number = _number(path)
        if number > version.number:
            raise CrlSuperseded(f"the file holds list {number}, newer than the published {version.number}")
        found = None if number == version.number else queries.crl_with_bytes(authority.role, year)
        if found is None:
            return False
        version, der = found
        _require_sound(der, version, authority)
        self._replace(path, der)
        return True

    def _path(self, role: str, year: int | None) -> Path:
        lists = self.folder / "crl"
        return lists / f"{role}.crl" if year is None else lists / role / f"{year}.crl"

    def _replace(self, path: Path, octets: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, octets, self._disk)


def public_folder() -> PublicFolder | None:
    """Give the folder that the installation names (`SIGILLO_CRL_FOLDER`), or None."""
    return PublicFolder(Path(settings.CRL_FOLDER)) if settings.CRL_FOLDER else None


def _require_sound(der: bytes, version: queries.CrlVersion, authority: CertificationAuthority) -> None:
    """Read the bytes as a relying party would, before it does; raises `CrlDamaged`."""
    if hashlib.sha256(der).digest() != version.sha256 or _number_in(der) != version.number:
        raise CrlDamaged(f"list {version.number} is not what was published")
    tbs, signature = taken_apart(der)
    try:
        require_signature(public_key_of(bytes(authority.key.spki)), hashlib.sha256(tbs).digest(), signature)
    except KeyUnusable:
        raise CrlDamaged(f"the signature of list {version.number} does not verify") from None


def _number(path: Path) -> int:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return 0
    return _number_of_file(path, facts.st_ino, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=256)
def _number_of_file(path: Path, _inode: int, _modified: int, _size: int) -> int:
    """Read a file once; each replacement gives another inode. What is no list counts as none, and is replaced."""
    return _number_in(path.read_bytes())


def _number_in(der: bytes) -> int:
    try:
        crl = x509.load_der_x509_crl(crl_entries.shortened(der))
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound):
        return 0
