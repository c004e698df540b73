"""To which certificates a qualifier of a trusted list applies (ETSI TS 119 612 §5.5.9.2, CriteriaList).

Kinds: bits of keyUsage, sets of policies, attributes of the subject, extended key usages, and lists of these, nested as
they come. The library's own reading takes one bit of several as enough, overlooks criteria that only forbid bits, and
finds no policy that is written as a URN; so the criteria are read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import x509
from lxml import etree
from pyhanko.sign.validation.qualified.tsp import (
    CertSubjectDNCriterion,
    CriteriaCombination,
    CriteriaList,
    Criterion,
    PolicySetCriterion,
)

_XADES = "http://uri.etsi.org/01903/v1.3.2#"
_URN = "urn:oid:"
_BITS = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "non_repudiation",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "crlSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
MOST_DEPTH = 20


class UnknownConstruct(ValueError):
    """A list says something that decides and that is not understood: whatever depends on it trusts nobody."""


@dataclass(frozen=True)
class KeyBits(Criterion):
    """Each named bit of keyUsage is as said; without the extension none is set."""

    bits: frozenset[tuple[str, bool]]

    def matches(self, cert: x509.Certificate) -> bool:
        """Compare every bit."""
        usage = cert.key_usage_value
        given = set(usage.native) if usage is not None else set()
        return all((name in given) is wanted for name, wanted in self.bits)


@dataclass(frozen=True)
class Purposes(Criterion):
    """All of these extended key usages are there."""

    purposes: frozenset[str]

    def matches(self, cert: x509.Certificate) -> bool:
        """Compare by object identifier; anyExtendedKeyUsage stands for none of them."""
        usage = cert.extended_key_usage_value
        return self.purposes <= {each.dotted for each in usage or ()}


def read_criteria(element: etree._Element, depth: int = 0) -> CriteriaList:
    """Read a CriteriaList; `UnknownConstruct` for one that is empty, nested absurdly or of unknown kinds."""
    try:
        combination = CriteriaCombination(element.get("assert", "").strip())
    except ValueError as unknown:
        raise UnknownConstruct("assert") from unknown
    found = frozenset(_criteria(element, depth))
    if not found or depth > MOST_DEPTH:
        raise UnknownConstruct("criteria")
    return CriteriaList(combine_as=combination, criteria=found)


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace; comments and instructions have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _criteria(element: etree._Element, depth: int) -> Iterator[Criterion]:
    for child in element:
        match local_name(child):
            case "" | "Description":
                continue
            case "KeyUsage":
                yield KeyBits(frozenset(_bits(child)))
            case "PolicySet":
                yield PolicySetCriterion(_all_identifiers(child, "PolicyIdentifier"))
            case "CriteriaList":
                yield read_criteria(child, depth + 1)
            case "otherCriteriaList":
                yield from (_other(each) for each in child if local_name(each))
            case unknown:
                raise UnknownConstruct(unknown)


def _other(element: etree._Element) -> Criterion:
    match local_name(element):
        case "CertSubjectDNAttribute":
            return CertSubjectDNCriterion(_all_identifiers(element, "AttributeOID"))
        case "ExtendedKeyUsage":
            return Purposes(_all_identifiers(element, "KeyPurposeId"))
    raise UnknownConstruct(local_name(element))


def _bits(element: etree._Element) -> Iterator[tuple[str, bool]]:
    for bit in element:
        if local_name(bit):
            name, value = _BITS.get(bit.get("name", "")), _TRUTHS.get((bit.text or "").strip())
            if name is None or value is None:
                raise UnknownConstruct("KeyUsageBit")
            yield name, value


def _all_identifiers(element: etree._Element, name: str) -> frozenset[str]:
    found = frozenset(_identifier(each) for each in element if local_name(each) == name)
    if not found:
        raise UnknownConstruct(name)
    return found


def _identifier(element: etree._Element) -> str:
    """Read an object identifier of XAdES, written as it is or as a URN (EN 319 132-1 §5.1.2)."""
    text = (element.findtext(f"{{{_XADES}}}Identifier") or "").strip()
    text = text[len(_URN) :] if text.lower().startswith(_URN) else text
    if not text or not text.replace(".", "").isdecimal():
        raise UnknownConstruct("Identifier")
    return text
