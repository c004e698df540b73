"""The certificates of an import: a ZIP archive, or PEM, DER and PKCS #7 one after another.

Names of files mean nothing.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from cms.import_errors import ArchiveUnsafe, BundleUnreadable
from pki import x509
from pki.errors import PkiError
from pki.x509 import CertificateFacts

LARGEST_MEMBER = 256 * 1024
LARGEST_RATIO = 100
_ZIP = b"PK\x03\x04"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_NESTED = (_ZIP, b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_BEGIN = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CERTIFICATE|PKCS7|CMS)-----")
_SIGNED_DATA = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_SEQUENCE = 0x30
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True, repr=False)
class Bundle:
    """Certificates by fingerprint (SHA-256, hexadecimal), and how many pieces were none."""

    certificates: dict[str, CertificateFacts]
    unreadable: int


def read_bundle(content: bytes, *, most: int, most_bytes: int) -> Bundle:
    """Read every certificate, once each; at most so many pieces and unpacked bytes. Raises `FileRefused`."""
    found: dict[str, CertificateFacts] = {}
    pieces = unreadable = 0
    parts = _unpacked(content, most=most, most_bytes=most_bytes) if content.startswith(_ZIP) else iter([content])
    for part in parts:
        for der in _certificates(part):
            pieces += 1
            if pieces > most:
                raise ArchiveUnsafe(
                    f"Il file dei certificati ne contiene più di {most}: lo divida in più importazioni."
                )
            try:
                facts = x509.read_certificate(der)
            except PkiError:
                unreadable += 1
            else:
                found.setdefault(facts.fingerprint.hex(), facts)
    if not found:
        raise BundleUnreadable
    return Bundle(found, unreadable)


def _unpacked(content: bytes, *, most: int, most_bytes: int) -> Iterator[bytes]:
    """Unpack one level, never trusting what the archive says of itself: what is read is counted while it is read."""
    left = most_bytes
    # Counted before the library reads the directory: it would make an object of each of a million entries.
    if content.count(_DIRECTORY_ENTRY) > 2 * most:
        raise _too_many_files(most)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > most:
                raise _too_many_files(most)
            for member in members:
                unpacked = _read(archive, member)
                left -= len(unpacked)
                if left < 0:
                    raise ArchiveUnsafe
                yield unpacked
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BundleUnreadable from error


def _too_many_files(most: int) -> ArchiveUnsafe:
    return ArchiveUnsafe(f"L'archivio ZIP contiene più di {most} file: lo divida in più importazioni.")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise ArchiveUnsafe("L'archivio ZIP contiene file cifrati o compressi in un modo non ammesso.")
    if member.file_size > LARGEST_MEMBER or member.file_size > LARGEST_RATIO * max(member.compress_size, 1):
        raise ArchiveUnsafe
    with archive.open(member) as stream:
        unpacked = stream.read(LARGEST_MEMBER + 1)
    if len(unpacked) > LARGEST_MEMBER:
        raise ArchiveUnsafe
    if unpacked.startswith(_NESTED):
        raise ArchiveUnsafe("L'archivio ZIP contiene un altro archivio: carichi un archivio con i soli certificati.")
    return unpacked


def _certificates(part: bytes) -> Iterator[bytes]:
    """Cut a file into certificates (DER); what is none comes out as it is and is counted as unreadable."""
    if _BEGIN.search(part):
        yield from _of_pem(part)
    elif part[:1] == bytes([_SEQUENCE]):
        yield from _of_der(part)
    else:
        yield part[:64]


def _of_pem(text: bytes) -> Iterator[bytes]:
    position = 0
    while begin := _BEGIN.search(text, position):
        end_line = b"-----END " + begin[1] + b"-----"
        end = text.find(end_line, begin.end())
        if end < 0:
            return
        position = end + len(end_line)
        try:
            der = base64.b64decode(b"".join(text[begin.end() : end].split()), validate=True)
        except binascii.Error:
            yield b""
        else:
            yield from _of_pkcs7(der) if begin[1] in {b"PKCS7", b"CMS"} else iter([der])


def _of_der(content: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(content):
        length = _length(content, position)
        if length is None or position + length > len(content):
            yield content[position : position + 64]
            return
        piece = content[position : position + length]
        yield from _of_pkcs7(piece) if _SIGNED_DATA in piece[:32] else iter([piece])
        position += length


def _of_pkcs7(der: bytes) -> Iterator[bytes]:
    """Take the certificates out of a certs-only message; its signatures, if any, mean nothing here."""
    try:
        with warnings.catch_warnings(action="ignore"):  # the library complains of BER, which old exports are
            certificates = pkcs7.load_der_pkcs7_certificates(der)
    except Exception:  # noqa: BLE001 - the library names no closed list of exceptions
        yield b""
        return
    for certificate in certificates:
        yield certificate.public_bytes(Encoding.DER)


def _length(content: bytes, position: int) -> int | None:
    """Total length of the DER element that begins here; None for none."""
    header = content[position : position + 6]
    if len(header) < 2 or header[0] != _SEQUENCE:
        return None
    if header[1] < 0x80:
        return 2 + header[1]
    octets = header[1] & 0x7F
    if not 1 <= octets <= 4 or len(header) < 2 + octets:
        return None
    return 2 + octets + int.from_bytes(header[2 : 2 + octets])
