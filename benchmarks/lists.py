"""What the CRL benchmark does with the product, in this process (imported once the settings stand)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from django.db import connection

from authority import queries
from authority.models import CertificationAuthority, Crl, LedgerEntry, UnpublishedChange
from authority.services import ceremony, publication, status
from authority.services.files import PublicFolder
from authority.states import Role, State
from benchmarks import ledger
from benchmarks.raw_signatures import make_key
from benchmarks.services import Servers
from pki.gateway import CertificateRef
from runtime import clock

CA_AGE = timedelta(days=3650)
_KIBIBYTE = 1024


@dataclass(frozen=True)
class Lists:
    """A database for each size, named after it, with the files of each in a folder of its own."""

    servers: Servers
    years: Sequence[int]
    key: rsa.RSAPrivateKey

    @classmethod
    def founded(cls, servers: Servers, key_type: str, years: Sequence[int]) -> Lists:
        """Hold the ceremony that all databases are copied from."""
        at = clock.now()
        ceremony.hold_ceremony(key_type=key_type, valid_from=at - CA_AGE, at=at)
        connection.close()
        key = make_key(key_type)
        assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - what the caller asks for
        return cls(servers, years, key)

    def fill(self, size: int) -> None:
        """Make the database of this size, with half as many good certificates; publish all lists once."""
        self.servers.copy_database(str(size))
        with self.of(size):
            listed = dict.fromkeys(self.years, size // len(self.years))
            ledger.fill(self.servers.postgres.address, str(size), listed=listed, good=size // 2)
            publication.publish_due(clock.now())
            self._folder.export()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Work with lists of this size."""
        with ledger.working_on(str(size)):
            yield

    def publish_complete(self, *, is_anew: bool) -> float:
        """Publish the complete list and replace its file, after one change or with all parts anew; seconds."""
        complete = Crl.objects.get(issuer__role=Role.CNS, year=None)
        part = None if is_anew else LedgerEntry.objects.exclude(state=State.GOOD).earliest("pk").part
        at = clock.now()
        UnpublishedChange.objects.create(crl=complete, part=part, at=at)
        begun = time.perf_counter()
        published = publication.publish_due(at)
        self._folder.export()
        took = time.perf_counter() - begun
        assert published == 1, published  # noqa: S101 - or something else was measured
        return took

    def floor(self) -> float:
        """Hash the list's bytes and sign the digest; seconds."""
        der = self._complete()
        begun = time.perf_counter()
        digest = hashlib.sha256(der).digest()
        self._sign(digest)
        return time.perf_counter() - begun

    def memory_of_publication(self) -> float:
        """How much the process grows at most while it publishes, in sizes of the list."""
        size = len(self._complete())
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak: proc(5)
        before = _memory("VmRSS")
        self.publish_complete(is_anew=False)
        return (_memory("VmHWM") - before) / size

    def change_one(self) -> tuple[float, float]:
        """Suspend one certificate and reactivate it; seconds to the commit of its shard, for each."""
        entry = LedgerEntry.objects.select_related("issuer").filter(shard__year=self.years[2], state=State.GOOD)[7]
        ref = CertificateRef(bytes(entry.issuer.key_identifier), entry.serial)
        return self._until_shard(status.hold, ref), self._until_shard(status.release, ref)

    def floor_of_change(self) -> float:
        """Sign one digest and commit one row; seconds."""
        at = clock.now()
        begun = time.perf_counter()
        self._sign(hashlib.sha256(b"a change").digest())
        UnpublishedChange.objects.filter(pk=0).update(at=at)
        return time.perf_counter() - begun

    def measure_rebuild(self, size: int, figures: dict[str, list[float]]) -> None:
        """Make the complete list anew with pyca's builder, given all entries at once; seconds, once."""
        with self.of(size):
            begun = time.perf_counter()
            rows = LedgerEntry.objects.exclude(state=State.GOOD).values_list("serial", "invalid_since").iterator(10_000)
            reason = x509.CRLReason(x509.ReasonFlags.cessation_of_operation)
            at = clock.now().replace(tzinfo=None, microsecond=0)
            entries = [
                x509.RevokedCertificateBuilder(serial, since.replace(tzinfo=None))
                .add_extension(reason, critical=False)
                .build()
                for serial, since in rows
            ]
            name = x509.load_der_x509_certificate(bytes(self._authority.certificate)).subject
            builder = x509.CertificateRevocationListBuilder(name, at, at + timedelta(days=1), [], entries)
            builder.sign(self.key, hashes.SHA256())
            figures["rebuild"].append(time.perf_counter() - begun)

    def _until_shard(self, order: object, ref: CertificateRef) -> float:
        begun = time.perf_counter()
        order(ref, request_id=uuid4(), at=clock.now())  # type: ignore[operator] # hold or release
        # The complete list has its turn after the shards; it is not what is measured.
        taken, _ = UnpublishedChange.objects.filter(crl__year=None).delete()
        published = publication.publish_due(clock.now())
        took = time.perf_counter() - begun
        assert (taken, published) == (1, 1), (taken, published)  # noqa: S101 - or something else was measured
        return took

    def _complete(self) -> bytes:
        found = queries.crl_with_bytes(Role.CNS, None)
        assert found is not None  # noqa: S101 - it was published when the database was filled
        return found[1]

    def _sign(self, digest: bytes) -> None:
        self.key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))

    @property
    def _authority(self) -> CertificationAuthority:
        return CertificationAuthority.objects.get(role=Role.CNS)

    @property
    def _folder(self) -> PublicFolder:
        return PublicFolder(self.servers.folder / f"files-{connection.settings_dict['NAME']}")


def _memory(kind: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, *rest = line.split()
        if name == f"{kind}:":
            return int(rest[0]) * _KIBIBYTE
    raise LookupError(kind)
