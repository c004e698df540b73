"""No code and nothing of the person is written, sent or shown, whatever goes wrong."""

from __future__ import annotations

import json

import pytest

from cardclient.exits import Exit
from cardclient.secret import Secret
from cardclient.simulator import SimulatedCard
from tests.cardclient.cli.conftest import ALL
from tests.cardclient.conftest import PIN, PUK


def test_an_unexpected_error_says_neither_its_text_nor_a_code(program, card, monkeypatch, tmp_path):
    def burst(self, pin):
        raise RuntimeError(f"secret {pin.reveal()}")

    monkeypatch.setattr(SimulatedCard, "login", burst)
    status, told, shown = program("renew", *ALL)
    assert (status, told["code"]) == (Exit.INTERNAL, "client-error")
    assert PIN not in shown + json.dumps(told) + (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "fault", [None, ("login", "device-error"), ("generate", "memory"), ("verify_puk", "device-error")]
)
def test_no_code_is_ever_written_sent_or_shown(program, card, office, tmp_path, fault):
    office.secrets = ["pin", "puk"]
    if fault:
        card.plan_fault(*fault)
    _, told, shown = program("renew", *ALL, "--puk-file", "@puk")
    wire = b"".join(content for _, _, content in office.seen).decode()
    everything = shown + json.dumps(told) + wire + (tmp_path / "log").read_text() + card.path.read_text()
    assert PIN not in everything
    assert PUK not in everything
    log = (tmp_path / "log").read_text()
    assert "RSSMRA85T10A562S" not in log
    assert "ROSSI" not in log


def test_a_secret_hides_in_every_way_of_printing():
    secret = Secret("canary-4711")
    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{secret}", str(vars(type(secret)))):
        assert "canary" not in text
