"""A small certification authority for tests: real keys, real certificates, invented names."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cardclient.contract import Slot

TAX_CODE = "RSSMRA85T10A562S"
OLD_START, OLD_END = datetime(2023, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 10, tzinfo=UTC)
NEW_START, NEW_END = datetime(2026, 1, 10, 9, tzinfo=UTC), datetime(2029, 3, 1, 10, tzinfo=UTC)


class FakeAuthority:
    """Issues certificates for the two slots and counts them."""

    def __init__(self, name: str = "Prova CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self.name, self.key.public_key(), OLD_START, NEW_END)
        self.certificate = builder.add_extension(x509.BasicConstraints(True, None), True).sign(
            self.key, hashes.SHA256()
        )
        self.issued: list[bytes] = []

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def issue(
        self, slot: Slot, public_key, *, start=NEW_START, end=NEW_END, tax_code=TAX_CODE, surname="ROSSI"
    ) -> bytes:
        builder = self._builder(subject(slot, tax_code, surname), public_key, start, end)
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        usage["content_commitment" if slot is Slot.SIGNATURE else "digital_signature"] = True
        builder = builder.add_extension(x509.KeyUsage(**usage), True)
        if slot is Slot.AUTHENTICATION:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        der = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.issued.append(der)
        return der

    def _builder(self, name, public_key, start, end):
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )


def subject(slot: Slot, tax_code: str, surname: str) -> x509.Name:
    if slot is Slot.AUTHENTICATION:
        parts = [(NameOID.COMMON_NAME, f"{tax_code}/7430000000000001.q3F/x+0="), (NameOID.COUNTRY_NAME, "IT")]
    else:
        parts = [
            (NameOID.COMMON_NAME, f"MARIO {surname}"),
            (NameOID.SERIAL_NUMBER, f"TINIT-{tax_code}"),
            (NameOID.GIVEN_NAME, "MARIO"),
            (NameOID.SURNAME, surname),
            (NameOID.COUNTRY_NAME, "IT"),
        ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
