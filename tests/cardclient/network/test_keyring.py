"""The keyring: used where it works, ignored where it does not, and never able to stop a renewal."""

from __future__ import annotations

import logging

import pytest
from keyring.backends import fail, null

from cardclient.network.keyring import SystemKeyring
from cardclient.secret import Secret

ACCOUNT = "rossi@proxy.example.org:8080"


class Memory:
    priority = 5.0

    def __init__(self) -> None:
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Locked:
    """A keyring whose owner has not opened it; its exceptions quote what they were given."""

    priority = 5.0

    def _refuse(self, *given):
        raise RuntimeError(f"locked: {given}")

    get_password = set_password = delete_password = _refuse


class Broken:
    @property
    def priority(self):
        raise RuntimeError("no D-Bus")


def test_what_is_written_is_read_and_forgotten():
    backend = Memory()
    keyring = SystemKeyring(backend)
    assert keyring.available
    assert keyring.write(ACCOUNT, Secret("Segreto#2026"))
    assert backend.kept == {("sigillo-card", ACCOUNT): "Segreto#2026"}
    assert keyring.read(ACCOUNT).reveal() == "Segreto#2026"
    keyring.forget(ACCOUNT)
    keyring.forget(ACCOUNT)
    assert keyring.read(ACCOUNT) is None


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), Broken()])
def test_a_backend_that_keeps_nothing_counts_as_none(backend):
    keyring = SystemKeyring(backend)
    assert not keyring.available
    assert keyring.read(ACCOUNT) is None
    assert not keyring.write(ACCOUNT, Secret("x"))
    keyring.forget(ACCOUNT)


def test_a_locked_keyring_answers_nothing_and_its_words_reach_no_log(caplog):
    keyring = SystemKeyring(Locked())
    with caplog.at_level(logging.DEBUG):
        assert keyring.read(ACCOUNT) is None
        assert not keyring.write(ACCOUNT, Secret("Segreto#2026"))
        keyring.forget(ACCOUNT)
    assert "RuntimeError" in caplog.text
    assert "Segreto" not in caplog.text
    assert "rossi" not in caplog.text
