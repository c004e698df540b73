"""Figures are told with their noise, and the last line is for programs."""

from __future__ import annotations

import json

import pytest

from benchmarks import report
from benchmarks.report import Spread, Target


def test_the_last_line_is_one_object_with_these_four_keys(capsys):
    ratios = {"product/peer": [3.0, 5.0, 4.0], "noise": [1.0]}

    met = report.conclude("example", ratios, {"product/peer": Target(at_least=4)})

    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(summary) == ["workload", "ratios", "targets", "meets"]
    assert summary["ratios"]["product/peer"] == 4.0
    assert met is summary["meets"] is True


def test_a_missed_target_is_said(capsys):
    assert not report.conclude("example", {"lost": [1.0]}, {"lost": Target(at_most=0)})
    assert "MISSED" in capsys.readouterr().out


def test_a_ratio_is_taken_round_by_round():
    assert report.quotients([10.0, 30.0], [5.0, 10.0]) == [2.0, 3.0]


def test_a_spread_shows_the_noise():
    assert str(Spread.of([1.0, 9.0, 2.0])) == "2.00 (1.00 to 9.00)"


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share, expected):
    assert report.percentile(range(100, 0, -1), share) == expected
