"""Trusted lists with the constructs that real ones have (ETSI TS 119 612), written by hand and signed here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from config.demo import trust_scheme
from config.demo.trust_scheme import GRANTED, Identity
from tests.smime.signature import world

BASE = "http://uri.etsi.org/TrstSvc/TrustedList"
FOR_SIGNATURES = f"{BASE}/SvcInfoExt/ForeSignatures"
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
_SPACES = (
    'xmlns="http://uri.etsi.org/02231/v2#" xmlns:x="http://uri.etsi.org/02231/v2/additionaltypes#" '
    'xmlns:q="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#" '
    'xmlns:a="http://uri.etsi.org/01903/v1.3.2#" TSLTag="http://uri.etsi.org/19612/TSLTag"'
)


def time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def certificate(*who: Identity) -> str:
    """Identities as a list gives them: one DigitalId for each certificate."""
    return "".join(
        f"<DigitalId><X509Certificate>{base64.encodebytes(each.der).decode()}</X509Certificate></DigitalId>"
        for each in who
    )


def key_identifier(who: Identity) -> str:
    """What stands for the key in a service's history: no certificate (§5.6.3)."""
    name = who.certificate.subject.rfc4514_string()
    return f"<DigitalId><X509SubjectName>{name}</X509SubjectName></DigitalId><DigitalId><X509SKI>AQID</X509SKI></DigitalId>"


def extension(content: str, *, critical: bool = True) -> str:
    return f'<Extension Critical="{str(critical).lower()}">{content}</Extension>'


def purpose(uri: str = FOR_SIGNATURES, *, critical: bool = True) -> str:
    information = f'<AdditionalServiceInformation><URI xml:lang="en">{uri}</URI></AdditionalServiceInformation>'
    return extension(information, critical=critical)


TAKEN_OVER = """<x:TakenOverBy><x:URI xml:lang="en">http://altri.example.org/</x:URI>
<x:TSPName><Name xml:lang="en">Altri</Name></x:TSPName><SchemeOperatorName><Name xml:lang="en">Vigilanza</Name>
</SchemeOperatorName><SchemeTerritory>IT</SchemeTerritory></x:TakenOverBy>"""
EXPIRED_CERTIFICATES = "<ExpiredCertsRevocationInfo>2016-07-01T00:00:00Z</ExpiredCertsRevocationInfo>"


def qualification(criteria: str, *qualifiers: str) -> str:
    return (
        f"<q:QualificationElement><q:Qualifiers>{_uris(qualifiers)}</q:Qualifiers>{criteria}</q:QualificationElement>"
    )


def _uris(qualifiers: Sequence[str]) -> str:
    return "".join(f'<q:Qualifier uri="{BASE}/SvcInfoExt/{each}"/>' for each in qualifiers)


def qualifications(*elements: str, critical: bool = True) -> str:
    return extension(f"<q:Qualifications>{''.join(elements)}</q:Qualifications>", critical=critical)


def criteria(combination: str, *parts: str) -> str:
    return (
        f'<q:CriteriaList assert="{combination}">{"".join(parts)}<q:Description>Prova</q:Description></q:CriteriaList>'
    )


def bits(**wanted: bool) -> str:
    named = "".join(
        f'<q:KeyUsageBit name="{name}">{str(is_set).lower()}</q:KeyUsageBit>' for name, is_set in wanted.items()
    )
    return f"<q:KeyUsage>{named}</q:KeyUsage>"


def identifier(text: str, qualifier: str = "") -> str:
    kind = f' Qualifier="{qualifier}"' if qualifier else ""
    return f"<a:Identifier{kind}>{text}</a:Identifier>"


def policies(*texts: str) -> str:
    return f"<q:PolicySet>{''.join(f'<q:PolicyIdentifier>{each}</q:PolicyIdentifier>' for each in texts)}</q:PolicySet>"


def other(content: str) -> str:
    return f"<q:otherCriteriaList>{content}</q:otherCriteriaList>"


def subject_attributes(*oids: str) -> str:
    named = "".join(f"<x:AttributeOID>{identifier(each)}</x:AttributeOID>" for each in oids)
    return other(f"<x:CertSubjectDNAttribute>{named}</x:CertSubjectDNAttribute>")


def key_purposes(*oids: str) -> str:
    named = "".join(f"<x:KeyPurposeId>{identifier(each)}</x:KeyPurposeId>" for each in oids)
    return other(f"<x:ExtendedKeyUsage>{named}</x:ExtendedKeyUsage>")


