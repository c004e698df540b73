"""A prepared form for tests: a PDF with an empty place for the signature, and the attributes that bind it."""

from __future__ import annotations

import hashlib

from asn1crypto import algos, cms, core, tsp

GAP = b"<" + b"0" * 512 + b">"


def prepared_pdf(title: str = "Modulo di rinnovo", *, after: bytes = b"") -> bytes:
    """`after` is a document that can be rendered; the place for the signature follows it."""
    head = (
        after
        + b"%PDF-1.7\n% "
        + title.encode()
        + b"\n1 0 obj << /Type /Sig /ByteRange [0 AAAAAAAA BBBBBBBB CCCCCCCC] /Contents "
    )
    tail = b" >> endobj\n%%EOF\n"
    numbers = {b"AAAAAAAA": len(head), b"BBBBBBBB": len(head) + len(GAP), b"CCCCCCCC": len(tail)}
    for name, number in numbers.items():
        head = head.replace(name, str(number).rjust(8).encode())
    return head + GAP + tail


def covered(pdf: bytes) -> bytes:
    return pdf.replace(GAP, b"")


def signed_attributes(pdf: bytes, certificate: bytes, *, extra=(), **changed) -> bytes:
    """The DER of the attributes; `changed` replaces single facts so that a test can make them lie."""
    facts = {
        "content_type": "data",
        "digest": hashlib.sha256(covered(pdf)).digest(),
        "certificate_hash": hashlib.sha256(certificate).digest(),
        "algorithm": "sha256",
    } | changed
    ess = tsp.SigningCertificateV2(
        {
            "certs": [
                tsp.ESSCertIDv2(
                    {
                        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                        "cert_hash": facts["certificate_hash"],
                    }
                )
            ]
        }
    )
    protection = cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": facts["algorithm"]}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        }
    )
    attributes = [
        {"type": "content_type", "values": [facts["content_type"]]},
        {"type": "message_digest", "values": [facts["digest"]]},
        {"type": "signing_certificate_v2", "values": [ess]},
        {"type": "cms_algorithm_protection", "values": [protection]},
        *extra,
    ]
    return cms.CMSAttributes([cms.CMSAttribute(each) for each in attributes]).dump()


UTF8 = core.UTF8String
