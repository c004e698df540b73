"""A data folder that is not ours, not whole or not free is left exactly as it was, and the message says what to do."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from runtime.embedded.accounts import service_account
from runtime.embedded.errors import FolderRefused, ProgramMissing
from runtime.embedded.folder import DataFolder, default_folder
from runtime.embedded.postgres import cluster_version
from runtime.embedded.sockets import LONGEST_SOCKET_NAME, LONGEST_SOCKET_PATH, socket_folder
from tests.embedded.conftest import Keeper


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_with_other_files_is_refused_and_left_alone(keeper: Keeper) -> None:
    keeper.folder.mkdir()
    (keeper.folder / "thesis.odt").write_text("years of work")
    shown = keeper.start()
    assert "contiene file che non sono di Sigillo" in shown
    status, english = keeper.outcome()
    assert status == FolderRefused.exit_code
    assert "SIGILLO_DATA_DIR" in english
    assert [path.name for path in keeper.folder.iterdir()] == ["thesis.odt"]


def test_a_damaged_or_unknown_cluster_is_refused_and_left_alone(keeper: Keeper) -> None:
    keeper.start()
    keeper.end(signal.SIGTERM)
    cluster = keeper.folder / "postgres"
    for missing in ("PG_VERSION", "global/pg_control", "base"):
        (cluster / missing).rename(keeper.folder / "aside")
        before = tree(cluster)
        assert "non contiene una base dati PostgreSQL intera" in keeper.start()
        assert keeper.outcome()[0] == FolderRefused.exit_code
        assert tree(cluster) == before
        (keeper.folder / "aside").rename(cluster / missing)
    (cluster / "PG_VERSION").write_text("99\n")
    before = tree(cluster)
    assert "PostgreSQL 99 non trovato" in keeper.start()
    assert keeper.outcome()[0] == ProgramMissing.exit_code
    assert tree(cluster) == before


def test_a_folder_in_use_is_refused_with_the_number_of_its_user(keeper: Keeper) -> None:
    keeper.start()
    first = keeper.runs[0]
    shown = keeper.start()
    assert f"(processo {first.pid})" in shown
    assert keeper.outcome()[0] == FolderRefused.exit_code
    first.terminate()
    first.wait()


def test_a_folder_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sigillo-data").write_text("Sigillo data folder, layout 9\n")
    with pytest.raises(FolderRefused, match="altra versione"):
        DataFolder.open(tmp_path, service_account())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sigillo-data").write_text("Sigillo data folder, layout 1\n")
    os.chown(tmp_path, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(FolderRefused, match="altro utente"):
        DataFolder.open(tmp_path, service_account())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a service account that is not us")
def test_a_folder_out_of_the_service_account_s_reach_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(FolderRefused, match="non è raggiungibile"):
        DataFolder.open(tmp_path / "data", service_account())


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(FolderRefused):
        DataFolder.open(tmp_path / "data", service_account())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system where nobody can make a folder")
def test_a_folder_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(FolderRefused, match="non si può creare"):
        DataFolder.open(Path("/proc/sigillo"), service_account())


def test_an_empty_or_missing_cluster_folder_has_no_version(tmp_path: Path) -> None:
    assert cluster_version(tmp_path) is None
    assert cluster_version(tmp_path / "absent") is None


def test_sockets_of_a_deep_data_folder_lie_in_a_short_private_one(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    found = socket_folder(deep, service_account())
    try:
        assert len(str(found) + LONGEST_SOCKET_NAME) <= LONGEST_SOCKET_PATH
        assert found.stat().st_mode & 0o777 == 0o700
        assert socket_folder(deep, service_account()) == found
    finally:
        found.rmdir()


def test_a_foreign_folder_under_the_name_of_our_sockets_is_not_used(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    first = socket_folder(deep, service_account())
    first.rmdir()
    first.symlink_to(tmp_path)
    second = socket_folder(deep, service_account())
    try:
        assert second != first
        assert not second.is_symlink()
    finally:
        first.unlink()
        second.rmdir()


def test_the_data_folder_is_what_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGILLO_DATA_DIR", str(tmp_path))
    assert default_folder(Path("/project")) == tmp_path
    monkeypatch.delenv("SIGILLO_DATA_DIR")
    expected = "/var/lib/sigillo" if os.geteuid() == 0 else "/project/var"
    assert str(default_folder(Path("/project"))) == expected
