"""A made-up trust scheme: list of lists, a country's trusted list, a qualified CA, its signers. All names are invented.

The demo writes it into the folder of trusted lists, so that the alternative of S/MIME can be tried by hand; the tests
make theirs with it, broken ones too.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from lxml import etree
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from signxml import methods
from signxml.xades.xades import XAdESSigner

from pki import der, pades
from pki.qualified import QC_COMPLIANCE, QC_SSCD, QC_STATEMENTS, QC_TYPE, QC_TYPE_ESIGN

TERRITORY = "IT"
REVOCATION_LIST = "http://qtsp.example.org/firma.crl"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
_YEARS = timedelta(days=3650)
_SEMESTER = timedelta(days=180)


@dataclass(frozen=True)
class Identity:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Wish:
    """What a signer's certificate says; the defaults are a natural person's qualified one on a qualified device."""

    given_name: str = "Giulia"
    surname: str = "Bianchi"
    serial_number: str = "TINIT-BNCGLI85C41F205O"
    pseudonym: str = ""
    country: str = TERRITORY
    qualified: bool = True
    device: bool = True
    purpose: str = QC_TYPE_ESIGN
    commitment: bool = True  # keyUsage nonRepudiation
    revocation_list: str = REVOCATION_LIST
    responder: str = ""  # address of the CA's OCSP responder
    policies: tuple[str, ...] = ()
    life: timedelta = timedelta(days=730)


@dataclass(frozen=True)
class Scheme:
    """Everybody of the scheme, founded at one instant."""

    founded_at: datetime
    operator: Identity  # signs the list of lists
    supervisor: Identity  # signs the country's list
    authority: Identity  # issues qualified certificates, and is on the list

    def signer(self, wish: Wish | None = None, *, at: datetime, issuer: Identity | None = None) -> Identity:
        """Issue a certificate, by the listed CA where no other is given."""
        return _issue(wish or Wish(), issuer or self.authority, at)

    def revocation_list(
        self, revoked: Sequence[Identity] = (), *, at: datetime, days: int = 7, issuer: Identity | None = None
    ) -> bytes:
        """Publish the CA's revocation list, DER."""
        by = issuer or self.authority
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(by.certificate.subject)
            .last_update(at)
            .next_update(at + timedelta(days=days))
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()),
                critical=False,
            )
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def country_list(
        self,
        *,
        at: datetime,
        sequence: int = 1,
        status: str = GRANTED,
        until: datetime | None = None,
        signed_by: Identity | None = None,
    ) -> bytes:
        """Publish the country's trusted list, XML; it names the one qualified CA with this status."""
        provider = _PROVIDER.format(
            certificate=_base64(self.authority), status=status, since=_xml_time(self.founded_at)
        )
        text = _LIST.format(
            kind="EUgeneric",
            sequence=sequence,
            territory=TERRITORY,
            pointers="",
            issued=_xml_time(at),
            until=_xml_time(until or at + _SEMESTER),
            providers=provider,
        )
        return sign_list(text, signed_by or self.supervisor)

    def list_of_lists(
        self, *, at: datetime, sequence: int = 1, until: datetime | None = None, signed_by: Identity | None = None
    ) -> bytes:
        """Publish the list of lists, XML, which points to the country's list and names who may sign it."""
        text = _LIST.format(
            kind="EUlistofthelists",
            sequence=sequence,
            territory="EU",
            pointers=_POINTERS.format(certificate=_base64(self.supervisor), territory=TERRITORY),
            issued=_xml_time(at),
            until=_xml_time(until or at + _SEMESTER),
            providers="",
        )
        return sign_list(text, signed_by or self.operator)

    def write(self, folder: Path, *, at: datetime) -> None:
        """Fill a folder of trusted lists as the refresh reads it: lists, their signers, the CA's revocation list."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "signers.pem").write_bytes(self.operator.certificate.public_bytes(Encoding.PEM))
        (folder / "lotl.xml").write_bytes(self.list_of_lists(at=at, sequence=int(at.timestamp())))
        (folder / f"{TERRITORY}.xml").write_bytes(self.country_list(at=at, sequence=int(at.timestamp())))
        (folder / "firma.crl").write_bytes(self.revocation_list(at=at, days=60))


def found(at: datetime) -> Scheme:
    """Make the keys and certificates of a scheme that has existed for a year."""
    since = at - timedelta(days=365)
    return Scheme(
        founded_at=since,
        operator=_self_signed("Gestore della lista delle liste (dimostrazione)", since),
        supervisor=_self_signed("Vigilanza sui prestatori (dimostrazione)", since),
        authority=_self_signed("Prestatore Qualificato di Prova CA", since),
    )


def sign_pdf(pdf: bytes, signer: Identity, *, at: datetime, chain: Sequence[Identity] = ()) -> bytes:
    """Sign as PAdES B-B by an incremental update, as signing programs do."""
    prepared = pades.prepare(pdf, signer.der, [each.der for each in chain], signing_time=at, reason="Riconoscimento")
    return pades.finish(prepared, signer.key.sign(prepared.signed_attributes, ec.ECDSA(hashes.SHA256())))


def sign_cms(
    content: bytes, signer: Identity, *, at: datetime, chain: Sequence[Identity] = (), digest: str = "sha256"
) -> bytes:
    """Sign as CAdES B-B with the content inside, DER: what a .p7m is."""
    store = SimpleCertificateStore()
    store.register_multiple(asn1_x509.Certificate.load(each.der) for each in chain)
    key = signer.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    tool = SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(signer.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(key),
        cert_registry=store,
    )
    signing = tool.async_sign_general_data(
        content,
        digest,
        detached=False,
        use_cades=True,
        signed_attr_settings=PdfCMSSignedAttributes(signing_time=at),
    )
    return bytes(asyncio.run(signing).dump())


def sign_list(text: str, by: Identity) -> bytes:
    """Sign a list as XAdES inside of it, as scheme operators do."""
    key = by.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signer = XAdESSigner(signature_algorithm="ecdsa-sha256", digest_algorithm="sha256", method=methods.enveloped)
    certificate = by.certificate.public_bytes(Encoding.PEM).decode()
    tree = signer.sign(etree.fromstring(text.encode()), key=key, cert=certificate)
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))


def _self_signed(name: str, since: datetime) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, TERRITORY), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = _certificate(subject, subject, key, since, _YEARS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("digital_signature", "key_cert_sign", "crl_sign"), critical=True)
    return Identity(key, builder.sign(key, hashes.SHA256()))


def _issue(wish: Wish, issuer: Identity, at: datetime) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(_subject(wish), issuer.certificate.subject, key, at, wish.life)
    builder = builder.add_extension(
        _usage("content_commitment" if wish.commitment else "digital_signature"), critical=True
    )
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    if wish.revocation_list:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(wish.revocation_list)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if wish.responder:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(wish.responder)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if wish.policies:
        named = [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in wish.policies]
        builder = builder.add_extension(x509.CertificatePolicies(named), critical=False)
    if wish.qualified:
        builder = builder.add_extension(_statements(wish), critical=False)
    return Identity(key, builder.sign(issuer.key, hashes.SHA256()))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(wish: Wish) -> x509.Name:
    attributes = [(NameOID.COUNTRY_NAME, wish.country), (NameOID.COMMON_NAME, f"{wish.given_name} {wish.surname}")]
    if wish.pseudonym:
        attributes.append((NameOID.PSEUDONYM, wish.pseudonym))
    else:
        attributes += [(NameOID.GIVEN_NAME, wish.given_name), (NameOID.SURNAME, wish.surname)]
    if wish.serial_number:
        attributes.append((NameOID.SERIAL_NUMBER, wish.serial_number))
    return x509.Name([x509.NameAttribute(name, value) for name, value in attributes])


def _usage(*wanted: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in wanted for name in names})


def _statements(wish: Wish) -> x509.UnrecognizedExtension:
    statements = [der.sequence(der.oid(QC_COMPLIANCE))]
    if wish.device:
        statements.append(der.sequence(der.oid(QC_SSCD)))
    statements.append(der.sequence(der.oid(QC_TYPE), der.sequence(der.oid(wish.purpose))))
    return x509.UnrecognizedExtension(QC_STATEMENTS, der.sequence(*statements))


def _base64(identity: Identity) -> str:
    return base64.b64encode(identity.der).decode()


def _xml_time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_LIST = """<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" TSLTag="http://uri.etsi.org/19612/TSLTag">
<SchemeInformation><TSLVersionIdentifier>6</TSLVersionIdentifier>
<TSLSequenceNumber>{sequence}</TSLSequenceNumber>
<TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/{kind}</TSLType>
<SchemeOperatorName><Name xml:lang="en">Demonstration</Name></SchemeOperatorName>
<SchemeName><Name xml:lang="en">{territory}:Demonstration</Name></SchemeName>
<SchemeInformationURI><URI xml:lang="en">http://lists.example.org/</URI></SchemeInformationURI>
<StatusDeterminationApproach>http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/EUappropriate</StatusDeterminationApproach>
<SchemeTerritory>{territory}</SchemeTerritory>
<HistoricalInformationPeriod>65535</HistoricalInformationPeriod>
<PointersToOtherTSL>{pointers}</PointersToOtherTSL>
<ListIssueDateTime>{issued}</ListIssueDateTime>
<NextUpdate><dateTime>{until}</dateTime></NextUpdate></SchemeInformation>
<TrustServiceProviderList>{providers}</TrustServiceProviderList></TrustServiceStatusList>"""

_POINTERS = """<OtherTSLPointer><ServiceDigitalIdentities><ServiceDigitalIdentity><DigitalId>
<X509Certificate>{certificate}</X509Certificate></DigitalId></ServiceDigitalIdentity></ServiceDigitalIdentities>
<TSLLocation>http://lists.example.org/{territory}.xml</TSLLocation><AdditionalInformation>
<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>
<OtherInformation><MimeType xmlns="http://uri.etsi.org/02231/v2/additionaltypes#">application/vnd.etsi.tsl+xml</MimeType>
</OtherInformation></AdditionalInformation></OtherTSLPointer>"""

_PROVIDER = """<TrustServiceProvider><TSPInformation>
<TSPName><Name xml:lang="en">Prestatore Qualificato di Prova</Name></TSPName></TSPInformation><TSPServices><TSPService>
<ServiceInformation><ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/CA/QC</ServiceTypeIdentifier>
<ServiceName><Name xml:lang="en">Qualified certificates for electronic signatures</Name></ServiceName>
<ServiceDigitalIdentity><DigitalId><X509Certificate>{certificate}</X509Certificate></DigitalId></ServiceDigitalIdentity>
<ServiceStatus>{status}</ServiceStatus><StatusStartingTime>{since}</StatusStartingTime>
<ServiceInformationExtensions><Extension Critical="true"><AdditionalServiceInformation>
<URI xml:lang="en">http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSignatures</URI>
</AdditionalServiceInformation></Extension></ServiceInformationExtensions>
</ServiceInformation></TSPService></TSPServices></TrustServiceProvider>"""
