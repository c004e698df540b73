"""Trusted lists of ETSI TS 119 612: whose signature they bear, how old they are, and whom they trust.

Nothing here is believed before its XML signature was verified against certificates that the caller trusts already; what
is read afterwards is the signed part alone.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from lxml import etree
from pyhanko.sign.validation.qualified.eutl_parse import (
    latest_known_lotl_tlso_certs,
    parse_lotl_unsafe,
    trust_list_to_registry_unsafe,
)
from pyhanko.sign.validation.qualified.tsp import TSPRegistry
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from pki.errors import BadSignature, MalformedInput

LARGEST_LIST = 32 * 1024 * 1024
NAMESPACE = "http://uri.etsi.org/02231/v2#"
LIST_OF_LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
EUROPE = "EU"
# Country codes of the trusted lists that differ from ISO 3166 in certificates (TS 119 612 §5.3.10).
_ISO_TO_SCHEME = {"GR": "EL", "GB": "UK"}
# The library names trust service providers and signers in its log lines.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class ListHeader:
    """What a list says of itself. `next_update_at` is None for a list that was closed: it is never in force."""

    territory: str
    sequence: int
    issued_at: datetime
    next_update_at: datetime | None
    is_list_of_lists: bool

    def is_in_force(self, at: datetime) -> bool:
        """Tell whether the list may be used: issued, and its successor not yet due (TS 119 612 §5.3.15)."""
        return self.next_update_at is not None and self.issued_at <= at < self.next_update_at


@dataclass(frozen=True, slots=True)
class VerifiedList:
    """A list whose signature holds: its header and the signed XML."""

    header: ListHeader
    signed_xml: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the list of lists says that a country's list lies, and which certificates (DER) may sign it."""

    territory: str
    location: str
    signers: tuple[bytes, ...]


def known_signers() -> tuple[bytes, ...]:
    """Give the signers (DER) of the European list of lists as the library's release ships them (OJ C/2026/1944)."""
    return tuple(certificate.dump() for certificate in latest_known_lotl_tlso_certs())


def verify_list(xml: bytes, signers: Iterable[bytes], *, at: datetime) -> VerifiedList:
    """Verify the enveloped XAdES signature by one of `signers` (DER), in date `at`, over the whole document.

    `MalformedInput` for what is no trusted list, `BadSignature` for one that nobody of `signers` has signed. Whether it
    is outdated is the caller's question (`ListHeader.is_in_force`).
    """
    _require_plain(xml)
    for signer in signers:
        signed = _signed_part(xml, signer, at)
        if signed is not None:
            return VerifiedList(_header(signed), signed.decode())
    raise BadSignature("none of the expected signers has signed this list", code="list-signature")


def claimed_header(xml: bytes) -> ListHeader:
    """Read what a list says of itself before anybody knows whether it is true; for choosing who must have signed it."""
    _require_plain(xml)
    return _header(xml)


def pointers(lists: VerifiedList) -> dict[str, Pointer]:
    """Read the country lists that a list of lists points to, by territory; the pointer to itself is left out."""
    found: dict[str, Pointer] = {}
    for reference in parse_lotl_unsafe(lists.signed_xml).references:
        if reference.territory != EUROPE:
            signers = tuple(certificate.dump() for certificate in reference.tlso_certs)
            found[reference.territory] = Pointer(reference.territory, reference.location_uri, signers)
    return found


def registry(lists: Iterable[VerifiedList]) -> TSPRegistry:
    """Put the qualified services of verified country lists together."""
    services = TSPRegistry()
    for each in lists:
        trust_list_to_registry_unsafe(each.signed_xml, services)
    return services


def territory_of(certificate: asn1_x509.Certificate) -> str:
    """Give the country whose list would name this certificate's issuer, or "" where it says none."""
    country = str(certificate.issuer.native.get("country_name", "")).upper()
    return _ISO_TO_SCHEME.get(country, country)


def digest_of(xml: bytes) -> str:
    """Identify a list by the SHA-256 of its bytes, as reports name it."""
    return hashlib.sha256(xml).hexdigest()


def _signed_part(xml: bytes, signer: bytes, at: datetime) -> bytes | None:
    """Give the canonical bytes of the whole list as this signer has signed them, or None."""
    configuration = XAdESSignatureConfiguration(require_x509=True, expect_references=True, verification_time=at)
    try:
        results = XAdESVerifier().verify(
            xml, x509_cert=x509.load_der_x509_certificate(signer), expect_config=configuration
        )
    except (SignXMLException, ValueError, TypeError, LookupError, etree.LxmlError):
        return None
    wanted = f"{{{NAMESPACE}}}TrustServiceStatusList"
    parts: Sequence[bytes] = [
        result.signed_data for result in results if result.signed_xml is not None and result.signed_xml.tag == wanted
    ]
    return parts[0] if len(parts) == 1 else None


def _require_plain(xml: bytes) -> None:
    if len(xml) > LARGEST_LIST:
        raise MalformedInput("larger than any trusted list", code="list-malformed")
    # Entities could make the bytes that were verified differ from those that are read.
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\x00" in xml:
        raise MalformedInput("no plain XML", code="list-malformed")


def _header(signed: bytes) -> ListHeader:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        scheme = etree.fromstring(signed, parser).find(_path("SchemeInformation"))
        if scheme is None:
            raise MalformedInput("the list says nothing of itself", code="list-malformed")
        following = scheme.findtext(_path("NextUpdate", "dateTime"))
        return ListHeader(
            territory=(scheme.findtext(_path("SchemeTerritory")) or "").strip()[:8],
            sequence=int(scheme.findtext(_path("TSLSequenceNumber")) or ""),
            issued_at=_instant(scheme.findtext(_path("ListIssueDateTime")) or ""),
            next_update_at=_instant(following) if following else None,
            is_list_of_lists=(scheme.findtext(_path("TSLType")) or "").strip() == LIST_OF_LISTS,
        )
    except (ValueError, etree.LxmlError) as unreadable:
        raise MalformedInput("the list's header cannot be read", code="list-malformed") from unreadable


def _path(*names: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in names)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise MalformedInput("a time without zone", code="list-malformed")
    return moment
