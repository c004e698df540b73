"""The one CMS structure that we make and accept in a PDF: PAdES B-B, SHA-256, certificates embedded, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.signers import ExternalSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from pki.x509 import CertificateFacts

DIGEST = "sha256"
# EN 319 142-1 §6.3; the claimed time stands in the signature dictionary instead of an attribute.
ATTRIBUTES = frozenset({"content_type", "message_digest", "signing_certificate_v2"})
_MECHANISMS = {"rsa": "sha256_rsa", "ec": "sha256_ecdsa"}


def stand_in(signer: CertificateFacts, chain: Sequence[bytes], value: bytes | None = None) -> ExternalSigner:
    """Give the library's stand-in for a key elsewhere, with the signature value once there is one."""
    store = SimpleCertificateStore()
    store.register_multiple([asn1_x509.Certificate.load(issuer) for issuer in chain])
    return ExternalSigner(
        signing_cert=asn1_x509.Certificate.load(signer.der),
        cert_registry=store,
        signature_value=value,
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": _MECHANISMS[signer.key_kind]}),
        embed_roots=False,
    )


async def content_info(
    signer: CertificateFacts, chain: Sequence[bytes], signed_attributes: bytes, value: bytes
) -> bytes:
    """Assemble the CMS (DER). The same arguments always give the same bytes, so that a verifier can do it again."""
    attributes = cms.CMSAttributes.load(signed_attributes)
    content = await stand_in(signer, chain, value).async_sign_prescribed_attributes(DIGEST, attributes)
    assembled: bytes = content.dump()
    return assembled
