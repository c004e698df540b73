"""A relying party: OpenSSL's own tools, which know of us what a certificate says and what our addresses serve."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.flows.programs import run

# The `ocsp` command compares an answer's times with the machine's clock, whatever -attime says; so let it be years off.
ANY_CLOCK = ("-validity_period", str(50 * 365 * 86_400))


@dataclass(frozen=True)
class Verdict:
    """What a tool said."""

    is_accepted: bool
    text: str


class RelyingParty:
    """Trusts the root alone; fetches everything else over HTTP, from the addresses in the certificates.

    `moved` maps the host in certificates, which is fixed at the ceremony, to where it is served.
    """

    def __init__(self, folder: Path, root: bytes, *, moved: tuple[str, str] = ("", "")) -> None:
        """Store the anchor."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._moved, self._numbers = folder, moved, itertools.count(1)
        self._pem("root.pem", x509.load_der_x509_certificate(root))

    def verify(self, certificate: bytes, *, at: datetime | None = None) -> Verdict:
        """`openssl verify -crl_check` with the shard that the certificate names, and again with the complete list."""
        leaf = self._store(certificate)
        shard = crl_address(leaf.certificate)
        complete = shard.rpartition("/")[0] + ".crl"
        verdicts = [self._verify(leaf, address, at) for address in (shard, complete)]
        assert verdicts[0].is_accepted is verdicts[1].is_accepted, verdicts
        return verdicts[0]

    def ocsp(self, certificate: bytes, *options: str, at: datetime | None = None) -> str:
        """Ask the responder that the certificate names; gives status, and reason where there is one, in one line."""
        leaf = self._store(certificate)
        url = self._served(access(leaf.certificate, x509.AuthorityInformationAccessOID.OCSP))
        done = run(
            "openssl", "ocsp", "-issuer", leaf.issuer, "-cert", leaf.file, "-url", url, "-CAfile", "root.pem",
            "-verify_other", leaf.issuer, *self._attime(at), *(ANY_CLOCK if at else ()), *options, folder=self.folder,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Response verify OK" in done.stderr, said
        assert "WARNING" not in said, said
        assert "Nonce Verify error" not in said, said
        lines = dict(line.strip().split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        return " ".join(part for part in (lines[leaf.file], lines.get("Reason", "")) if part)

    def listed_as(self, certificate: bytes) -> x509.ReasonFlags | None:
        """The reason that the certificate's shard gives; None where the certificate is not listed."""
        leaf = x509.load_der_x509_certificate(certificate)
        crl = x509.load_der_x509_crl(self.fetch(crl_address(leaf)))
        entry = crl.get_revoked_certificate_by_serial_number(leaf.serial_number)
        return None if entry is None else entry.extensions.get_extension_for_class(x509.CRLReason).value.reason

    def fetch(self, address: str) -> bytes:
        """GET, as any relying party."""
        with urlopen(self._served(address), timeout=30) as answer:  # noqa: S310 - an address of ours
            return answer.read()

    def _verify(self, leaf: _Leaf, crl_url: str, at: datetime | None) -> Verdict:
        self._pem("crl.pem", x509.load_der_x509_crl(self.fetch(crl_url)))
        done = run(
            "openssl", "verify", "-x509_strict", "-crl_check", *self._attime(at), "-CAfile", "root.pem",
            "-untrusted", leaf.issuer, "-CRLfile", "crl.pem", leaf.file, folder=self.folder,
        )  # fmt: skip
        return Verdict(done.returncode == 0, done.stdout + done.stderr)

    def _store(self, certificate: bytes) -> _Leaf:
        number, leaf = next(self._numbers), x509.load_der_x509_certificate(certificate)
        issuer = self.fetch(access(leaf, x509.AuthorityInformationAccessOID.CA_ISSUERS))
        stored = _Leaf(leaf, f"leaf-{number}.pem", f"issuer-{number}.pem")
        self._pem(stored.file, leaf)
        self._pem(stored.issuer, x509.load_der_x509_certificate(issuer))
        return stored

    def _served(self, address: str) -> str:
        return address.replace(*self._moved) if self._moved[0] else address

    def _pem(self, name: str, thing: x509.Certificate | x509.CertificateRevocationList) -> None:
        (self.folder / name).write_bytes(thing.public_bytes(Encoding.PEM))

    @staticmethod
    def _attime(at: datetime | None) -> tuple[str, ...]:
        return () if at is None else ("-attime", str(int(at.timestamp())))


@dataclass(frozen=True)
class _Leaf:
    certificate: x509.Certificate
    file: str
    issuer: str


def crl_address(certificate: x509.Certificate) -> str:
    """The distribution point that the certificate names."""
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return next(name.value for point in points for name in point.full_name or ())


def access(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> str:
    """The address of this kind in the Authority Information Access extension."""
    found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return next(each.access_location.value for each in found if each.access_method == method)
