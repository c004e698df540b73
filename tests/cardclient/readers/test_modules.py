"""Modules are found by fixed names in the system's folders, and never where a user could put one."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

import pytest

from cardclient.readers.families import known
from cardclient.readers.modules import FOLDERS, SystemDisk, installed, is_protected, ordered_for, version_in_name
from cardclient.readers.systems import System, this_system
from cardclient.readers.windows import FIXED_INFO, SIGNATURE, file_version, system_folder
from tests.cardclient.readers.fake_modules import COMMERCIAL, IDEMIA, IDPROTECT, OPENSC, XPKI, module


class FakeDisk:
    """Files in folders of a system."""

    def __init__(self, folders, files):
        self._folders, self._files, self.asked = folders, files, []

    def folders(self):
        return self._folders

    def find(self, folder, name):
        path = f"{folder}/{name}"
        self.asked.append(path)
        return path if path in self._files else None

    def version(self, path):
        return "1.4" if "xpki" in path else None


def test_modules_of_every_driver_are_found_in_the_first_folder_that_has_them():
    disk = FakeDisk(["/a", "/b"], {"/b/libbit4xpki.so", "/a/libASEP11.so", "/b/libASEP11.so"})
    found = installed(disk, system=System.LINUX)
    assert [(each.path, each.driver.key, each.version) for each in found] == [
        ("/a/libASEP11.so", "idprotect", None),
        ("/b/libbit4xpki.so", "xpki", "1.4"),
    ]
    assert found[0].name == "libASEP11.so"


def test_windows_is_searched_for_windows_names_in_its_own_folder_only():
    disk = FakeDisk([r"C:\Windows\System32"], {r"C:\Windows\System32/bit4xpki.dll"})
    assert [each.driver.key for each in installed(disk, system=System.WINDOWS)] == ["xpki"]
    assert all(each.startswith(r"C:\Windows\System32/") and each.endswith(".dll") for each in disk.asked)


def test_a_module_in_a_folder_that_anybody_can_write_is_not_taken(tmp_path):
    path = tmp_path / "libbit4xpki.so"
    path.touch()
    for mode in (0o777, 0o775):
        tmp_path.chmod(mode)
        assert not is_protected(path)
    assert SystemDisk(System.LINUX).find(str(tmp_path), "libbit4xpki.so") is None


@pytest.mark.skipif(this_system() is not System.LINUX, reason="Linux's folders")
def test_the_systems_own_libraries_are_protected_and_a_link_is_followed_first(tmp_path):
    real = Path("/usr/bin/env").resolve()
    assert is_protected(real)
    (tmp_path / "libx.so").symlink_to(real)
    assert SystemDisk(System.LINUX).find(str(tmp_path), "libx.so") == str(real)
    assert SystemDisk(System.LINUX).find(str(tmp_path), "absent.so") is None


def test_folders_are_full_paths_that_name_nobodys_home():
    for folders in FOLDERS.values():
        assert all(each.startswith(("/usr/", "/Library/")) and "~" not in each for each in folders)


def test_no_environment_variable_moves_the_search(monkeypatch):
    for name in ("PATH", "LD_LIBRARY_PATH", "SystemRoot"):
        monkeypatch.setenv(name, "/home/someone")
    assert "/home/someone" not in SystemDisk(System.LINUX).folders()
    assert isinstance(installed(), tuple)


def test_the_familys_driver_comes_first_and_one_that_only_reads_comes_last():
    modules = [module(OPENSC), module(IDPROTECT), module(XPKI)]
    idemia = known().by_atr(IDEMIA)
    assert [each.path for each in ordered_for(idemia, modules)] == [XPKI, IDPROTECT]
    assert [each.path for each in ordered_for(known().by_atr(COMMERCIAL), modules)] == [IDPROTECT, XPKI, OPENSC]


@pytest.mark.parametrize(
    ("path", "version"),
    [("/usr/lib/libx.so.1.4.10", "1.4.10"), ("/usr/lib/libx.so", None), ("/Library/libx.2.1.dylib", "2.1")],
)
def test_a_version_that_stands_in_the_name_is_read(path, version):
    assert version_in_name(path) == version


class FakeKernel:
    def __init__(self, folder):
        self.folder = folder

    def GetSystemDirectoryW(self, text, size):  # noqa: N802 - Windows' own name
        if len(self.folder) >= size:
            return len(self.folder) + 1
        text.value = self.folder
        return len(self.folder)


class FakeVersions:
    """version.dll with one file's resource."""

    def __init__(self, numbers, signature=SIGNATURE):
        high, low = (numbers[0] << 16) | numbers[1], (numbers[2] << 16) | numbers[3]
        self.fixed = ctypes.create_string_buffer(struct.pack(FIXED_INFO, signature, 0, high, low, *[0] * 9))

    def GetFileVersionInfoSizeW(self, path, _handle):  # noqa: N802 - the same
        return 100 if path.endswith(".dll") else 0

    def GetFileVersionInfoW(self, _path, _handle, _size, _data):  # noqa: N802 - the same
        return 1

    def VerQueryValueW(self, _data, _block, value, length):  # noqa: N802 - the same
        value._obj.value = ctypes.addressof(self.fixed)
        length._obj.value = struct.calcsize(FIXED_INFO)
        return 1


def test_windows_tells_its_folder_itself():
    assert system_folder(FakeKernel(r"D:\Windows\system32")) == r"D:\Windows\system32"
    assert not system_folder(FakeKernel("x" * 300))


def test_a_file_version_of_windows_is_four_numbers():
    assert file_version(r"C:\a.dll", FakeVersions((1, 4, 10, 647))) == "1.4.10.647"
    assert file_version(r"C:\a.txt", FakeVersions((1, 4, 10, 647))) is None
    assert file_version(r"C:\a.dll", FakeVersions((1, 4, 10, 647), signature=0)) is None
