"""The program as its user sees it: run on the simulated card, against an office in memory."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cardclient import cli
from cardclient.network.legs import Network
from cardclient.office import HttpOffice
from cardclient.support.status import HttpWeb
from tests.cardclient.conftest import PIN, PUK

NEW = "62951"
NETWORK = Network("https://ra.example.org", "none", verdict="legs-ok")
WEB = HttpWeb(httpx.MockTransport(lambda _request: httpx.Response(404)))
ALL = ("--pin-file", "@pin", "--accept-all")


@pytest.fixture
def program(card, office, tmp_path, capsys, monkeypatch):
    """Run the program on the simulated card; returns (status, JSON, what people read)."""
    office.now = datetime.now(UTC) + timedelta(minutes=1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    for name, code in (("pin", PIN), ("puk", PUK), ("new", NEW), ("wrong", "00000")):
        (tmp_path / name).write_text(code + "\n")

    def run(command, *arguments, simulated=(card.path,), **changes):
        words = [word for path in simulated for word in ("--simulated", str(path))]
        make = changes.get("make_office") or (
            lambda options: HttpOffice(options.server, transport=office.transport(), sleep=lambda _: None)
        )
        arguments = [each.replace("@", f"{tmp_path}/") if each.startswith("@") else each for each in arguments]
        line = [
            command,
            *words,
            "--server",
            "https://ra.example.org",
            "--json",
            "--settings",
            str(tmp_path / "settings"),
            "--log",
            str(tmp_path / "log"),
            *arguments,
        ]
        status = cli.main(line, make_office=make, try_network=lambda _probe: NETWORK, make_web=lambda _: WEB)
        out, err = capsys.readouterr()
        return status, json.loads(out), err

    return run
