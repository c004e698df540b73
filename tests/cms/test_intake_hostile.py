"""Files that mean harm: they are refused as a whole, quickly and in little memory."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile

import pytest

from cms.bundle import LARGEST_MEMBER, read_bundle
from cms.import_errors import ArchiveUnsafe, BundleUnreadable, FileRefused
from cms.roster import read_roster
from tests.cms.roster_maker import Mint, archive, pem, table

MEGABYTE = 1024 * 1024


def bundle(content: bytes, *, most: int = 300, most_bytes: int = 4 * MEGABYTE):
    return read_bundle(content, most=most, most_bytes=most_bytes)


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return content.getvalue()


def lying(content: bytes, real: int, said: int) -> bytes:
    """The archive says another unpacked size than it has."""
    return content.replace(real.to_bytes(4, "little"), said.to_bytes(4, "little"))


HOSTILE = {
    "a bomb of zeros": lambda: packed(("a.cer", bytes(20 * MEGABYTE))),
    "a bomb that lies about its size": lambda: lying(packed(("a.cer", bytes(MEGABYTE))), MEGABYTE, 1000),
    "many members": lambda: packed(*((f"{n}.cer", b"0") for n in range(400)), method=zipfile.ZIP_STORED),
    "a directory of a million entries": lambda: packed(("a", b"0")) + b"PK\x01\x02" * 1_000_000,
    "much in total": lambda: packed(
        *((f"{n}.cer", b"-" * 1000 + bytes(range(256)) * 900) for n in range(25)), method=0
    ),
    "an archive in an archive": lambda: packed(("b.zip", packed(("a.cer", b"0")))),
    "compressed in another way": lambda: packed(("a.cer", b"0" * 99), method=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_means_harm_is_refused(make):
    content = make()
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(FileRefused):
            bundle(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert time.monotonic() - began < 5
    assert most < 8 * MEGABYTE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 torn",
        b"1" * MEGABYTE,
        b"-----BEGIN CERTIFICATE-----\n" * 40_000,
        b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n" * 100,
        b"-----BEGIN PKCS7-----\nQUJD\n-----END PKCS7-----\n",
        b"\x30\x84\xff\xff\xff\xff" + bytes(1000),
        b"\x30\x00" * 100,
    ],
)
def test_what_holds_no_certificate_is_refused(content):
    began = time.monotonic()
    with pytest.raises(BundleUnreadable):
        bundle(content)
    assert time.monotonic() - began < 5


def test_a_torn_archive_is_refused():
    whole = archive([Mint().person(1)])

    for length in range(40, len(whole), 97):
        with pytest.raises(FileRefused):
            bundle(whole[:length])


def test_names_with_paths_mean_nothing():
    person = Mint().person(1)
    names = ["../../etc/passwd", "/etc/shadow", "C:\\x.cer", "a/b/c.cer", "\u202egpj.cer"]
    content = packed(*((name, person.certificates["signature"]) for name in names))

    assert len(bundle(content).certificates) == 1


def test_other_files_of_an_archive_are_counted_and_passed_over():
    person = Mint().person(1)

    read = bundle(archive([person], ("leggimi.txt", b"ciao"), (".DS_Store", bytes(300))))

    assert (len(read.certificates), read.unreadable) == (2, 2)


def test_a_member_larger_than_any_certificate_is_refused():
    with pytest.raises(ArchiveUnsafe):
        bundle(packed(("a.cer", bytes(LARGEST_MEMBER + 1)), method=zipfile.ZIP_STORED))


def test_more_certificates_than_an_import_takes_are_refused():
    one = pem(Mint().person(1).certificates["signature"])

    with pytest.raises(ArchiveUnsafe):
        bundle(one * 11, most=10)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        "codice_fiscale;cognome".encode("utf-16"),
        b"codice_fiscale;cognome\n\x81\x8d;x",
        b"codice_fiscale;cognome\nA;B",
        b'codice_fiscale;cognome;nome;seriale_carta;famiglia_carta;prima_emissione\n"aperta;x',
        b"codice_fiscale;cognome;nome;seriale_carta;famiglia_carta;prima_emissione\n;;;;;\n",
        b"codice_fiscale;cf;cognome;nome;seriale_carta;famiglia_carta;prima_emissione\nA;A;B;C;D;E;F",
        b"codice_fiscale;cognome;nome;seriale_carta;famiglia_carta;prima_emissione\n" + b"x" * 200_000,
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_a_table_that_is_none_is_refused(content):
    with pytest.raises(FileRefused):
        read_roster(content, most=100)


def test_a_table_with_more_rows_than_an_import_takes_is_refused():
    person = Mint().person(1)

    with pytest.raises(FileRefused):
        read_roster(table([person] * 11), most=10)
    assert len(read_roster(table([person] * 10), most=10).rows) == 10


def test_a_row_with_more_cells_than_columns_is_told_apart():
    text = table([Mint().person(1)]).replace(b"\r\n7", b"\r\n7").strip() + b";surplus\r\n"

    assert read_roster(text, most=10).rows[0].has_surplus
