"""CRLs as files: what the row says, whole at every instant, never an older list than the one that lay there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command
from django.db import transaction

from authority import tasks
from authority.errors import CrlDamaged, CrlSuperseded
from authority.models import CertificationAuthority, Crl
from authority.services import publication
from authority.services.files import PublicFolder
from runtime import files
from runtime.files import Disk, alone_in
from tests.authority import asking, lists
from tests.authority.asking import AT, later

STEPS = ("write", "flush", "rename", "flush_folder")


class FullDisk(Disk):
    """Refuses one of the steps, as a full disk does; `write` after half of the bytes."""

    def __init__(self, step: str) -> None:
        self.step = step

    def write(self, descriptor, octets):
        if self.step == "write":
            super().write(descriptor, octets[: len(octets) // 2])
        self._reach("write")
        super().write(descriptor, octets)

    def flush(self, descriptor):
        self._reach("flush")
        super().flush(descriptor)

    def rename(self, old, new):
        self._reach("rename")
        super().rename(old, new)

    def flush_folder(self, folder):
        self._reach("flush_folder")
        super().flush_folder(folder)

    def _reach(self, step):
        if step == self.step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Killed(FullDisk):
    """The process is gone at one of the steps."""

    def _reach(self, step):
        if step == self.step:
            os._exit(9)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pki"


def number(path: Path) -> int:
    crl = x509.load_der_x509_crl(path.read_bytes())
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_every_list_and_ca_certificate_lies_where_its_address_says(gateway, folder):
    written = PublicFolder(folder).export()

    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.cr[lt]")}
    expected = {
        "crl/root.crl": lists.der("root"),
        "crl/cns.crl": lists.der("cns"),
        "crl/cns/2026.crl": lists.der("cns", 2026),
        "crl/signature.crl": lists.der("signature"),
        "crl/signature/2026.crl": lists.der("signature", 2026),
        "crl/smime.crl": lists.der("smime"),
        "crl/smime/2026.crl": lists.der("smime", 2026),
    }
    certificates = {f"ca/{row.role}.crt": bytes(row.certificate) for row in CertificationAuthority.objects.all()}
    assert found == expected | certificates
    assert written == len(found)
    assert {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*.cr[lt]")} == {"0o644"}


def test_only_what_is_new_is_written(gateway, issued, folder):
    PublicFolder(folder).export()
    assert PublicFolder(folder).export() == 0

    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(later(seconds=1))

    assert PublicFolder(folder).export() == 2
    assert (folder / "crl/cns/2026.crl").read_bytes() == lists.der("cns", 2026)


def test_the_task_that_publishes_writes_the_files_too(committed_gateway, clock, settings, folder):
    settings.CRL_FOLDER = str(folder)
    ref = committed_gateway.issue(asking.request(), at=AT).ref
    committed_gateway.hold(ref, request_id=uuid4(), at=AT)
    clock.instant = later(seconds=5)

    assert tasks.publish_crls() == 2
    assert x509.load_der_x509_crl((folder / "crl/cns/2026.crl").read_bytes()).get_revoked_certificate_by_serial_number(
        ref.serial
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_leaves_a_whole_list_and_the_next_run_makes_it_good(gateway, issued, folder, step):
    PublicFolder(folder).export()
    path = folder / "crl/cns/2026.crl"
    before = path.read_bytes()
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(later(seconds=1))

    with pytest.raises(OSError, match="No space left"):
        PublicFolder(folder, FullDisk(step)).export()

    # Whether a rename that is not flushed is still there after a power cut is the disk's to say; whole it is anyhow.
    assert path.read_bytes() == (lists.der("cns", 2026) if step == "flush_folder" else before)
    assert not list(folder.rglob(".*.new"))
    PublicFolder(folder).export()
    assert path.read_bytes() == lists.der("cns", 2026)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_any_step_leaves_a_whole_file(tmp_path, step):
    path = tmp_path / "cns.crl"
    path.write_bytes(b"old" * 1000)

    child = os.fork()
    if not child:
        files.replace(path, b"new!" * 1000, Killed(step))
        os._exit(0)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 9
    assert path.read_bytes() == (b"new!" * 1000 if step == "flush_folder" else b"old" * 1000)
    files.replace(path, b"new!" * 1000, Disk())
    assert path.read_bytes() == b"new!" * 1000
    assert [each.name for each in tmp_path.iterdir()] == ["cns.crl"]


def test_one_list_that_cannot_be_written_stops_no_other(gateway, folder):
    (folder / "crl/cns.crl").mkdir(parents=True)

    with pytest.raises(OSError):
        PublicFolder(folder).export()

    assert (folder / "crl/signature/2026.crl").read_bytes() == lists.der("signature", 2026)


def test_two_exporters_do_not_meet(gateway, folder):
    PublicFolder(folder).export()
    (folder / "crl/cns.crl").unlink()

    with alone_in(folder) as is_alone:
        assert is_alone
        assert PublicFolder(folder).export() == 0
    assert PublicFolder(folder).export() == 1


def test_after_a_restored_database_the_file_stays_until_a_higher_number_is_published(gateway, issued, folder):
    """The folder has lists from a time that the restored database knows nothing of, and its clock has not reached."""
    backup = transaction.savepoint()
    gateway.hold(issued.ref, request_id=uuid4(), at=later(days=30))
    publication.publish_due(later(days=30))
    PublicFolder(folder).export()
    path = folder / "crl/cns/2026.crl"
    ahead, kept = number(path), path.read_bytes()
    transaction.savepoint_rollback(backup)

    with pytest.raises(CrlSuperseded):
        PublicFolder(folder).export()
    assert path.read_bytes() == kept

    publication.publish_due(later(days=1), seen=PublicFolder(folder).number_of)
    PublicFolder(folder).export()
    assert number(path) > ahead


@pytest.mark.parametrize("damage", ["tail", "sha256", "number"])
def test_a_damaged_list_is_never_written(gateway, issued, folder, damage):
    PublicFolder(folder).export()
    gateway.hold(issued.ref, request_id=uuid4(), at=AT)
    publication.publish_due(later(seconds=1))
    path = folder / "crl/cns/2026.crl"
    before = path.read_bytes()
    row = Crl.objects.get(issuer__role="cns", year=2026)
    bad = {"tail": bytes(row.tail)[:-1] + b"\x00", "sha256": b"\x00" * 32, "number": row.number + 1}[damage]
    Crl.objects.filter(pk=row.pk).update(**{"number": row.number + 1, damage: bad})

    with pytest.raises(CrlDamaged):
        PublicFolder(folder).export()

    assert path.read_bytes() == before


def test_a_file_that_is_no_list_is_replaced(gateway, folder):
    PublicFolder(folder).export()
    path = folder / "crl/cns.crl"
    path.write_bytes(path.read_bytes()[:100])

    PublicFolder(folder).export()

    assert path.read_bytes() == lists.der("cns")


def test_the_command_writes_and_says_how_many(gateway, folder, capsys, settings):
    call_command("export_crls", folder=str(folder))
    assert capsys.readouterr().out == "11 files written.\n"

    settings.CRL_FOLDER = ""
    with pytest.raises(CommandError):
        call_command("export_crls", folder="")
