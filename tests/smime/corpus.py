"""Files as strangers send them: good ones, and about sixty that must never be stored or shown. All are made here."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from reportlab.pdfgen.canvas import Canvas

# The test string of antivirus vendors, in two halves so that no scanner takes this file away.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
_NAME = generic.pdf_name


@functools.cache
def pdf(pages: int = 1, *, encrypt: str | None = None) -> bytes:
    """A harmless document."""
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=encrypt, invariant=True)
    for number in range(pages):
        canvas.drawString(100, 700, f"Attestazione, pagina {number + 1}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@functools.cache
def picture(kind: str = "JPEG", size: tuple[int, int] = (600, 400), mode: str = "RGB") -> bytes:
    """A harmless scan."""
    out = io.BytesIO()
    Image.new(mode, size, 1 if mode == "1" else "white").save(out, kind)
    return out.getvalue()


def signed(content: bytes, *, detached: bool = False) -> bytes:
    """The content under a CMS signature, as .p7m files are."""
    key, certificate = _signer()
    options = [pkcs7.PKCS7Options.Binary, *([pkcs7.PKCS7Options.DetachedSignature] if detached else [])]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, options)


def pdf_with(**root: object) -> bytes:
    """A document with something more in its catalogue, added by an update as editors do."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf()))
    for name, value in root.items():
        writer.root[_NAME(f"/{name}")] = writer.add_object(_object(value))
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_javascript() -> bytes:
    return pdf_with(OpenAction={"S": "/JavaScript", "JS": "app.alert(1)"})


def pdf_compressed(action: dict[str, object]) -> bytes:
    """The same with the action inside a compressed object stream, where no search of the bytes finds it."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf())), writer_kwargs={"stream_xrefs": True})
    stream = writer.prepare_object_stream()
    writer.root[_NAME("/OpenAction")] = writer.add_object(_object(action), obj_stream=stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_bomb(size: int = 1_500_000_000) -> bytes:
    """A page whose content unpacks to more than any memory."""
    packer = zlib.compressobj(9)
    block = b"\0" * 10_000_000
    packed = b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf())))
    content = generic.StreamObject(dict_data={_NAME("/Filter"): _NAME("/FlateDecode")}, encoded_data=packed)
    writer.root["/Pages"]["/Kids"][0][_NAME("/Contents")] = writer.add_object(content)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def png_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A picture of 3,600 megapixels in a few kilobytes: its header alone says so."""
    rows = zlib.compress(b"\0" * 200_000, 9)
    header = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def archive(name: str = "attestazione.pdf", content: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr(name, content if content is not None else pdf())
    return out.getvalue()


def tarball() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as folder:
        entry = tarfile.TarInfo("attestazione.pdf")
        entry.size = len(pdf())
        folder.addfile(entry, io.BytesIO(pdf()))
    return out.getvalue()


def noise(size: int = 2000) -> bytes:
    return random.Random(7).randbytes(size)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))


def _object(value: object) -> generic.PdfObject:
    if isinstance(value, dict):
        return generic.DictionaryObject({_NAME(f"/{name}"): _object(each) for name, each in value.items()})
    if isinstance(value, list):
        return generic.ArrayObject([_object(each) for each in value])
    if isinstance(value, bytes):
        return generic.StreamObject(dict_data={_NAME("/Type"): _NAME("/EmbeddedFile")}, stream_data=value)
    text = str(value)
    return _NAME(text) if text.startswith("/") else generic.pdf_string(text)


@functools.cache
def _signer() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Firma di prova")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2030))
    return key, builder.sign(key, hashes.SHA256())


def enveloped(content: bytes) -> bytes:
    """CMS that encrypts instead of signing."""
    key, certificate = _rsa()
    del key
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content).add_recipient(certificate)
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


@functools.cache
def _rsa():
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Destinatario di prova")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(2).not_valid_before(start).not_valid_after(start.replace(year=2030))
    return key, builder.sign(key, hashes.SHA256())


def compound() -> bytes:
    """The first block of an old Office document."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)


def pem(content: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(content) + b"-----END PKCS7-----\n"


def wrapped(content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = signed(content)
    return content


def packed(content: bytes) -> bytes:
    return gzip.compress(content)


def other_content() -> bytes:
    """CMS data that is not signed at all."""
    return cms.ContentInfo({"content_type": "data", "content": b"testo"}).dump()
