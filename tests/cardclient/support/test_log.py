"""The log of the last runs: bounded, this user's alone, without secrets, and never in the way of a renewal."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cardclient.support.log import HALF, RUNS, Logbook, crashed, watching

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LOG = logging.getLogger("cardclient.flow")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def begin(folder):
    opened = []

    def begin(now=NOW, **options):
        opened.append(Logbook(folder, now=now, **options))
        return opened[-1]

    yield begin
    for each in reversed(opened):
        each.close()


def test_a_run_writes_one_file_that_only_its_user_can_read(begin, folder):
    book = begin()
    LOG.info("phase %s", "scan")
    (run,) = book.runs()
    assert run.current
    assert run.began == NOW
    assert run.path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert run.path.read_text("utf-8").endswith(" INFO cardclient.flow phase scan\n")


def test_secrets_are_masked_on_disk_and_in_memory(begin):
    book = begin()
    LOG.warning("pin=%s tax %s", "48273", "RSSMRA80A01H501U")
    for text in (book.text(), book.export(), book.excerpt(1000)):
        assert "48273" not in text
        assert "RSSMRA80A01H501U" not in text
        assert "pin=" in text


def test_details_are_written_only_while_the_switch_is_on(begin):
    book = begin()
    LOG.debug("one")
    book.set_debug(True)
    assert book.debug
    LOG.debug("two")
    book.set_debug(False)
    LOG.debug("three")
    assert [entry.text for entry in book.entries()] == ["two"]


def test_no_text_can_forge_an_entry(begin):
    book = begin()
    LOG.info("first\n2026-01-01T00:00:00.000Z ERROR cardclient.flow forged")
    (entry,) = book.entries()
    assert entry.level == "INFO"
    assert entry.text.splitlines()[1].endswith("forged")


def test_entries_are_filtered_by_level_and_text(begin):
    book = begin()
    LOG.info("phase scan")
    LOG.warning("Ended: card-removed")
    logging.getLogger("cardclient.office").info("POST /scan: 200")
    assert [entry.text for entry in book.entries(level=logging.WARNING)] == ["Ended: card-removed"]
    assert [entry.text for entry in book.entries(contains="ENDED")] == ["Ended: card-removed"]
    assert [entry.logger for entry in book.entries(contains="office")] == ["cardclient.office"]


def test_the_last_twenty_runs_are_kept(begin, folder):
    for hour in range(RUNS + 5):
        book = begin(NOW + timedelta(hours=hour))
        LOG.info("run %s", hour)
        book.close()
    book = begin(NOW + timedelta(hours=100))
    LOG.info("here")
    assert len(book.runs()) == RUNS + 1  # this one, and twenty before it
    assert "run 4\n" not in book.export()
    assert "run 24\n" in book.export()


def test_one_run_is_never_larger_than_a_megabyte_and_keeps_its_latest_lines(begin, folder):
    assert 2 * HALF == 1024 * 1024
    book = begin(half=20_000)
    for number in range(100):
        LOG.info("%s %s", number, "x" * 1000)
    assert 20_000 < book.runs()[0].size <= 40_000
    assert sum(each.stat().st_size for each in folder.iterdir()) <= 40_000
    assert " 99 x" in book.text()
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in folder.iterdir())


def _write_run(folder, word):
    book = Logbook(Path(folder), now=NOW)
    for number in range(300):
        LOG.info("%s %s", word, number)
    book.close()


def test_two_programs_at_once_write_side_by_side(begin, folder):
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_write_run, args=(str(folder), word)) for word in ("alpha", "beta")]
    for each in others:
        each.start()
    for each in others:
        each.join(30)
    book = begin()
    texts = [book.text(run) for run in book.runs() if not run.current]
    assert sorted((text.count(" alpha "), text.count(" beta ")) for text in texts) == [(0, 300), (300, 0)]


def test_a_folder_that_cannot_be_made_costs_no_renewal(tmp_path):
    (tmp_path / "file").write_text("in the way")
    book = Logbook(tmp_path / "file" / "logs", now=NOW)
    try:
        LOG.info("phase scan")
        assert not book.on_disk
        assert "phase scan" in book.text()
        assert "phase scan" in book.export()
        assert [entry.text for entry in book.entries()] == ["phase scan"]
        book.clear()
        assert book.runs() == ()
    finally:
        book.close()


def test_a_full_disk_costs_lines_and_no_renewal(begin):
    book = begin()
    LOG.info("before")
    book._handler.stream.close()
    book._handler.stream = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115 - the handler closes it
    LOG.info("while full")
    assert not book.on_disk
    LOG.info("after")
    assert "while full" in book.text()
    assert "after" in book.text()


def test_a_folder_that_disappears_costs_no_renewal(begin, folder):
    book = begin()
    LOG.info("before")
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()
    LOG.info("after")
    assert "after" in book.export()


def test_logs_can_be_cleared_but_for_the_one_being_written(begin):
    begin().close()
    book = begin(NOW + timedelta(hours=1))
    LOG.info("here")
    book.clear()
    assert [run.current for run in book.runs()] == [True]


def test_an_excerpt_is_the_latest_whole_lines(begin):
    book = begin()
    for number in range(100):
        LOG.info("line %s end", number)
    part = book.excerpt(500)
    assert len(part) <= 500
    assert part.endswith("line 99 end\n")
    assert all(line.endswith(" end") for line in part.splitlines())


def test_an_entry_whose_arguments_do_not_fit_is_lost_alone(begin, capsys):
    book = begin()
    LOG.info("%d", "no number")
    LOG.info("next")
    assert "next" in book.text()
    assert capsys.readouterr().err == ""


def fail(pin):
    raise RuntimeError(f"wrong {pin}")


def test_a_crash_is_told_by_kind_and_place_without_text_or_values(begin):
    book = begin()
    try:
        fail("48273")
    except RuntimeError as problem:
        crashed((type(problem), problem, problem.__traceback__), where="the flow")
    (entry,) = book.entries(level=logging.ERROR)
    assert "client-error in the flow: RuntimeError" in entry.text
    assert "in fail" in entry.text
    assert "48273" not in book.text()


def test_what_nobody_caught_is_logged_and_told_once(begin, capsys):
    book, told = begin(), []
    with watching(lambda: told.append(True)):
        thread = threading.Thread(target=fail, args=("48273",))
        thread.start()
        thread.join()
        try:
            fail("48273")
        except RuntimeError:
            sys.excepthook(*sys.exc_info())
    assert len(told) == 2
    assert len(list(book.entries(level=logging.ERROR))) == 2
    assert "48273" not in book.text() + capsys.readouterr().err


def test_the_file_of_a_run_names_the_process_that_wrote_it(begin):
    book = begin()
    LOG.info("here")
    assert book.runs()[0].path.name == f"run-20261122T080000Z-{os.getpid()}.log"
