"""Diagnosis, language, preferences and log of the program, and how it is started."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cardclient import __version__, cli
from cardclient.exits import Exit
from cardclient.office import HttpOffice
from cardclient.options import parse
from cardclient.preferences import Preferences, ProxyKind, Store
from cardclient.words import set_language
from tests.cardclient.cli.conftest import NETWORK


def test_diagnose_reports_card_driver_and_network_without_a_code(program, card):
    status, told, _ = program("diagnose")
    report = told["report"]
    assert status == Exit.DONE
    assert report["cards"][0]["serial"] == "7430000000000001"
    assert report["cards"][0]["certificates"][0]["key"] == "ec-256"
    assert report["cards"][0]["token"]["can_generate"] is True
    assert report["network"]["verdict"] == "legs-ok"
    assert "legs-ok" in {each["code"] for each in report["findings"]}
    assert "RSSMRA85T10A562S" not in json.dumps(report)


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "cardclient", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_the_diagnosis_is_readable_by_default_with_its_verdicts_first(card, tmp_path, capsys):
    line = ["diagnose", "--simulator", str(card.path), "--settings", str(tmp_path / "settings")]
    assert cli.main(line, try_network=lambda _probe: NETWORK) == Exit.DONE
    shown = capsys.readouterr().out
    assert shown.startswith("Diagnostica di Sigillo")
    assert shown.index("[legs-ok]") < shown.index("RETE E OROLOGIO")
    assert "7430000000000001" in shown


def test_every_command_speaks_english(card, tmp_path, capsys):
    common = ["--simulator", str(card.path), "--settings", str(tmp_path / "settings"), "--language", "en"]
    try:
        cli.main(["diagnose", *common], try_network=lambda _probe: NETWORK)
        card.eject()
        cli.main(["check", *common])
    finally:
        set_language("it")
    out, err = capsys.readouterr()
    assert out.startswith("Sigillo diagnosis")
    assert "No smart card found. Try inserting it again" in err


def test_what_the_command_line_leaves_open_comes_from_the_preferences(tmp_path):
    Store(tmp_path).save(Preferences(server="https://ra.example.org", debug_log=True))
    options = parse(["scan", "--settings", str(tmp_path)])
    assert (options.server, options.preferences.debug_log) == ("https://ra.example.org", True)
    assert options.preferences.proxy.kind is ProxyKind.SYSTEM
    options = parse(["scan", "--settings", str(tmp_path), "--no-proxy", "--server", "https://other.example.org"])
    assert options.preferences.proxy.kind is ProxyKind.NONE
    assert options.server == "https://other.example.org"


def test_a_run_is_logged_among_the_last_ones(card, office, tmp_path):
    line = ["scan", "--simulator", str(card.path), "--settings", str(tmp_path), "--server", "https://ra.example.org"]
    make = lambda options: HttpOffice(options.server, transport=office.transport())  # noqa: E731 - as the fixture's
    assert cli.main(line, make_office=make) == Exit.DONE
    (log,) = (tmp_path / "logs").iterdir()
    assert log.read_text("utf-8").splitlines()[0].endswith(f"sigillo-card {__version__}: scan")
    assert "phase scan" in log.read_text("utf-8")


def test_a_log_that_cannot_be_written_stops_nothing(card, office, tmp_path):
    (tmp_path / "file").write_text("")
    line = [
        "scan",
        "--server",
        "https://ra.example.org",
        "--simulator",
        str(card.path),
        "--settings",
        str(tmp_path / "file"),
        "--log",
        "/nowhere/at/all",
    ]
    make = lambda options: HttpOffice("https://ra.example.org", transport=office.transport())  # noqa: E731
    assert cli.main(line, make_office=make) == Exit.DONE


def test_from_source_the_command_line_wants_a_server(tmp_path, card, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(["scan", "--simulator", str(card.path), "--settings", str(tmp_path)])
    assert stopped.value.code == Exit.USAGE
    assert "--server" in capsys.readouterr().err
