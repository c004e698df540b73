"""One renewal at a time per card: the lock of this system, and Windows' behind a stand-in of `msvcrt`."""

import errno
import os

import pytest

from cardclient.card_lock import FileLocks, RegionLocks, exclusive
from cardclient.errors import CardError

SERIAL, OTHER = "7430000000000001", "7430000000000002"


class Msvcrt:
    """What `_locking` of Microsoft's C library does: regions of a file, refused to every other handle.

    A region is locked from the file's position on; closing a handle with a region still locked leaves it so for a while.
    """

    LK_UNLCK, LK_LOCK, LK_NBLCK = 0, 1, 2

    def __init__(self):
        self.locked = {}

    def locking(self, handle, mode, length):
        told = os.fstat(handle)
        region = told.st_ino, os.lseek(handle, 0, os.SEEK_CUR), length
        if mode == self.LK_UNLCK:
            if self.locked.pop(region, None) != handle:
                raise OSError(errno.EACCES, "not locked")
        elif region in self.locked:
            raise OSError(errno.EACCES, "locked")
        else:
            self.locked[region] = handle


@pytest.fixture(params=["this system", "windows"])
def locks(request):
    return FileLocks() if request.param == "this system" else RegionLocks(Msvcrt())


def test_a_second_run_on_the_same_card_is_refused_and_one_on_another_is_not(tmp_path, locks):
    with exclusive(SERIAL, tmp_path, locks):
        with pytest.raises(CardError, match="card-in-use"), exclusive(SERIAL, tmp_path, locks):
            pytest.fail("two runs hold one card")
        with exclusive(OTHER, tmp_path, locks):
            pass


def test_a_run_that_fails_lets_the_card_go(tmp_path, locks):
    with pytest.raises(CardError, match="card-memory"), exclusive(SERIAL, tmp_path, locks):
        raise CardError("card-memory")
    with exclusive(SERIAL, tmp_path, locks):
        pass


def test_windows_is_told_to_unlock_before_the_file_is_closed(tmp_path):
    """Regions left locked at the end of a handle are freed by Windows when it finds the time."""
    library = Msvcrt()
    with exclusive(SERIAL, tmp_path, RegionLocks(library)):
        assert len(library.locked) == 1
    assert library.locked == {}


def test_a_refused_run_does_not_take_the_lock_away_from_the_first(tmp_path, locks):
    with exclusive(SERIAL, tmp_path, locks):
        for _ in range(2):
            with pytest.raises(CardError, match="card-in-use"), exclusive(SERIAL, tmp_path, locks):
                pytest.fail("two runs hold one card")


def test_a_folder_that_takes_no_file_does_not_stop_the_holder(tmp_path, locks):
    with exclusive(SERIAL, tmp_path / "absent", locks):
        pass
