"""`Log`: what the window shows of the last runs, and what its buttons do."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from shiboken6 import isValid

from cardclient.support.log import Logbook
from cardclient.ui.about import AboutDialog
from cardclient.ui.log_window import LogWindow
from tests.cardclient.conftest import NOW

FLOW, NETWORK = logging.getLogger("cardclient.flow"), logging.getLogger("cardclient.network")


@pytest.fixture
def logbook(tmp_path):
    before = Logbook(tmp_path, now=NOW - timedelta(days=1))
    FLOW.info("yesterday")
    before.close()
    made = Logbook(tmp_path, now=NOW)
    FLOW.info("phase scan")
    NETWORK.warning("the proxy closed the connection")
    yield made
    made.close()


@pytest.fixture
def kept():
    return []


@pytest.fixture
def window(qtbot, logbook, kept, tmp_path):
    made = LogWindow(logbook, lambda: NOW, kept.append, ask=lambda *_: tmp_path / "saved.txt")
    made.show()
    yield made
    if isValid(made):
        made.close()


def texts(window):
    return [entry.text for entry in window.table.entries]


def test_this_run_is_shown_first_and_earlier_ones_on_demand(window):
    assert texts(window) == ["phase scan", "the proxy closed the connection"]
    window.runs.setCurrentIndex(1)
    assert texts(window) == ["yesterday"]


def test_lines_are_filtered_by_level_and_text(window):
    window.level.setCurrentIndex(2)
    assert texts(window) == ["the proxy closed the connection"]
    window.level.setCurrentIndex(0)
    window.search.setText("PHASE")
    assert texts(window) == ["phase scan"]
    window.search.setText("nothing like it")
    assert window.empty.isVisible()


def test_what_the_run_writes_meanwhile_appears(window):
    FLOW.info("phase login")
    window._look_again()
    assert texts(window)[-1] == "phase login"


def test_the_detailed_log_is_switched_at_once_and_kept(window, logbook, kept):
    window.debug.box.setChecked(True)
    assert logbook.debug
    assert kept == [True]
    NETWORK.debug("POST /scan")
    window._look_again()
    assert texts(window)[-1] == "POST /scan"


def test_all_runs_are_saved_as_one_text(window, tmp_path):
    window.save_button.click()
    saved = (tmp_path / "saved.txt").read_text("utf-8")
    assert saved.index("yesterday") < saved.index("phase scan")
    assert "Log salvati." in window.notice.text


def test_a_place_that_cannot_be_written_is_said(qtbot, logbook, tmp_path):
    window = LogWindow(logbook, lambda: NOW, lambda _: None, ask=lambda *_: tmp_path / "none" / "saved.txt")
    window.save_button.click()
    assert "Il file non è stato salvato." in window.notice.text
    window.close()


def test_who_changes_his_mind_saves_nothing(qtbot, logbook, tmp_path):
    window = LogWindow(logbook, lambda: NOW, lambda _: None, ask=lambda *_: None)
    window.save_button.click()
    assert window.notice.isHidden()
    window.close()


def test_earlier_logs_are_deleted_at_the_second_click_only(window, logbook):
    window.delete_button.click()
    assert len(logbook.runs()) == 2
    window.delete_button.click()
    assert [run.current for run in logbook.runs()] == [True]
    assert not window.delete_button.isEnabled()


def test_tab_goes_from_the_filters_to_the_buttons_below(qtbot, window):
    seen = [window.focusWidget()]
    for _ in range(7):
        window.focusNextChild()
        seen.append(window.focusWidget())
    filters = [window.runs, window.level, window.search, window.view, window.debug.box]
    assert seen == [*filters, window.back_button, window.delete_button, window.save_button]


def test_esc_closes(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not isValid(window) or not window.isVisible()


def test_the_about_dialog_names_versions_and_licences(qtbot, tmp_path):
    from PySide6.QtWidgets import QLabel

    from cardclient import __version__

    dialog = AboutDialog(tmp_path, "https://ra.example.org")
    texts = {each.text() for each in dialog.findChildren(QLabel)}
    assert {__version__, "https://ra.example.org", str(tmp_path)} <= texts
    assert any("LGPL-3.0" in text for text in texts)
    dialog.close()