def state(
    name: str,
    identity: str,
    *extensions: str,
    status: str = GRANTED,
    since: datetime | None = None,
    kind: str = CA_QC,
) -> str:
    """One state of a service: ServiceInformation, or an instance of its history."""
    more = f"<ServiceInformationExtensions>{''.join(extensions)}</ServiceInformationExtensions>" if extensions else ""
    return (
        f"<{name}><ServiceTypeIdentifier>{kind}</ServiceTypeIdentifier>"
        '<ServiceName><Name xml:lang="en">Qualified certificates</Name></ServiceName>'
        f"<ServiceDigitalIdentity>{identity}</ServiceDigitalIdentity><ServiceStatus>{status}</ServiceStatus>"
        f"<StatusStartingTime>{time(since or world.NOW - timedelta(days=365))}</StatusStartingTime>{more}</{name}>"
    )


def service(
    *extensions: str,
    identity: str = "",
    status: str = GRANTED,
    since: datetime | None = None,
    kind: str = CA_QC,
    history: Sequence[str] = (),
) -> str:
    """A service of the scheme's CA, with the usual purpose unless extensions are given."""
    shown = extensions or (purpose(),)
    who = identity or certificate(world.scheme().authority)
    present = state("ServiceInformation", who, *shown, status=status, since=since, kind=kind)
    past = f"<ServiceHistory>{''.join(history)}</ServiceHistory>" if history else ""
    return f"<TSPService>{present}{past}</TSPService>"


def earlier(*extensions: str, status: str = GRANTED, since: datetime, kind: str = CA_QC) -> str:
    """An instance of a history."""
    identity = key_identifier(world.scheme().authority)
    return state(
        "ServiceHistoryInstance", identity, *(extensions or (purpose(),)), status=status, since=since, kind=kind
    )


def country(
    *services: str,
    territory: str = "IT",
    sequence: int = 1,
    at: datetime | None = None,
    until: datetime | None = None,
    version: str = "6",
    by: Identity | None = None,
) -> bytes:
    """A country's list, signed."""
    providers = (
        '<TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="en">Prestatore</Name></TSPName>'
        f"</TSPInformation><TSPServices>{''.join(services)}</TSPServices></TrustServiceProvider>"
    )
    text = _list("EUgeneric", territory, sequence, at, until, version, "", "", providers)
    return trust_scheme.sign_list(text, by or world.scheme().supervisor)


def pointer(territory: str, location: str, *signers: Identity, mime: str = "application/vnd.etsi.tsl+xml") -> str:
    """A pointer whose signers stand in an identity each."""
    identities = "".join(f"<ServiceDigitalIdentity>{certificate(each)}</ServiceDigitalIdentity>" for each in signers)
    return (
        f"<OtherTSLPointer><ServiceDigitalIdentities>{identities}</ServiceDigitalIdentities>"
        f"<TSLLocation>{location}</TSLLocation><AdditionalInformation>"
        f"<OtherInformation><TSLType>{BASE}/TSLType/EUgeneric</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>"
        f"<OtherInformation><x:MimeType>{mime}</x:MimeType></OtherInformation>"
        "</AdditionalInformation></OtherTSLPointer>"
    )


def list_of_lists(
    *pointers: str,
    pivots: Sequence[str] = (),
    sequence: int = 1,
    at: datetime | None = None,
    until: datetime | None = None,
    by: Identity | None = None,
) -> bytes:
    """A list of lists, signed; `pivots` are the addresses of those that changed its signers, the newest first."""
    addresses = "".join(f'<URI xml:lang="en">{each}</URI>' for each in pivots)
    text = _list("EUlistofthelists", "EU", sequence, at, until, "6", addresses, "".join(pointers), "")
    return trust_scheme.sign_list(text, by or world.scheme().operator)


def _list(
    kind: str,
    territory: str,
    sequence: int,
    at: datetime | None,
    until: datetime | None,
    version: str,
    addresses: str,
    pointers: str,
    providers: str,
) -> str:
    issued = at or world.NOW - timedelta(days=2)
    return (
        f"<TrustServiceStatusList {_SPACES}><SchemeInformation>"
        f"<TSLVersionIdentifier>{version}</TSLVersionIdentifier><TSLSequenceNumber>{sequence}</TSLSequenceNumber>"
        f"<TSLType>{BASE}/TSLType/{kind}</TSLType><SchemeInformationURI>"
        f'<URI xml:lang="en">https://lists.example.org/info</URI>{addresses}</SchemeInformationURI>'
        f"<SchemeTerritory>{territory}</SchemeTerritory><PointersToOtherTSL>{pointers}</PointersToOtherTSL>"
        f"<ListIssueDateTime>{time(issued)}</ListIssueDateTime>"
        f"<NextUpdate><dateTime>{time(until or issued + timedelta(days=180))}</dateTime></NextUpdate>"
        f"</SchemeInformation><TrustServiceProviderList>{providers}</TrustServiceProviderList></TrustServiceStatusList>"
    )
