"""What lies inside a signed file: PDF or CMS, bare, base64 or nested; structure only, nothing is trusted yet."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass, field

import pypdfium2 as pdfium
from asn1crypto import cms, core
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from pki import der, embedded_evidence, later_revisions
from pki.embedded_evidence import Evidence
from pki.errors import BadSignature, MalformedInput

MOST_LAYERS = 3
LARGEST_FILE = 12 * 1024 * 1024
_MOST_PAGES = 3
_SUBFILTERS = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached")
_GAP = re.compile(rb"<(?P<digits>(?:[0-9A-Fa-f]{2})+)>")
_ARMOUR = re.compile(rb"\A\s*-----BEGIN [A-Z0-9 ]+-----(?P<body>.*?)-----END [A-Z0-9 ]+-----\s*\Z", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]+")


@dataclass(frozen=True, slots=True)
class Layer:
    """One signature. `raw_digest` is set where the signed bytes lie outside the CMS (PDF).

    `evidence` is what the file brings along about certificates; nobody has verified it yet.
    """

    kind: str  # pades | cades
    signed_data: cms.SignedData = field(repr=False)
    raw_digest: bytes | None = field(default=None, repr=False)
    claimed_at: str = ""
    evidence: Evidence = field(default=Evidence(), repr=False)


@dataclass(frozen=True, slots=True)
class SignedFile:
    """Signatures from the outside in, and whether the innermost document is, to the byte, the one that was handed out.

    `doubts` are codes of what only a person can judge: the file was altered before it was signed, or added to after.
    """

    layers: tuple[Layer, ...]
    doubts: tuple[str, ...] = ()


def open_signed(content: bytes, form: bytes, markers: tuple[str, ...]) -> SignedFile:
    """Unwrap up to three layers down to the form whose exact bytes are given.

    `markers` (its number and its nonce) recognise a form that a program has rewritten. `MalformedInput` for what is
    neither PDF nor CMS, `BadSignature` with a code for every structure that is not accepted.
    """
    if len(content) > LARGEST_FILE:
        raise MalformedInput("larger than any signed form", code="file-too-large")
    layers: list[Layer] = []
    inner = content
    while True:
        inner = _unarmoured(inner)
        if layers and inner == form:
            return SignedFile(tuple(layers))
        if len(layers) >= MOST_LAYERS:
            raise BadSignature("wrapped too often", code="file-nested-too-deeply")
        if inner.lstrip()[:5] == b"%PDF-":
            layer, doubts = _pdf_layer(inner, form, markers)
            return SignedFile((*layers, layer), doubts)
        layer, inner = _cms_layer(inner)
        layers.append(layer)


def _unarmoured(content: bytes) -> bytes:
    """Undo PEM or bare base64, which Italian signing tools write into .p7m files."""
    if content[:1] == b"\x30" or content.lstrip()[:5] == b"%PDF-":
        return content
    armour = _ARMOUR.match(content)
    body = armour["body"] if armour else content
    if not _BASE64.fullmatch(body):
        raise MalformedInput("neither PDF nor CMS", code="file-unknown")
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as broken:
        raise MalformedInput("neither PDF nor CMS", code="file-unknown") from broken


def _cms_layer(content: bytes) -> tuple[Layer, bytes]:
    try:
        info = cms.ContentInfo.load(content, strict=True)
        if info["content_type"].native != "signed_data":
            raise MalformedInput("no signed data", code="file-unknown")
        signed: cms.SignedData = info["content"]
        inner = signed["encap_content_info"]["content"]
        signers = len(signed["signer_infos"])
        kind = signed["encap_content_info"]["content_type"].native
    except (ValueError, TypeError, KeyError) as unreadable:
        raise MalformedInput("neither PDF nor CMS", code="file-unknown") from unreadable
    if signers != 1:
        raise BadSignature("there is not exactly one signature", code="signature-not-alone")
    if isinstance(inner, core.Void) or inner.native is None:
        raise BadSignature("the signature comes without the document", code="signature-detached")
    if kind != "data":
        raise BadSignature("something else than a document is signed", code="file-unknown")
    evidence = embedded_evidence.of_signature(signed)
    return Layer("cades", signed, None, _signing_time(signed), evidence), bytes(inner)


def _signing_time(signed: cms.SignedData) -> str:
    for attribute in signed["signer_infos"][0]["signed_attrs"] or ():
        if attribute["type"].native == "signing_time":
            return str(attribute["values"][0].native.isoformat())
    return ""


def _pdf_layer(content: bytes, form: bytes, markers: tuple[str, ...]) -> tuple[Layer, tuple[str, ...]]:
    pdf, added = later_revisions.signed_part(content)
    reader = _reader(pdf)
    embedded = _only_signature(reader, pdf)
    doubts = _doubts(reader, pdf, form, markers)
    embedded.compute_integrity_info(skip_diff=True)
    _require_coverage(embedded, pdf)
    claimed = embedded.self_reported_timestamp
    digest: bytes = embedded.compute_digest()
    evidence = embedded_evidence.of_signature(embedded.signed_data).with_more(added)
    layer = Layer("pades", embedded.signed_data, digest, claimed.isoformat() if claimed else "", evidence)
    return layer, doubts


def _reader(pdf: bytes) -> PdfFileReader:
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable PDF", code="file-unknown") from unreadable
    if reader.encrypted:
        raise MalformedInput("the PDF is encrypted", code="file-encrypted")
    return reader


def _only_signature(reader: PdfFileReader, pdf: bytes) -> EmbeddedPdfSignature:
    try:
        found = reader.embedded_signatures
        regular = reader.embedded_regular_signatures
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable PDF", code="file-unknown") from unreadable
    if not found:
        raise BadSignature("there is no signature", code="signature-missing")
    if len(found) != 1 or len(regular) != 1 or pdf.count(b"/ByteRange") != 1:
        raise BadSignature("there is not exactly one signature", code="signature-not-alone")
    only: EmbeddedPdfSignature = regular[0]
    if str(only.sig_object.get("/SubFilter", "")) not in _SUBFILTERS or len(only.signed_data["signer_infos"]) != 1:
        raise BadSignature("another kind of signature", code="signature-kind")
    return only


def _require_coverage(embedded: EmbeddedPdfSignature, pdf: bytes) -> None:
    """Refuse a file with anything outside the signature: before it, behind it, or beside the CMS in its own gap."""
    byte_range = [int(number) for number in embedded.byte_range]
    if len(byte_range) != 4:
        raise BadSignature("no whole byte range", code="signature-coverage")
    start, length, resume, rest = byte_range
    if start != 0 or resume + rest != len(pdf) or min(byte_range[1:]) <= 0:
        raise BadSignature("something stands outside of the signature", code="signature-coverage")
    gap = _GAP.fullmatch(pdf[length:resume])
    if gap is None:
        raise BadSignature("something stands beside the signature", code="signature-coverage")
    content = bytes.fromhex(gap["digits"].decode())
    if content[1:2] == b"\x80":  # indefinite length: the end is found by reading
        end = len(cms.ContentInfo.load(content).dump())
    else:
        _, _, end = der.read(content, 0, len(content))
    if any(content[end:]):
        raise BadSignature("something stands behind the signature", code="signature-coverage")


def _doubts(reader: PdfFileReader, pdf: bytes, form: bytes, markers: tuple[str, ...]) -> tuple[str, ...]:
    """Say whether the signed document is our form and nothing but it."""
    if pdf.startswith(form):
        return () if _only_signed(reader, form) else ("document-altered",)
    if _speaks_of(pdf, markers):
        return ("document-rewritten",)
    raise BadSignature("another document was signed", code="document-other")


def _only_signed(reader: PdfFileReader, form: bytes) -> bool:
    """Tell whether the revisions behind our bytes add a signature and change nothing that is seen."""
    handed_out = PdfFileReader(io.BytesIO(form)).xrefs.total_revisions
    try:
        result = DEFAULT_DIFF_POLICY.review_file(reader, handed_out - 1)
    except Exception:  # noqa: BLE001 - the library names no closed list; what cannot be judged is for a person
        return False
    return isinstance(result, DiffResult) and result.modification_level <= ModificationLevel.FORM_FILLING


def _speaks_of(pdf: bytes, markers: tuple[str, ...]) -> bool:
    """Find number and nonce on the first pages: enough to show a person the file, never enough to accept it."""
    text = ""
    try:
        with pdfium.PdfDocument(pdf) as document:
            for number in range(min(len(document), _MOST_PAGES)):
                text += document[number].get_textpage().get_text_range()
    except pdfium.PdfiumError:
        return False
    return all(marker in text for marker in markers)


def sha256(content: bytes) -> str:
    """Identify a file in reports."""
    return hashlib.sha256(content).hexdigest()
