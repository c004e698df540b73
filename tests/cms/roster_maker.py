"""Files for imports: people nobody knows, cards, cheap certificates of an issuing CA made for the test."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.tax_code import check_letter
from tests.panel.town import NOW, TYPES

CONSONANTS = "BCDFGLMNPRST"
HEADER = (
    "codice_fiscale",
    "cognome",
    "nome",
    "email",
    "cellulare",
    "seriale_carta",
    "famiglia_carta",
    "prima_emissione",
    "attivata_il",
    "certificato_autenticazione",
    "certificato_firma",
)


def tax_code(number: int) -> str:
    """One of millions of well-formed codes."""
    letters = "".join(CONSONANTS[number // 12**power % 12] for power in range(5))
    body = f"{letters}A85T10A{number % 1000:03d}"
    return body + check_letter(body)


@dataclass
class Person:
    """A row of the table with its certificates (DER by type)."""

    cells: dict[str, str]
    certificates: dict[str, bytes] = field(default_factory=dict)

    def but(self, **cells: str) -> Person:
        """The same row with other cells."""
        return replace(self, cells=self.cells | cells)


class Mint:
    """An issuing CA with a quick key."""

    def __init__(self, name: str = "CA di prova per le importazioni") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key_id = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = self._builder(self.name, self.key.public_key(), datetime(2040, 1, 1, tzinfo=UTC), 1)
        builder = builder.add_extension(self.key_id, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = self._signed(builder)

    def person(self, number: int, *, types: Sequence[str] = TYPES, days: float = 200) -> Person:
        """A row that may be registered as it stands."""
        code, card = tax_code(number), f"7{number:015d}"
        cells = {
            "codice_fiscale": code,
            "cognome": f"Prova{'abcdefghij'[number % 10]}",
            "nome": "Ada",
            "email": f"persona{number}@posta.example.org",
            "cellulare": f"+39347{number:07d}",
            "seriale_carta": card,
            "famiglia_carta": "ACe 2021",
            "prima_emissione": "31/03/2024",
            "attivata_il": "2024-04-02",
        }
        halves = {type_: self.issue(code, card, type_, days=days) for type_ in types}
        return Person(cells, halves)

    def issue(
        self,
        code: str,
        card: str,
        type_: str,
        *,
        days: float = 200,
        key: ec.EllipticCurvePrivateKey | None = None,
        serial: int | None = None,
    ) -> bytes:
        """A certificate that ends so many days after the tests' instant."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        if type_ == "authentication":
            subject = [x509.NameAttribute(NameOID.COMMON_NAME, f"{code}/{card}.MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=")]
        else:
            subject = [
                x509.NameAttribute(NameOID.COMMON_NAME, "Ada Prova"),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, f"TINIT-{code}"),
            ]
        serial = serial or x509.random_serial_number()
        builder = self._builder(x509.Name(subject), key.public_key(), NOW + timedelta(days=days), serial)
        if type_ == "authentication":
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(usage, critical=False)
        else:
            builder = builder.add_extension(_SIGNING, critical=True)
        return self._signed(builder)

    def _builder(self, subject, public_key, not_after, serial):
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=subject,
            public_key=public_key,
            serial_number=serial,
            not_valid_before=datetime(2020, 1, 1, tzinfo=UTC),
            not_valid_after=not_after,
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self.key_id)
        return builder.add_extension(authority, critical=False)

    def _signed(self, builder) -> bytes:
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


_SIGNING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def table(people: Iterable[Person], *, delimiter: str = ";", encoding: str = "utf-8", header=HEADER) -> bytes:
    """The CSV of these people."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=delimiter, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(person.cells for person in people)
    return text.getvalue().encode(encoding)


def archive(people: Iterable[Person], *more: tuple[str, bytes]) -> bytes:
    """The ZIP of their certificates, and other files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for number, person in enumerate(people):
            for type_, der in person.certificates.items():
                packed.writestr(f"{number}-{type_}.cer", der)
        for name, other in more:
            packed.writestr(name, other, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def pem(der: bytes) -> bytes:
    """A certificate as text."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
