"""Uploaded files: told by their bytes, refused with a reason, put aside, sealed untouched, shown as pictures alone."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
from datetime import timedelta

import pytest
from PIL import Image

from runtime import sealing
from smime import file_contents, inspector
from smime.errors import files as errors
from smime.file_contents import Content, safe_name
from smime.models import EvidenceContent, EvidenceFile
from smime.services import evidence
from smime.states import FileKind
from tests.smime import corpus
from tests.smime.corpus import EICAR, archive, pdf, pdf_with, picture, signed
from tests.smime.mailed import NOW, order_of

DOCX = functools.partial(archive, "word/document.xml", b"<w:document/>")
SCRIPT = b"<script>alert(1)</script>"

# Name, what the browser says, the bytes, and the refusal's code: none of them is stored.
REFUSED = {
    "nothing at all": ("a.pdf", "application/pdf", lambda: b"", "file-empty"),
    "more than ten mebibytes": ("a.pdf", "application/pdf", lambda: pdf() + b"\n" * 10 * 1024 * 1024, "file-too-large"),
    "a text": ("a.txt", "text/plain", lambda: b"Con la presente attestiamo", "file-type-refused"),
    "a text called pdf": ("a.pdf", "application/pdf", lambda: b"Con la presente attestiamo", "file-type-refused"),
    "the scanners' test text": ("a.txt", "text/plain", lambda: EICAR, "file-type-refused"),
    "the scanners' test text called pdf": ("a.pdf", "application/pdf", lambda: EICAR, "file-type-refused"),
    "noise": ("a.bin", "", corpus.noise, "file-type-refused"),
    "noise called p7m": ("a.p7m", "", corpus.noise, "file-type-refused"),
    "a web page": ("a.html", "text/html", lambda: b"<html>" + SCRIPT, "file-type-refused"),
    "a drawing in SVG": ("a.svg", "image/svg+xml", lambda: b"<svg xmlns='x'>" + SCRIPT, "file-type-refused"),
    "a GIF": ("a.gif", "image/gif", lambda: picture("GIF"), "file-type-refused"),
    "a TIFF": ("a.tif", "image/tiff", lambda: picture("TIFF"), "file-type-refused"),
    "a BMP": ("a.bmp", "image/bmp", lambda: picture("BMP"), "file-type-refused"),
    "a WebP": ("a.webp", "image/webp", lambda: picture("WEBP"), "file-type-refused"),
    "a GIF called jpg": ("a.jpg", "image/jpeg", lambda: picture("GIF"), "file-type-refused"),
    "an archive": ("a.zip", "application/zip", archive, "file-type-refused"),
    "an archive called pdf": ("a.pdf", "application/pdf", archive, "file-type-refused"),
    "an archive in an archive": ("a.zip", "", lambda: archive("a.zip", archive()), "file-type-refused"),
    "an archive that unpacks to much": ("a.zip", "", lambda: archive("a", bytes(20_000_000)), "file-type-refused"),
    "a tape archive": ("a.tar", "application/x-tar", corpus.tarball, "file-ambiguous"),
    "a packed file": ("a.pdf.gz", "application/gzip", lambda: corpus.packed(pdf()), "file-type-refused"),
    "a 7z archive": ("a.7z", "", lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "file-type-refused"),
    "a RAR archive": ("a.rar", "", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(100), "file-type-refused"),
    "a document of an office program": ("a.docx", "", DOCX, "file-type-refused"),
    "a document of an old office program": ("a.doc", "application/msword", corpus.compound, "file-type-refused"),
    "a program": ("a.exe", "", lambda: b"MZ" + bytes(300), "file-type-refused"),
    "a program for Linux": ("a", "", lambda: b"\x7fELF" + bytes(300), "file-type-refused"),
    "a shell script": ("a.sh", "text/x-sh", lambda: b"#!/bin/sh\nrm -rf /\n", "file-type-refused"),
    "PostScript": ("a.ps", "", lambda: b"%!PS-Adobe-3.0\n", "file-type-refused"),
    "a certificate": ("a.p7m", "", lambda: b"\x30\x03\x02\x01\x05", "file-type-refused"),
    "CMS without a signature": ("a.p7m", "", corpus.other_content, "file-type-refused"),
    "CMS that encrypts": ("a.p7m", "", lambda: corpus.enveloped(pdf()), "file-type-refused"),
    "a signature without its document": ("a.p7m", "", lambda: signed(pdf(), detached=True), "file-type-refused"),
    "a signed text": ("a.txt.p7m", "", lambda: signed(b"testo"), "file-type-refused"),
    "a signed archive": ("a.zip.p7m", "", lambda: signed(archive()), "file-type-refused"),
    "five signatures around each other": ("a.pdf.p7m", "", lambda: corpus.wrapped(pdf(), 5), "file-type-refused"),
    "CMS with something behind": ("a.p7m", "", lambda: signed(pdf()) + b"rest", "file-ambiguous"),
    "base64 of nothing signed": ("a.p7m", "", lambda: base64.b64encode(corpus.noise()), "file-type-refused"),
    "a PDF called jpg": ("a.jpg", "image/jpeg", pdf, "file-type-mismatch"),
    "a JPEG called pdf": ("a.pdf", "application/pdf", picture, "file-type-mismatch"),
    "a PNG called jpg": ("a.jpg", "image/jpeg", lambda: picture("PNG"), "file-type-mismatch"),
    "a PDF that is sent as a web page": ("a.pdf", "text/html", pdf, "file-type-mismatch"),
    "a PDF without extension": ("attestazione", "application/pdf", pdf, "file-type-mismatch"),
    "a PDF called like a program": ("a.pdf.exe", "application/pdf", pdf, "file-type-mismatch"),
    "a program hidden by writing direction": ("a\u202efdp.exe", "", pdf, "file-type-mismatch"),
    "a signed PDF called pdf": ("a.pdf", "application/pdf", lambda: signed(pdf()), "file-type-mismatch"),
    "a signed PDF called a signed picture": ("a.jpg.p7m", "", lambda: signed(pdf()), "file-type-mismatch"),
    "a PDF behind an archive": ("a.pdf", "", lambda: archive()[:200] + pdf(), "file-ambiguous"),
    "a PDF before an archive": ("a.pdf", "", lambda: pdf() + archive(), "file-ambiguous"),
    "a PDF behind a web page": ("a.pdf", "", lambda: b"<html>" + SCRIPT + pdf(), "file-ambiguous"),
    "a PDF with a tail": ("a.pdf", "", lambda: pdf() + b"\n" + corpus.noise(), "file-ambiguous"),
    "a picture before an archive": ("a.jpg", "", lambda: picture() + archive(), "file-ambiguous"),
    "a picture with a PDF in its head": (
        "a.jpg",
        "",
        lambda: picture()[:20] + pdf() + picture()[20:],
        "file-ambiguous",
    ),
    "a picture with a web page": ("a.png", "", lambda: picture("PNG") + SCRIPT, "file-ambiguous"),
    "a picture with a program for servers": (
        "a.jpg",
        "",
        lambda: picture() + b"<?php system($_GET[0]);",
        "file-ambiguous",
    ),
    "a PNG with a tail": ("a.png", "", lambda: picture("PNG") + corpus.noise(), "file-ambiguous"),
    "a signed document of two kinds": ("a.pdf.p7m", "", lambda: signed(pdf() + archive()), "file-ambiguous"),
    "a PDF under a password": ("a.pdf", "", lambda: pdf(encrypt="segreto"), "file-encrypted"),
    "a signed PDF under a password": ("a.pdf.p7m", "", lambda: signed(pdf(encrypt="segreto")), "file-encrypted"),
    "twenty-one pages": ("a.pdf", "", lambda: pdf(21), "file-too-long"),
    "a picture of 3,600 megapixels": ("a.png", "image/png", corpus.png_bomb, "file-too-detailed"),
    "a picture of 41 megapixels": ("a.png", "", lambda: picture("PNG", (6500, 6400), "1"), "file-too-detailed"),
    "half a PDF": ("a.pdf", "", lambda: pdf()[: len(pdf()) // 2] + b"\n%%EOF", "file-unreadable"),
    "a PDF of its first line": ("a.pdf", "", lambda: b"%PDF-1.7\n%%EOF", "file-unreadable"),
    "half a JPEG": ("a.jpg", "", lambda: picture()[: len(picture()) // 2], "file-unreadable"),
    "the beginning of a JPEG": ("a.jpg", "", lambda: b"\xff\xd8\xff\xe0" + corpus.noise(), "file-unreadable"),
    "a page that unpacks to gigabytes": ("a.pdf", "", corpus.pdf_bomb, "file-unreadable"),
}

# Stored, and never opened: by what in them starts something or carries another file.
PUT_ASIDE = {
    "a script at opening": (corpus.pdf_with_javascript, "javascript"),
    "a script under another spelling": (
        lambda: corpus.pdf_with_javascript().replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/#4a#53"),
        "javascript",
    ),
    "a script in a compressed part": (
        lambda: corpus.pdf_compressed({"S": "/JavaScript", "JS": "app.alert(1)"}),
        "javascript",
    ),
    "a program to be started": (lambda: pdf_with(OpenAction={"S": "/Launch", "F": "cmd.exe"}), "launch"),
    "a program in a compressed part": (lambda: corpus.pdf_compressed({"S": "/Launch", "F": "a"}), "launch"),
    "a form that sends itself": (lambda: pdf_with(AA={"WC": {"S": "/SubmitForm", "F": "http://a.example"}}), "launch"),
    "a file inside": (
        lambda: pdf_with(Names={"EmbeddedFiles": {"Names": ["a", {"Type": "/Filespec", "F": "a.exe"}]}}),
        "embedded-file",
    ),
    "an active form": (lambda: pdf_with(AcroForm={"XFA": "x", "Fields": []}), "active-form"),
    "a film": (lambda: pdf_with(OpenAction={"S": "/Rendition"}), "media"),
    "a signed script": (lambda: signed(corpus.pdf_with_javascript()), "javascript"),
}

TAKEN = {
    "a PDF": ("attestazione.pdf", "application/pdf", pdf, Content.PDF),
    "a PDF of twenty pages": ("a.PDF", "", lambda: pdf(20), Content.PDF),
    "a JPEG": ("scansione.JPEG", "image/jpeg", picture, Content.JPEG),
    "a PNG": ("a.png", "image/png", lambda: picture("PNG"), Content.PNG),
    "a signed PDF": ("a.pdf.p7m", "application/pkcs7-mime", lambda: signed(pdf()), Content.SIGNED),
    "a signed PDF in base64": ("a.p7m", "", lambda: base64.b64encode(signed(pdf())), Content.SIGNED),
    "a signed PDF in PEM": ("a.pdf.p7m", "", lambda: corpus.pem(signed(pdf())), Content.SIGNED),
    "a PDF signed twice": ("a.pdf.p7m.p7m", "", lambda: corpus.wrapped(pdf(), 2), Content.SIGNED),
    "a signed picture": ("a.jpg.p7m", "", lambda: signed(picture()), Content.SIGNED),
}


def examine(name: str, sent_as: str, content: bytes) -> evidence.Examined:
    return evidence.examine(FileKind.ATTESTATION, name=name, content=content, sent_as=sent_as)


def test_the_corpus_is_as_large_as_promised():
    assert len(REFUSED) + len(PUT_ASIDE) >= 60


@pytest.fixture
def _in_this_process(monkeypatch):
    """Run the inspector here, where sixty starts of a process would cost a minute. Bombs get a process all the same."""
    from smime.services import inspection

    def run(order: str, kind: Content, content: bytes, number: int) -> bytes:
        try:
            return inspector.answer(order, kind.value, content, number)
        except Exception as broken:
            raise inspection.Unreadable from broken

    monkeypatch.setattr(inspection, "_run", run)


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("what", [what for what in REFUSED if "gigabytes" not in what])
def test_what_is_no_letter_is_refused_with_its_reason(what):
    name, sent_as, content, code = REFUSED[what]
    with pytest.raises(errors.FileRefused) as refusal:
        examine(name, sent_as, content())
    assert refusal.value.reason_code == code


def test_a_bomb_goes_off_in_a_process_of_its_own():
    name, sent_as, content, code = REFUSED["a page that unpacks to gigabytes"]
    with pytest.raises(errors.FileRefused) as refusal:
        examine(name, sent_as, content())
    assert refusal.value.reason_code == code


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("what", PUT_ASIDE)
def test_what_starts_something_is_put_aside(what):
    content, found = PUT_ASIDE[what]
    name = "a.pdf.p7m" if "signed" in what else "a.pdf"
    assert found in examine(name, "", content()).active


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("what", TAKEN)
def test_letters_are_taken_and_known_by_their_content(what):
    name, sent_as, content, kind = TAKEN[what]
    sent = content()
    examined = examine(name, sent_as, sent)
    assert (examined.media_type, examined.active, examined.content) == (kind.value, (), sent)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("../../etc/attestazione.pdf", "attestazione.pdf"),
        ("C:\\Users\\Anna\\attestazione.pdf", "attestazione.pdf"),
        ("a\r\nX-Header: 1\r\n.pdf", "a X-Header_ 1.pdf"),
        ("a\u202egpj.pdf", "agpj.pdf"),
        ("a\u200b\u2066b.pdf", "ab.pdf"),
        ("  .. .pdf", "pdf.pdf"),
        ("\x00", "documento.pdf"),
        ("à'ç <1>.pdf", "à'ç _1_.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_lose_what_deceives_a_reader(typed, stored):
    assert safe_name(typed, Content.PDF) == stored


class TestStored:
    """What is kept lies sealed, byte for byte, and is shown to nobody before the scanner has spoken."""

    @pytest.fixture
    def order(self, db):
        return order_of("sv")

    @pytest.fixture
    def file(self, order) -> EvidenceFile:
        content = signed(pdf(2))
        return evidence.store_file(
            order, FileKind.ATTESTATION, name="a.pdf.p7m", content=content, by=order.buyer_id, at=NOW
        )

    def test_the_bytes_lie_sealed_and_come_back_untouched(self, file):
        sealed = bytes(EvidenceContent.objects.get(file=file).sealed)
        plain = evidence.read_file(file)

        assert b"%PDF-" not in sealed
        assert (hashlib.sha256(plain).hexdigest(), file.pages) == (file.sha256, 2)
        assert sealing.unseal(sealed, context=file.sealing_context) == plain

    def test_nobody_opens_what_is_not_clean(self, file):
        for state in ("pending", "infected", "quarantined"):
            file.scan = state
            for look in (evidence.read_clean, functools.partial(evidence.preview, page=0)):
                with pytest.raises(errors.FileNotClean):
                    look(file)

    def test_a_page_is_shown_as_a_picture_made_anew(self, file):
        file.scan = "clean"
        shown = evidence.preview(file, 1)
        with Image.open(io.BytesIO(shown)) as painted:
            assert (painted.format, max(painted.size)) == ("PNG", 1600)
        with pytest.raises(errors.FileUnreadable):
            evidence.preview(file, 2)

    def test_erasing_leaves_the_record_and_takes_the_bytes(self, file):
        evidence.erase(file, at=NOW)
        evidence.erase(file, at=NOW + timedelta(days=1))
        file.refresh_from_db()

        assert (file.erased_at, file.next_attempt_at) == (NOW, None)
        with pytest.raises(errors.FileErased):
            evidence.read_file(file)

    def test_a_flood_of_files_ends(self, order, file):
        rows = [EvidenceFile(order=order, kind="attestation", name="a.pdf", size=1, uploaded_at=NOW) for _ in range(19)]
        EvidenceFile.objects.bulk_create(rows)
        examined = evidence.Examined("a.pdf", "application/pdf", pdf(), 1)
        with pytest.raises(errors.FilesTooMany):
            evidence.keep(order, FileKind.ATTESTATION, examined, by=None, at=NOW)

    def test_photos_of_a_document_are_pictures(self, order):
        with pytest.raises(errors.FileTypeRefused):
            evidence.store_file(order, FileKind.FACE, name="a.pdf", content=pdf(), by=None, at=NOW)


def test_the_child_has_no_secret_of_ours_in_its_environment(monkeypatch):
    from smime.services import inspection

    seen = {}

    def start(command, **named):
        seen.update(named["env"])
        raise inspection.subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(inspection.subprocess, "run", start)
    with pytest.raises(inspection.Unreadable):
        inspection.inspect(Content.PDF, pdf())
    assert set(seen) == {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG"}


def test_the_kinds_that_are_taken_are_four():
    assert {kind.value for kind in file_contents.EXTENSIONS} == {kind.value for kind in Content}
