"""Trusted lists of ETSI TS 119 612: whose signature they bear, how old they are, and whom they trust.

Nothing here is believed before its XML signature was verified against certificates that the caller trusts already; what
is read afterwards is the signed part alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from lxml import etree
from pyhanko.sign.validation.qualified.eutl_parse import (
    KNOWN_OJEU_REANCHOR_URLS,
    latest_known_lotl_tlso_certs,
)
from pyhanko.sign.validation.qualified.tsp import TSPRegistry
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from pki import trusted_services
from pki.errors import BadSignature, MalformedInput
from pki.service_criteria import UnknownConstruct
from pki.trusted_services import certificates_in

LONGEST_LIFE = timedelta(days=200)
"""Six months by §5.3.15, and a little: a list that promises more was not made by a scheme operator who keeps to it."""
LARGEST_LIST = 32 * 1024 * 1024
NAMESPACE = "http://uri.etsi.org/02231/v2#"
_ADDITIONS = "http://uri.etsi.org/02231/v2/additionaltypes#"
LIST_OF_LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
EUROPE = "EU"
MOST_PIVOTS = 50
_VERSIONS = frozenset({"5", "6"})  # of v2.1.1 and of v2.2.1 to v2.4.1; a reader must not guess at others (§5.3.1)
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_MIME = "application/vnd.etsi.tsl+xml"
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
        if self.next_update_at is None or self.next_update_at - self.issued_at > LONGEST_LIFE:
            return False
        return self.issued_at <= at < self.next_update_at


@dataclass(frozen=True, slots=True)
class VerifiedList:
    """A list whose signature holds: its header and the signed XML."""

    header: ListHeader
    signed_xml: bytes


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the list of lists says that a country's list lies, and which certificates (DER) may sign it."""

    territory: str
    location: str
    signers: tuple[bytes, ...]


def known_signers() -> tuple[bytes, ...]:
    """Give the signers (DER) of the European list of lists as the library's release ships them (OJ C/2026/1944)."""
    return tuple(certificate.dump() for certificate in latest_known_lotl_tlso_certs())


def verify_list(xml: bytes, signers: Iterable[bytes]) -> VerifiedList:
    """Verify the enveloped XAdES signature by one of `signers` (DER), over the whole document.

    His certificate must have been in date when the list was issued: many lists outlive it, and whoever still names him
    answers for him. Only a signer that the signature itself names is tried (§5.7.1): a stranger's list of 20 MB costs
    no verification.

    `MalformedInput` for what is no trusted list, `BadSignature` for one that nobody of `signers` has signed. Whether it
    is outdated is the caller's question (`ListHeader.is_in_force`).
    """
    _require_plain(xml)
    named, issued_at = _named_signers(xml), _header(xml).issued_at
    for signer in signers:
        signed = _signed_part(xml, signer, issued_at) if signer in named else None
        if signed is not None:
            return VerifiedList(_header(signed), signed)
    raise BadSignature("none of the expected signers has signed this list", code="list-signature")


def claimed_header(xml: bytes) -> ListHeader:
    """Read what a list says of itself before anybody knows whether it is true; for choosing who must have signed it."""
    _require_plain(xml)
    return _header(xml)


def pointers(lists: VerifiedList) -> dict[str, Pointer]:
    """Read the country lists that a list of lists points to, by territory; the pointer to itself is left out."""
    found = _all_pointers(_root(lists.signed_xml))
    return {territory: pointer for territory, pointer in found.items() if territory != EUROPE}


def successors(lists: VerifiedList) -> tuple[bytes, ...]:
    """Give the certificates (DER) that a list of lists names for its own signers from now on."""
    own = _all_pointers(_root(lists.signed_xml)).get(EUROPE)
    return own.signers if own is not None else ()


def claimed_pivots(xml: bytes) -> tuple[str, ...]:
    """Read where a list of lists says that those lie which changed its signers, the oldest first; nothing is verified.

    They stand among the addresses of §5.3.7, the newest first, down to the publication in the Official Journal that
    named signers anew.
    """
    found: list[str] = []
    for address in _root(xml).iterfind(_path("SchemeInformation", "SchemeInformationURI", "URI")):
        text = (address.text or "").strip()
        if text in KNOWN_OJEU_REANCHOR_URLS:
            break
        if text.endswith(".xml") and text not in found:
            found.append(text)
    return tuple(reversed(found[:MOST_PIVOTS]))


def registry(lists: Iterable[VerifiedList]) -> tuple[TSPRegistry, dict[str, int]]:
    """Put the qualified services of verified country lists together, and count by territory what was left out."""
    services = TSPRegistry()
    left_out: dict[str, int] = {}
    for each in lists:
        found = trusted_services.read_services(_root(each.signed_xml))
        for service in found.understood:
            services.register_ca(service)
        if found.left_out:
            left_out[each.header.territory] = found.left_out
    return services, left_out


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
    scheme = _root(signed).find(_path("SchemeInformation"))
    if scheme is None or (scheme.findtext(_path("TSLVersionIdentifier")) or "").strip() not in _VERSIONS:
        raise MalformedInput("the list says nothing of itself, or is of another version", code="list-malformed")
    try:
        following = scheme.findtext(_path("NextUpdate", "dateTime"))
        return ListHeader(
            territory=(scheme.findtext(_path("SchemeTerritory")) or "").strip()[:8],
            sequence=int(scheme.findtext(_path("TSLSequenceNumber")) or ""),
            issued_at=trusted_services.instant(scheme.findtext(_path("ListIssueDateTime"))),
            next_update_at=trusted_services.instant(following) if following else None,
            is_list_of_lists=(scheme.findtext(_path("TSLType")) or "").strip() == LIST_OF_LISTS,
        )
    except ValueError as unreadable:
        raise MalformedInput("the list's header cannot be read", code="list-malformed") from unreadable


def _named_signers(xml: bytes) -> frozenset[bytes]:
    """Read the certificates (DER) in the list's one signature."""
    signatures = _root(xml).findall(f"{_SIGNATURE}Signature")
    if len(signatures) != 1:
        return frozenset()
    found = signatures[0].iterfind(f"{_SIGNATURE}KeyInfo//{_SIGNATURE}X509Certificate")
    try:
        return frozenset(base64.b64decode("".join((each.text or "").split()), validate=True) for each in found)
    except binascii.Error:
        return frozenset()


def _all_pointers(root: etree._Element) -> dict[str, Pointer]:
    """Read the pointers to XML, by territory; those to the same territory together, as its first location."""
    found: dict[str, Pointer] = {}
    for element in root.iterfind(_path("SchemeInformation", "PointersToOtherTSL", "OtherTSLPointer")):
        territory = (element.findtext(f".//{_path('SchemeTerritory')}") or "").strip()[:8]
        location = (element.findtext(_path("TSLLocation")) or "").strip()
        kind = (element.findtext(f".//{{{_ADDITIONS}}}MimeType") or "").strip()
        if not territory or not location or kind != _MIME:
            continue
        try:
            signers = tuple(certificates_in(element.find(_path("ServiceDigitalIdentities"))))
        except UnknownConstruct:
            continue  # a pointer without readable signers points nowhere
        known = found.get(territory, Pointer(territory, location, ()))
        found[territory] = Pointer(territory, known.location, tuple(dict.fromkeys((*known.signers, *signers))))
    return found


def _root(xml: bytes) -> etree._Element:
    """Parse; entities, the network and anything malformed are refused."""
    try:
        return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (ValueError, etree.LxmlError) as unreadable:
        raise MalformedInput("no XML", code="list-malformed") from unreadable


def _path(*names: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in names)
