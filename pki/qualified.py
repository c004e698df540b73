"""QCStatements of a qualified certificate for natural persons (ETSI EN 319 412-5); the library has no type for them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from pki import der

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_COMPLIANCE = "0.4.0.1862.1.1"
QC_RETENTION_PERIOD = "0.4.0.1862.1.3"
QC_SSCD = "0.4.0.1862.1.4"
QC_PDS = "0.4.0.1862.1.5"
QC_TYPE = "0.4.0.1862.1.6"
QC_TYPE_ESIGN = "0.4.0.1862.1.6.1"
QC_SYNTAX_V2 = "1.3.6.1.5.5.7.11.2"
SEMANTICS_NATURAL = "0.4.0.194121.1.1"
RETENTION_YEARS = 20  # CAD art. 32(3)(j)


def qc_statements(disclosures: Sequence[tuple[str, str]]) -> x509.UnrecognizedExtension:
    """Build the extension: compliance, SSCD, esign, 20 years of records, disclosure statements, name semantics.

    `disclosures` are pairs of language (ISO 639-1) and https address; one of them must be English (§4.3.4).
    """
    locations = (
        der.sequence(der.tlv(der.IA5_STRING, url.encode()), der.tlv(der.PRINTABLE_STRING, language.encode()))
        for language, url in disclosures
    )
    statements = (
        (QC_COMPLIANCE, b""),
        (QC_SSCD, b""),
        (QC_TYPE, der.sequence(der.oid(QC_TYPE_ESIGN))),
        (QC_RETENTION_PERIOD, der.integer(RETENTION_YEARS)),
        (QC_PDS, der.sequence_of(locations)),
        (QC_SYNTAX_V2, der.sequence(der.oid(SEMANTICS_NATURAL))),
    )
    value = der.sequence_of(der.sequence(der.oid(name), info) for name, info in statements)
    return x509.UnrecognizedExtension(QC_STATEMENTS, value)
