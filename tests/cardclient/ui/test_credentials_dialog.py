"""The proxy's login is asked for in the window while the request waits in its thread."""

from __future__ import annotations

import threading

import pytest

from cardclient.network.credentials import NEEDED, WRONG, ProxyQuestion
from cardclient.ui.credentials_dialog import CredentialsDialog, WindowCredentials

QUESTION = ProxyQuestion("proxy.example.org:3128", "mario", NEEDED, can_remember=True)


@pytest.fixture
def asked(qtbot):
    """Ask from a thread; returns the port, the answers and the thread."""
    port, answers = WindowCredentials(), []
    thread = threading.Thread(target=lambda: answers.append(port.ask(QUESTION)))
    thread.start()
    yield port, answers, thread
    port.close()
    thread.join(2)
    assert not thread.is_alive()


def dialog(qtbot):
    from PySide6.QtWidgets import QApplication

    def found():
        return [
            each for each in QApplication.topLevelWidgets() if isinstance(each, CredentialsDialog) and each.isVisible()
        ]

    qtbot.waitUntil(lambda: bool(found()))
    return found()[0]


def test_the_answer_reaches_the_thread_that_waits(qtbot, asked):
    _, answers, thread = asked
    shown = dialog(qtbot)
    shown.password.edit.setText("s3gr3ta!")
    shown.remember.box.setChecked(True)
    shown.submit()
    thread.join(2)
    (login,) = answers
    assert (login.username, login.password.reveal(), login.remember) == ("mario", "s3gr3ta!", True)


def test_who_goes_back_gives_no_login(qtbot, asked):
    _, answers, thread = asked
    dialog(qtbot).reject()
    thread.join(2)
    assert answers == [None]


def test_a_window_that_closes_answers_for_its_holder(qtbot, asked):
    port, answers, thread = asked
    shown = dialog(qtbot)
    port.close()
    thread.join(2)
    assert answers == [None]
    assert not shown.isVisible()
    assert port.ask(QUESTION) is None


def test_a_refused_login_is_said(qtbot):
    shown = CredentialsDialog(ProxyQuestion("proxy.example.org:3128", "mario", WRONG, can_remember=False))
    assert "[proxy-login-wrong]" in shown.notice.text
    assert not shown.notice.isHidden()
    assert shown.remember.isHidden()
    shown.close()


def test_name_and_password_are_both_needed(qtbot):
    shown = CredentialsDialog(QUESTION)
    shown.submit()
    assert shown.password.error
    shown.username.edit.setText("")
    shown.submit()
    assert shown.username.error
    assert shown.login is None
    shown.close()
