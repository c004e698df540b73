"""The check before the form is signed: what was shown is what is signed, and nothing else can be slipped in.

The server hands a PDF with an empty place for the signature and the DER of the CMS signed attributes (RFC 5652 §5.4,
tag SET OF). The card signs only if those attributes speak of exactly the shown bytes and of its own certificate.
"""

from __future__ import annotations

import hashlib
import re

from asn1crypto import cms, tsp

from cardclient.errors import Distrusted

BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
PLACEHOLDER = re.compile(rb"<0+>")
# PAdES baseline attributes (ETSI EN 319 142-1 §6.3), signing time and algorithm protection (RFC 6211).
KNOWN = frozenset(
    {
        "content_type",
        "message_digest",
        "signing_time",
        "signing_certificate_v2",
        "cms_algorithm_protection",
    }
)
REQUIRED = frozenset({"content_type", "message_digest", "signing_certificate_v2"})
LARGEST_ATTRIBUTES = 4096


def refused(why: str) -> Distrusted:
    """Build the refusal; `why` is a fixed word of this module, for the log."""
    return Distrusted("form-refused", operation=why)


def require_honest_form(pdf: bytes, document_sha256: str, signed_attributes: bytes, certificate: bytes) -> bytes:
    """Return the bytes to sign if they bind exactly this PDF and this certificate (DER); raise Distrusted otherwise."""
    if hashlib.sha256(pdf).hexdigest() != document_sha256:
        raise refused("document-digest")
    attributes = _read_attributes(signed_attributes)
    if _single(attributes["content_type"]).native != "data":
        raise refused("content-type")
    if _single(attributes["message_digest"]).native != _covered_digest(pdf):
        raise refused("message-digest")
    _require_certificate(_single(attributes["signing_certificate_v2"]), certificate)
    if "cms_algorithm_protection" in attributes:
        _require_algorithms(_single(attributes["cms_algorithm_protection"]))
    return signed_attributes


def _covered_digest(pdf: bytes) -> bytes:
    """Digest all of the file but the one empty placeholder; refuse any other layout."""
    ranges = BYTE_RANGE.findall(pdf)
    if not pdf.startswith(b"%PDF-") or len(ranges) != 1 or pdf.count(b"/ByteRange") != 1:
        raise refused("byte-range-count")
    start, length, resume, rest = (int(number) for number in ranges[0])
    if start != 0 or not 0 < length < resume or resume + rest != len(pdf):
        raise refused("byte-range")
    if not PLACEHOLDER.fullmatch(pdf[length:resume]):
        raise refused("placeholder")
    return hashlib.sha256(pdf[:length] + pdf[resume:]).digest()


def _read_attributes(der: bytes) -> dict[str, cms.SetOfAttributeValue]:
    """Parse the SET OF attributes; the bytes must be what re-encoding gives, each type once, each of a known kind."""
    if not der or len(der) > LARGEST_ATTRIBUTES or der[0] != 0x31:
        raise refused("attributes-shape")
    try:
        parsed = cms.CMSAttributes.load(der, strict=True)
        found = {each["type"].native: each["values"] for each in parsed}
        count, canonical = len(parsed), parsed.copy().dump(force=True)
        for values in found.values():
            _ = values.native  # forces the lazy parser through every value
    except (ValueError, TypeError, KeyError) as problem:
        raise refused("attributes-malformed") from problem
    if canonical != der or len(found) != count:
        raise refused("attributes-encoding")
    if not set(found) >= REQUIRED or not set(found) <= KNOWN:
        raise refused("attributes-unknown")
    return found


def _single(values: cms.SetOfAttributeValue) -> cms.Any:
    if len(values) != 1:
        raise refused("attribute-values")
    return values[0]


def _require_certificate(value: tsp.SigningCertificateV2, certificate: bytes) -> None:
    """ESS signing-certificate-v2 (RFC 5035 §3): one certificate, by SHA-256, and it is the card's."""
    certificates = value["certs"]
    if len(certificates) != 1 or certificates[0]["hash_algorithm"]["algorithm"].native != "sha256":
        raise refused("certificate-hash-algorithm")
    if certificates[0]["cert_hash"].native != hashlib.sha256(certificate).digest():
        raise refused("certificate-hash")


def _require_algorithms(value: cms.CMSAlgorithmProtection) -> None:
    if value["digest_algorithm"]["algorithm"].native != "sha256":
        raise refused("digest-algorithm")
    signature = value["signature_algorithm"]
    if signature.native and signature["algorithm"].native not in {"sha256_rsa", "sha256_ecdsa", "rsassa_pkcs1v15"}:
        raise refused("signature-algorithm")
