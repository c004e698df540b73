"""What the window takes for granted of its library."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QLabel


def test_calls_without_a_result_take_no_reference_from_none(qtbot):
    """6.12.0 gave one back too many on Python 3.11: after a few thousand calls the interpreter aborts."""
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)

    for number in range(2000):
        label.setText(str(number))

    assert abs(sys.getrefcount(None) - before) < 200
