"""Who may issue qualified certificates, as a country's trusted list says (ETSI TS 119 612 v2.1.1 to v2.4.1, §5.5, 5.6).

Read: services of the type CA/QC whose status is *granted*, their certificates, what they are for, their qualifiers, and
since when; earlier states of such a service, so that a certificate can be judged at its issue. All else trusts nobody.
The library reads lists too, but gives up services that were taken over (in Italy a quarter), cannot join a
service's history with its certificates, and needs ten times as long.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509
from lxml import etree
from pyhanko.sign.validation.qualified.tsp import (
    CA_QC_URI,
    AdditionalServiceInformation,
    BaseServiceInformation,
    CAServiceInformation,
    QcCertType,
    Qualification,
    Qualifier,
)

from pki.service_criteria import UnknownConstruct, local_name, read_criteria

_TL = "{http://uri.etsi.org/02231/v2#}"
_SIE = "{http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#}"
_BASE = "http://uri.etsi.org/TrstSvc/TrustedList"
GRANTED = f"{_BASE}/Svcstatus/granted"
_PURPOSES = {
    f"{_BASE}/SvcInfoExt/ForeSignatures": QcCertType.QC_ESIGN,
    f"{_BASE}/SvcInfoExt/ForeSeals": QcCertType.QC_ESEAL,
    f"{_BASE}/SvcInfoExt/ForWebSiteAuthentication": QcCertType.QC_WEB,
}
_WITHOUT_EFFECT = frozenset({f"{_BASE}/SvcInfoExt/RootCA-QC"})
# §5.5.9.1: for how long a CA tells of expired certificates; §5.5.9.3: who answers for a service now. Neither changes
# whose certificates are qualified, so either may be critical.
_KNOWN = frozenset({"ExpiredCertsRevocationInfo", "TakenOverBy"})
_QUALIFIERS = {each.uri: each for each in Qualifier}
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Services:
    """Services that were understood, with their history, and how many granted ones were not."""

    understood: tuple[CAServiceInformation, ...] = field(repr=False)
    left_out: int


def read_services(root: etree._Element) -> Services:
    """Read a verified list. A granted service with anything decisive that is not understood trusts nobody."""
    found: list[CAServiceInformation] = []
    left_out = 0
    for service in root.iterfind(f"{_TL}TrustServiceProviderList//{_TL}TSPService"):
        try:
            found += list(_service(service))
        except (ValueError, TypeError, KeyError):
            left_out += 1
    return Services(tuple(found), left_out)


def instant(text: str | None) -> datetime:
    """Read an xsd:dateTime with its zone; `UnknownConstruct` for any other."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError as unreadable:
        raise UnknownConstruct("dateTime") from unreadable
    if moment.tzinfo is None:
        raise UnknownConstruct("dateTime")
    return moment


def certificates_in(identities: etree._Element | None) -> list[bytes]:
    """Give the certificates (DER) of one or several ServiceDigitalIdentity; names and key identifiers are no keys."""
    found = [] if identities is None else identities.iter(f"{_TL}X509Certificate")
    try:
        return [base64.b64decode("".join((each.text or "").split()), validate=True) for each in found]
    except binascii.Error as unreadable:
        raise UnknownConstruct("X509Certificate") from unreadable


def _service(service: etree._Element) -> Iterator[CAServiceInformation]:
    """Give the present state and the earlier ones; nothing where the service is not granted or of another type."""
    present = service.find(f"{_TL}ServiceInformation")
    if present is None or not _is_granted(present):
        return
    certificates = _certificates(present)
    now = _state(present, certificates, None)
    if not now.base_info.additional_info_certificate_type:
        raise UnknownConstruct("purpose")  # §5.5.9.4: since 2016 each says what its certificates are for
    yield now
    end = instant(present.findtext(f"{_TL}StatusStartingTime"))
    for earlier in _newest_first(service):
        start = instant(earlier.findtext(f"{_TL}StatusStartingTime"))
        # §5.6.3: an earlier state names its key without certificates, so those of the service stand for it. One that
        # is not understood leaves its time out, and nothing that was issued then is qualified.
        if _is_granted(earlier) and start < end:
            with suppress(UnknownConstruct):
                yield _state(earlier, certificates, end)
        end = min(start, end)


def _newest_first(service: etree._Element) -> list[etree._Element]:
    history = service.findall(f"{_TL}ServiceHistory/{_TL}ServiceHistoryInstance")
    return sorted(history, key=lambda each: instant(each.findtext(f"{_TL}StatusStartingTime")), reverse=True)


def _is_granted(state: etree._Element) -> bool:
    kind = (state.findtext(f"{_TL}ServiceTypeIdentifier") or "").strip()
    return kind == CA_QC_URI and (state.findtext(f"{_TL}ServiceStatus") or "").strip() == GRANTED


def _certificates(state: etree._Element) -> tuple[x509.Certificate, ...]:
    found = tuple(x509.Certificate.load(der) for der in certificates_in(state.find(f"{_TL}ServiceDigitalIdentity")))
    if not found:
        raise UnknownConstruct("ServiceDigitalIdentity")
    for each in found:
        each.subject.dump()
        each.public_key.dump()
    return found


def _state(
    state: etree._Element, certificates: tuple[x509.Certificate, ...], until: datetime | None
) -> CAServiceInformation:
    purposes, others, qualifications = _extensions(state)
    base = BaseServiceInformation(
        service_type=CA_QC_URI,
        valid_from=instant(state.findtext(f"{_TL}StatusStartingTime")),
        valid_until=until,
        service_name=(state.findtext(f"{_TL}ServiceName/{_TL}Name") or "").strip(),
        provider_certs=certificates,
        additional_info_certificate_type=purposes,
        other_additional_info=others,
    )
    return CAServiceInformation(base, qualifications, expired_certs_revocation_info=None)


def _extensions(
    state: etree._Element,
) -> tuple[frozenset[QcCertType], frozenset[AdditionalServiceInformation], frozenset[Qualification]]:
    """Read what decides; an unknown extension is passed over unless it is critical (§5.5.9)."""
    uris: dict[str, bool] = {}
    qualifications: list[Qualification] = []
    for extension in state.iterfind(f"{_TL}ServiceInformationExtensions/{_TL}Extension"):
        is_critical = extension.get("Critical", "").strip() in _TRUE
        for content in extension:
            match local_name(content):
                case "AdditionalServiceInformation":
                    uris[(content.findtext(f"{_TL}URI") or "").strip()] = is_critical
                case "Qualifications":
                    qualifications += _qualifications(content)
                case name if name and name not in _KNOWN and is_critical:
                    raise UnknownConstruct(name)
    if any(uris[each] for each in uris.keys() - _PURPOSES.keys() - _WITHOUT_EFFECT):
        raise UnknownConstruct("AdditionalServiceInformation")
    others = frozenset(AdditionalServiceInformation(each, uris[each], None) for each in uris.keys() - _PURPOSES.keys())
    return frozenset(_PURPOSES[each] for each in uris.keys() & _PURPOSES.keys()), others, frozenset(qualifications)


def _qualifications(element: etree._Element) -> Iterator[Qualification]:
    for each in element.iterfind(f"{_SIE}QualificationElement"):
        uris = [(one.get("uri") or "").strip() for one in each.iterfind(f"{_SIE}Qualifiers/{_SIE}Qualifier")]
        criteria = each.find(f"{_SIE}CriteriaList")
        if not uris or criteria is None or not _QUALIFIERS.keys() >= set(uris):
            raise UnknownConstruct("QualificationElement")
        yield Qualification(frozenset(_QUALIFIERS[one] for one in uris), read_criteria(criteria))
