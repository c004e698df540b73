"""PDF signatures (PAdES B-B, ETSI EN 319 142-1) made in two places: prepared and finished here, signed at the card.

The card signs the DER of the CMS signed attributes (RFC 5652 §5.4); the private key's owner sees the very PDF that they
bind. The state between the two calls is small and JSON-able, so that it can lie in a row for days.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import ExternalSigner, PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_signer import PdfTBSDocument

from pki import pades_cms, pades_verification
from pki.errors import MalformedInput
from pki.signatures import require_signed
from pki.x509 import CertificateFacts, read_certificate

FIELD = "Firma"
_RESERVED = 16_384  # hexadecimal digits kept free for the CMS; two certificates and an RSA-4096 value take half of it


@dataclass(frozen=True, slots=True)
class PreparedSignature:
    """A PDF with an empty place for the signature, and what the card must sign for it.

    `document_sha256` is over `pdf` as it stands, `signed_attributes` the DER (SET OF) to be signed with SHA-256 and
    PKCS #1 v1.5 or ECDSA. `state` holds plain JSON values only.
    """

    pdf: bytes
    document_sha256: bytes
    signed_attributes: bytes
    state: dict[str, Any]


def prepare(
    pdf: bytes, certificate: bytes, chain: Sequence[bytes], *, signing_time: datetime, reason: str
) -> PreparedSignature:
    """Add a signature field and compute what the holder of `certificate` must sign.

    Of `chain` (DER, any order) the issuers of the certificate are embedded, roots are not. `signing_time` goes into the
    signature dictionary, as PAdES wants it. `MalformedInput` for an unreadable PDF or one that is signed already.
    """
    facts = read_certificate(certificate)
    if b"/ByteRange" in pdf:
        raise MalformedInput("the document carries a signature already", code="pdf-malformed")
    issuers = _issuers(certificate, chain)
    signer = pades_cms.stand_in(facts, issuers)
    try:
        digest, prepared, attributes = asyncio.run(_prepare(pdf, signer, signing_time, reason))
    except Exception as unreadable:  # the library names no closed list of exceptions
        raise MalformedInput("not a PDF that can be signed", code="pdf-malformed") from unreadable
    state = {
        "certificate": base64.b64encode(certificate).decode(),
        "chain": [base64.b64encode(issuer).decode() for issuer in issuers],
        "digest": digest.document_digest.hex(),
        "gap": [digest.reserved_region_start, digest.reserved_region_end],
    }
    return PreparedSignature(prepared, hashlib.sha256(prepared).digest(), attributes.dump(), state)


def finish(prepared: PreparedSignature, signature: bytes) -> bytes:
    """Put the card's signature value in its place; give the signed PDF.

    `BadSignature` when the value is not the certificate's over the attributes; `MalformedInput` when what was stored
    does not fit together any more.
    """
    certificate, chain, digest = _restored(prepared)
    facts = read_certificate(certificate)
    require_signed(facts.spki_der, prepared.signed_attributes, signature)
    return asyncio.run(_finish(prepared, facts, chain, digest, signature))


verify = pades_verification.verify


async def _prepare(
    pdf: bytes, signer: ExternalSigner, signing_time: datetime, reason: str
) -> tuple[PreparedByteRangeDigest, bytes, cms.CMSAttributes]:
    metadata = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm=pades_cms.DIGEST, subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    session = PdfSigner(metadata, signer).init_signing_session(writer)
    session.system_time = signing_time
    validation = await session.perform_presign_validation(writer)
    document = session.prepare_tbs_document(validation, bytes_reserved=_RESERVED)
    digest, output = document.digest_tbs_document()
    attributes = await signer.signed_attrs(digest.document_digest, pades_cms.DIGEST, use_pades=True)
    output.seek(0)
    return digest, output.read(), attributes


async def _finish(
    prepared: PreparedSignature,
    facts: CertificateFacts,
    chain: Sequence[bytes],
    digest: PreparedByteRangeDigest,
    value: bytes,
) -> bytes:
    content = await pades_cms.content_info(facts, chain, prepared.signed_attributes, value)
    output = io.BytesIO(prepared.pdf)
    await PdfTBSDocument.async_finish_signing(output, digest, content)
    return output.getvalue()


def _issuers(certificate: bytes, chain: Sequence[bytes]) -> list[bytes]:
    """Pick the path upwards out of what was given, by name; the signatures were checked when they were imported."""
    by_name = {_names(candidate)[0]: candidate for candidate in chain}
    path: list[bytes] = []
    subject, wanted = _names(certificate)
    while wanted != subject and wanted in by_name and len(path) < len(chain):
        candidate = by_name[wanted]
        subject, wanted = _names(candidate)
        if wanted != subject:
            path.append(candidate)
    return path


def _names(certificate: bytes) -> tuple[bytes, bytes]:
    """Subject and issuer (DER)."""
    tbs = asn1_x509.Certificate.load(certificate)["tbs_certificate"]
    return tbs["subject"].dump(), tbs["issuer"].dump()


def _restored(prepared: PreparedSignature) -> tuple[bytes, list[bytes], PreparedByteRangeDigest]:
    """Read the stored state back, and refuse parts that do not belong together."""
    try:
        state = prepared.state
        certificate = base64.b64decode(state["certificate"], validate=True)
        chain = [base64.b64decode(issuer, validate=True) for issuer in state["chain"]]
        digest, (start, end) = bytes.fromhex(state["digest"]), state["gap"]
        attributes = cms.CMSAttributes.load(prepared.signed_attributes, strict=True)
        claimed = {each["type"].native: each["values"][0].native for each in attributes}["message_digest"]
    except (ValueError, TypeError, KeyError, IndexError) as broken:
        raise MalformedInput("the prepared signature cannot be read", code="pdf-malformed") from broken
    covered = hashlib.sha256(prepared.pdf[:start] + prepared.pdf[end:]).digest()
    if not covered == digest == claimed or hashlib.sha256(prepared.pdf).digest() != prepared.document_sha256:
        raise MalformedInput("the prepared signature is not of this document", code="pdf-malformed")
    return certificate, chain, PreparedByteRangeDigest(digest, start, end)
