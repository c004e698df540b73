"""The bridge: work in its own thread, endings by name, questions that are always answered, readers that may fail."""

from __future__ import annotations

import logging
import threading

import pytest

from cardclient.errors import Declined, WrongPin
from cardclient.ports import Notice, Phase, ReaderState, SecretKind
from cardclient.secret import Secret
from cardclient.ui.bridge import Done, Job, ReaderWatch, Stopped, WindowScreen, Worker
from cardclient.ui.questions import AskSecret
from tests.cardclient.conftest import PIN


@pytest.fixture
def worker(qapp):
    made = Worker()
    yield made
    made.stop()


def ending_of(qtbot, worker, work):
    job = Job(work)
    with qtbot.waitSignal(job.ended, timeout=5000) as told:
        worker.start(job)
    return told.args[0]


def test_work_runs_in_another_thread_and_comes_back_to_the_window_s(qtbot, worker):
    heard = []
    job = Job(threading.get_ident)
    job.ended.connect(lambda _ending: heard.append(threading.get_ident()))
    with qtbot.waitSignal(job.ended) as told:
        worker.start(job)
    assert told.args[0].value != threading.get_ident()
    assert heard == [threading.get_ident()]


def test_a_named_failure_comes_back_by_its_name(qtbot, worker):
    def wrong():
        raise WrongPin

    ending = ending_of(qtbot, worker, wrong)
    assert isinstance(ending, Stopped)
    assert ending.problem.code == "pin-wrong"


def test_an_unforeseen_failure_is_told_by_kind_and_place_and_never_by_its_text(qtbot, worker, caplog):
    def broken():
        raise RuntimeError(PIN)

    with caplog.at_level(logging.ERROR):
        ending = ending_of(qtbot, worker, broken)
    assert ending.problem.code == "client-error"
    assert "RuntimeError" in caplog.text
    assert PIN not in caplog.text


def test_one_job_follows_the_other(qtbot, worker):
    order = []
    worker.do(lambda: order.append(1))
    assert isinstance(ending_of(qtbot, worker, lambda: order.append(2)), Done)
    assert order == [1, 2]


def test_a_question_waits_for_its_answer_and_takes_only_one(qtbot, worker):
    screen = WindowScreen()
    job = worker.do(lambda: screen.ask_secret(SecretKind.PIN, None))
    with qtbot.waitSignal(screen.asked) as asked:
        pass
    assert asked.args[0] == AskSecret(SecretKind.PIN, None)
    given = Secret("48273")
    with qtbot.waitSignal(job.ended) as told:
        screen.answer(given)
        screen.answer(Secret("00000"))
    assert told.args[0].value is given


def test_closing_answers_the_question_that_stands_and_every_later_one(qtbot, worker):
    screen = WindowScreen()
    job = worker.do(lambda: (screen.ask_secret(SecretKind.PIN, None), screen.wants_unblock(), screen.accept_texts(())))
    with qtbot.waitSignal(screen.asked):
        pass
    with qtbot.waitSignal(job.ended) as told:
        assert screen.close()
    assert told.args[0].value == (None, False, False)


def test_nothing_closes_while_the_card_is_written_and_nothing_is_written_behind_a_closed_window(qapp):
    screen = WindowScreen()
    screen.writing(True)
    assert not screen.close()
    screen.writing(False)
    assert screen.close()
    with pytest.raises(Declined):
        screen.writing(True)


def test_notices_and_phases_arrive_in_their_order(qtbot, worker):
    screen, seen = WindowScreen(), []
    screen.told.connect(seen.append)
    screen.phase_changed.connect(seen.append)

    def speak():
        screen.phase(Phase.LOGIN)
        screen.say(Notice("pin-tried"))

    ending_of(qtbot, worker, speak)
    qtbot.waitUntil(lambda: seen == [Phase.LOGIN, Notice("pin-tried")])


class Faulty:
    """Readers whose service comes and goes."""

    def __init__(self):
        self.broken = False

    def snapshot(self):
        if self.broken:
            raise OSError
        return (ReaderState("lettore", b"\x3b"),)

    def wait(self, seconds):
        threading.Event().wait(0.02)
        return False


class Swapped:
    """A reader in which, between two looks, a card makes room for its twin: same reader, same ATR."""

    def __init__(self):
        self.events = 1

    def snapshot(self):
        return (ReaderState("lettore", b"\x3b", self.events),)

    def wait(self, seconds):
        threading.Event().wait(0.02)
        return False


def test_the_watch_tells_of_a_twin_put_in_between_two_looks(qtbot):
    readers = Swapped()
    watch, seen = ReaderWatch(readers), []
    watch.changed.connect(seen.append)
    watch.start()
    qtbot.waitUntil(lambda: len(seen) == 1)
    readers.events += 2
    qtbot.waitUntil(lambda: len(seen) == 2)
    watch.stop()


def test_the_watch_outlives_a_reader_service_that_fails(qtbot):
    readers = Faulty()
    watch, seen = ReaderWatch(readers), []
    watch.changed.connect(seen.append)
    watch.start()
    qtbot.waitUntil(lambda: len(seen) == 1)
    readers.broken = True
    qtbot.waitUntil(lambda: seen[-1] == ())
    readers.broken = False
    qtbot.waitUntil(lambda: len(seen) == 3)
    watch.stop()
    assert seen[-1][0].name == "lettore"
