"""What a CRL must hold beyond the linter's rules; each entry is looked at, at the speed of a scan.

A list can hold a million entries, so nothing here copies it: parts are views of the bytes that were given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cryptography import x509

from pki import der
from pki.assertions import Finding

SHOWN_TO_THE_LINTER = 8
_REASONS = frozenset({1, 3, 4, 5, 6, 9})  # RFC 5280 §5.3.1: never unspecified (0), never removeFromCRL (8)
# SEQUENCE { SEQUENCE { reasonCode, OCTET STRING { ENUMERATED of one octet } } }, all but that octet.
_REASON_EXTENSION = bytes.fromhex("300c300a0603551d1504030a01")
_TIMES = frozenset({der.UTC_TIME, der.GENERALIZED_TIME})
# What `pki.assembly.crl_entry` makes of a serial number of 20 octets until 2049: all entries of our lists are like it.
_COMMON_ENTRY = (
    rb"\x30\x33\x02\x14[\x01-\x7f].{19}\x17\x0d[0-9]{12}Z" + re.escape(_REASON_EXTENSION) + rb"[\x01\x03-\x06\x09]"
)
_COMMON_LIST = re.compile(b"(?s:" + _COMMON_ENTRY + b")*+")
_CONTEXT_0 = 0xA0
_SMALLEST_DIGEST = 32


class _Layout(NamedTuple):
    """Where the list of entries lies: the parts of the TBSCertList around it, and the rest of the CRL."""

    before: memoryview
    entries: memoryview
    after: memoryview
    rest: memoryview


def findings(crl: bytes) -> Iterator[Finding]:
    """Check the form of all entries, and the extensions; `ValueError` for bytes that are no v2 CRL."""
    yield from _of_entries(_layout(crl).entries)
    yield from _of_extensions(x509.load_der_x509_crl(shortened(crl)))


def repetitions(crl: bytes) -> Iterator[Finding]:
    """Report each serial that is listed a second time."""
    serials: set[bytes] = set()
    for number, (serial, _suffix) in enumerate(_walked(_layout(crl).entries)):
        if serial in serials:
            yield Finding("crl-entry.serial-twice", str(number))
        serials.add(serial)


def shortened(crl: bytes) -> bytes:
    """Give the same CRL with the first few entries only (its signature fits no more), for slow readers."""
    layout = _layout(crl)
    end = 0
    for _ in range(SHOWN_TO_THE_LINTER):
        if end >= len(layout.entries):
            return bytes(crl)
        _, _, end = der.read(layout.entries, end, len(layout.entries))
    shown = der.tlv(der.SEQUENCE, layout.entries[:end])
    return der.sequence(der.sequence(layout.before, shown, layout.after), layout.rest)


def around(crl: bytes) -> tuple[bytes, bytes]:
    """Give what stands before a CRL's entries, and what stands after them."""
    layout = _layout(crl)
    after = len(layout.after) + len(layout.rest)
    return bytes(crl[: len(crl) - after - len(layout.entries)]), bytes(crl[len(crl) - after :])


def _layout(crl: bytes) -> _Layout:
    """Walk version, signature, issuer, thisUpdate, nextUpdate; then the entries, absent when nothing is revoked."""
    _, start, end = der.read(crl, 0, len(crl))
    _, tbs_start, tbs_end = der.read(crl, start, end)
    offset = tbs_start
    for expected in ({der.INTEGER}, {der.SEQUENCE}, {der.SEQUENCE}, _TIMES, _TIMES):
        tag, _, offset = der.read(crl, offset, tbs_end)
        if tag not in expected:
            raise ValueError("not a v2 CRL with nextUpdate")
    tag, content, after = der.read(crl, offset, tbs_end)
    view = memoryview(crl)
    listed, rest = (view[:0], offset) if tag == _CONTEXT_0 else (view[content:after], after)
    return _Layout(view[tbs_start:offset], listed, view[rest:tbs_end], view[tbs_end:end])


def _of_entries(entries: memoryview) -> Iterator[Finding]:
    """Report the first entry of another form than ours; a list of the common form costs a tenth of walking it."""
    if not _COMMON_LIST.fullmatch(entries):
        yield from _of_each_entry(entries)


def _of_each_entry(entries: memoryview) -> Iterator[Finding]:
    for number, (_serial, suffix) in enumerate(_walked(entries)):
        if suffix is None:
            yield Finding("crl-entry.form", str(number))
            return
        if suffix[-1] not in _REASONS:
            yield Finding("crl-entry.reason", str(number))


def _walked(entries: memoryview) -> Iterator[tuple[bytes, memoryview | None]]:
    """Give each entry's serial number, and its reason's extension unless the entry has another form than ours."""
    offset, end = 0, len(entries)
    while offset < end:
        _, start, offset = der.read(entries, offset, end)
        tag, serial_start, serial_end = der.read(entries, start, offset)
        _, _, time_end = der.read(entries, serial_end, offset)
        suffix = entries[time_end:offset]
        is_ours = tag == der.INTEGER and entries[serial_end] in _TIMES and suffix[:-1] == _REASON_EXTENSION
        yield bytes(entries[serial_start:serial_end]), suffix if is_ours else None


def _of_extensions(crl: x509.CertificateRevocationList) -> Iterator[Finding]:
    for kind, code in ((x509.CRLNumber, "number"), (x509.AuthorityKeyIdentifier, "authority-key-id")):
        if not any(isinstance(extension.value, kind) for extension in crl.extensions):
            yield Finding(f"crl.{code}-missing")
    for extension in crl.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint) and not extension.critical:
            yield Finding("crl.distribution-point-not-critical")
    if crl.next_update_utc is None or crl.next_update_utc <= crl.last_update_utc:
        yield Finding("crl.next-update")
    if not (crl.signature_hash_algorithm and crl.signature_hash_algorithm.digest_size >= _SMALLEST_DIGEST):
        yield Finding("signature.hash")
