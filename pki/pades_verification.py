"""Is this PDF signed, once and entirely, by exactly that certificate? Offline, at a given instant."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from pki import der, pades_cms
from pki.errors import BadSignature, MalformedInput
from pki.x509 import read_certificate

LARGEST_PDF = 8_000_000
# The library names signers (name, tax code) in its log lines; what went wrong is in our refusal's code.
for _logger in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_logger).setLevel(logging.CRITICAL)
_GAP = re.compile(rb"<(?P<digits>(?:[0-9A-F]{2})+)>")


def verify(
    signed_pdf: bytes, *, signer: bytes, issuers: Sequence[bytes], trust_anchors: Sequence[bytes], at: datetime
) -> None:
    """Refuse a PDF that is not validly signed by `signer` (DER), over its entire bytes, by the only signature in it.

    The certificate must chain over `issuers` to one of `trust_anchors` and be in date `at`; its status is the caller's
    question. `BadSignature` with a code that says what is wrong, `MalformedInput` for bytes that are no PDF.
    """
    if len(signed_pdf) > LARGEST_PDF:
        raise MalformedInput("larger than any form of ours", code="pdf-malformed")
    try:
        status = asyncio.run(_status(signed_pdf, signer, issuers, trust_anchors, at))
    except (BadSignature, MalformedInput):
        raise
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise BadSignature("the signature cannot be evaluated") from unreadable
    if not (status.intact and status.valid):
        raise BadSignature("document or signature value was changed")
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise BadSignature("something stands outside of the signature", code="signature-coverage")
    if not status.trusted or status.bottom_line is not True:
        raise BadSignature("the signer's certificate is not acceptable", code="signature-untrusted")


async def _status(
    pdf: bytes, signer: bytes, issuers: Sequence[bytes], trust_anchors: Sequence[bytes], at: datetime
) -> PdfSignatureStatus:
    embedded = _only_signature(pdf)
    if embedded.signer_cert.dump() != signer:
        raise BadSignature("signed with another certificate", code="signature-signer-mismatch")
    content = _content(pdf, [int(number) for number in embedded.byte_range])
    if content != await _made_again(embedded, issuers):
        raise BadSignature("another kind of signature than ours", code="signature-kind")
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(anchor) for anchor in trust_anchors],
        other_certs=[asn1_x509.Certificate.load(issuer) for issuer in issuers],
        moment=at,
        allow_fetching=False,
    )
    return await async_validate_pdf_signature(embedded, signer_validation_context=context)


def _only_signature(pdf: bytes) -> EmbeddedPdfSignature:
    try:
        found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a readable signed PDF", code="pdf-malformed") from unreadable
    if len(found) != 1 or pdf.count(b"/ByteRange") != 1:
        raise BadSignature("there is not exactly one signature", code="signature-not-alone")
    only: EmbeddedPdfSignature = found[0]
    return only


def _content(pdf: bytes, byte_range: list[int]) -> bytes:
    """Give what fills the only gap in the byte range: the CMS, behind it zeros and nothing else."""
    start, length, resume, rest = byte_range
    gap = _GAP.fullmatch(pdf[length:resume])
    if start != 0 or resume + rest != len(pdf) or gap is None:
        raise BadSignature("something stands outside of the signature", code="signature-coverage")
    content = bytes.fromhex(gap["digits"].decode())
    _, _, end = der.read(content, 0, len(content))
    if any(content[end:]):
        raise BadSignature("something stands behind the signature", code="signature-coverage")
    return content[:end]


async def _made_again(embedded: EmbeddedPdfSignature, issuers: Sequence[bytes]) -> bytes:
    """Assemble the CMS again out of its attributes, value and certificates: so no byte of it can be anything else."""
    info = embedded.signer_info
    attributes = {attribute["type"].native for attribute in info["signed_attrs"]}
    if attributes != pades_cms.ATTRIBUTES or str(embedded.sig_object["/SubFilter"]) != "/ETSI.CAdES.detached":
        raise BadSignature("another kind of signature than ours", code="signature-kind")
    signer = embedded.signer_cert.dump()
    chain = [choice.chosen.dump() for choice in embedded.signed_data["certificates"]]
    if not set(chain) <= {signer, *issuers}:
        raise BadSignature("carries certificates of issuers that are not ours", code="signature-untrusted")
    chain.remove(signer)
    signed_attributes = info["signed_attrs"].untag().dump()
    return await pades_cms.content_info(read_certificate(signer), chain, signed_attributes, info["signature"].native)
